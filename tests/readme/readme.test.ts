// SPDX-License-Identifier: MIT
// Goal: every command that README.md shows does what a reader expects: it runs.
//
// Method: each line of its `sh` blocks is run beside copies of the folders it may name, so that what it writes
// lands there; a run without end gets `--for 3` and a free port, a service is given a broker that is down.

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildNode } from "../../scripts/build/modules.ts";
import { ferrule, PROJECT } from "../support/ferrule.ts";

const README = readFileSync(join(PROJECT, "README.md"), "utf8");
const OWN = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

const folder = mkdtempSync(join(tmpdir(), "ferrule readme "));
for (const name of ["firmware", "plants", "tests/vectors", "host-sim/scenarios"])
  cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
after(() => rmSync(folder, { recursive: true, force: true }));

/** Lines of the `sh` blocks without comments. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block ?? "");
  return blocks
    .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
    .map((line) =>
      line
        .replace(/^\$ /, "")
        .replace(/\s+#.*$/, "")
        .trim(),
    )
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Words of a line after `npx ferrule` or `npm start --`; undefined: not a command of ferrule. */
function ferruleArgs(line: string): string[] | undefined {
  const words = line.split(/\s+/);
  if (words[0] === "ferrule") return words.slice(1);
  if (words[0] === "npx" && words[1] === "ferrule") return words.slice(2);
  if (words[0] !== "npm" || words[1] !== "start") return undefined;
  return ["up", ...words.slice(2).filter((word) => word !== "--")];
}

/** The same command with an end in sight. */
function bounded(args: string[]): string[] {
  if (args[0] !== "up" || args.includes("--help")) return args;
  const bounds = [...args];
  for (const [option, value] of [
    ["--for", "3"],
    ["--page", "0"],
  ] as const) {
    const at = bounds.indexOf(option);
    if (at < 0) bounds.push(option, value);
    else bounds[at + 1] = value;
  }
  return bounds;
}

test("every npm script that README.md names exists", () => {
  const named = [...README.matchAll(/\bnpm run ([\w-]+)/g)].map(([, name]) => name ?? "");
  for (const name of named) assert.ok(Object.hasOwn(OWN.scripts, name), `npm run ${name}`);
  assert.match(README, /npm start/);
  assert.match(README, /npm test/);
});

test("every command of ferrule that README.md shows runs", async () => {
  const commands = commandsOf(README)
    .map(ferruleArgs)
    .filter((args) => args !== undefined);
  assert.ok(commands.length > 0, "README.md shows no command");
  for (const args of commands) {
    const broker = args.indexOf("--broker");
    const down = broker >= 0;
    if (down) args[broker + 1] = "mqtt://127.0.0.1:1";
    const run = await ferrule(bounded(args), { cwd: folder });
    const line = `ferrule ${args.join(" ")}\n${run.stderr}`;
    if (down) assert.match(run.stderr, /does not answer \(ECONNREFUSED\)/, line);
    else assert.equal(run.code, 0, line);
  }
});

test("the sizes that README.md states are those of the modules", async () => {
  const rows = [...README.matchAll(/^\|.*\| ([\d,]+) and ([\d,]+) octets \| `.* (\S+)` \|$/gm)];
  assert.ok(rows.length >= 2, "README.md states no sizes");
  for (const [, loop, link, node] of rows) {
    const built = await buildNode(join(PROJECT, node!));
    const sizes = [built.loop, built.link].map(({ wasm }) => wasm.length.toLocaleString("en"));
    assert.deepEqual([loop, link], sizes, node);
  }
});

test("every file that README.md links to is there", () => {
  const links = [...README.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) => path ?? "");
  for (const path of links) assert.ok(existsSync(join(PROJECT, path)), path);
});
