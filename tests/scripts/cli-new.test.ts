// SPDX-License-Identifier: MIT
// Goal: a new node folder works at once, wherever it lies.
//
// Method: the command in folders with spaces and other letters; tsc as the editor does it; exact refusals.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { loopDeclarations, refreshNames } from "../../scripts/build/editor.ts";
import { nodeJsonSchema, readNode } from "../../scripts/build/node.ts";
import { listTemplates } from "../../scripts/run/template.ts";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import { makeFolder } from "./folders.ts";

const top = makeFolder();
const TSC = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const typeCheck = (folder: string) =>
  spawnSync(process.execPath, [TSC, "-p", folder], { encoding: "utf8" });

test("every template builds where it was made, named as its folder", async () => {
  for (const { name } of listTemplates()) {
    const folder = `neu ü ${name}`;
    const made = await ferrule(["new", folder, "--template", name], { cwd: top });
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, new RegExp(`^made ${folder} from ${name}: node\\.json, `));
    assert.equal(made.stderr, `  next: ferrule up '${folder}' --watch\n`);
    const built = await ferrule(["build", folder, "--json"], { cwd: top });
    assert.equal(built.code, 0, built.stderr);
  }
  const named = await ferrule(["new", "ofen-2", "--json"], { cwd: top });
  assert.deepEqual(JSON.parse(named.stdout), {
    folder: "ofen-2",
    template: "oven",
    files: readdirSync(join(top, "ofen-2"), { recursive: true, encoding: "utf8" })
      .filter((name) => name !== ".ferrule")
      .sort((a, b) => order(a) - order(b)),
    next: "ferrule up ofen-2 --watch",
  });
  assert.equal(readNode(join(top, "ofen-2")).type.type, "ofen-2");

  function order(name: string): number {
    const { files } = JSON.parse(named.stdout) as { files: string[] };
    return files.indexOf(name);
  }
});

test("an editor finds schema and types in the folder itself", async () => {
  for (const { name } of listTemplates()) {
    const folder = join(top, `edit ${name}`);
    await ferrule(["new", folder, "--template", name]);
    const { $schema } = JSON.parse(readFileSync(join(folder, "node.json"), "utf8")) as {
      $schema: string;
    };
    assert.equal(readFileSync(resolve(folder, $schema), "utf8"), nodeJsonSchema());
    const checked = typeCheck(folder);
    assert.equal(checked.status, 0, checked.stdout);
  }
  const loop = join(top, "edit oven/loop.ts");
  writeFileSync(loop, readFileSync(loop, "utf8").replace("duty(HEATER_OUTPUT)", "duty(HEAT)"));
  assert.match(typeCheck(join(top, "edit oven")).stdout, /Cannot find name 'HEAT'/);
});

test("the names for an editor follow node.json, and only where the folder has them", () => {
  const folder = join(top, "edit oven");
  const { type } = readNode(folder);
  const more = { ...type, channels: { ...type.channels, extra: type.channels["heater"]! } };
  assert.equal(refreshNames(folder, type), false, "nothing changed");
  assert.equal(refreshNames(folder, more), true);
  assert.match(
    readFileSync(join(folder, ".ferrule/node.d.ts"), "utf8"),
    /^export declare const EXTRA: i32;$/m,
  );
  assert.equal(refreshNames(join(PROJECT, "firmware/nodes/oven"), more), false);
});

test("the declarations hold every function that SPEC.md lists for node code", () => {
  const spec = readFileSync(join(PROJECT, "SPEC.md"), "utf8");
  const section = spec.slice(spec.indexOf("## 11. Node code"), spec.indexOf("## 12."));
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const calls = rows.flatMap((row) => row.split("|")[1]!.match(/`(\w+)[(`]/g) ?? []);
  const listed = calls.map((call) => /\w+/.exec(call)![0]).sort();
  const declared = [...loopDeclarations().matchAll(/function (\w+)\(/g)].map(([, name]) => name!);
  assert.ok(declared.length > 20, "functions were found");
  assert.deepEqual(declared.sort(), listed);
});

test("a folder that is not empty is refused and left alone", async () => {
  const full = join(top, "full");
  mkdirSync(full);
  writeFileSync(join(full, "mine.txt"), "mine");
  const refused = await ferrule(["new", "full"], { cwd: top });
  assert.deepEqual(
    [refused.code, refused.stdout, refused.stderr],
    [
      1,
      "",
      "ferrule: full is not empty: it holds mine.txt\n" +
        "  next: give the name of a new folder, or empty this one\n",
    ],
  );
  assert.deepEqual(readdirSync(full), ["mine.txt"]);
  mkdirSync(join(top, "repository/.git"), { recursive: true });
  assert.equal((await ferrule(["new", "repository"], { cwd: top })).code, 0);
  const file = await ferrule(["new", "full/mine.txt"], { cwd: top });
  assert.equal(
    file.stderr,
    "ferrule: full/mine.txt is a file\n  next: give the name of a new folder\n",
  );
});

test("a template that is not there is named with what was meant", async () => {
  const run = await ferrule(["new", "x", "--template", "ovne"], { cwd: top });
  assert.deepEqual([run.code, run.stdout], [3, ""]);
  const names = listTemplates().map(({ name }) => name);
  assert.equal(
    run.stderr,
    "ferrule: there is no template ovne; did you mean oven?\n" +
      `  next: choose one of ${names.join(", ")}\n`,
  );
  assert.ok(!readdirSync(top).includes("x"), "nothing was made");
});
