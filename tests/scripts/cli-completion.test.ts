// SPDX-License-Identifier: MIT
// Goal: a shell completes what the command table holds.
//
// Method: bash itself, asked as the Tab key does; the other shells' scripts hold every command and option.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { ferrule } from "../support/ferrule.ts";
import * as need from "../support/need.ts";

const COMMANDS = [
  ..."up sim new validate build size flash aot gateway hub tap".split(" "),
  ...["monitor", "doctor", "completion"],
  ...["--help", "--version"],
];

async function complete(...words: string[]): Promise<string[]> {
  const { stdout, code } = await ferrule(["completion", "bash"]);
  assert.equal(code, 0);
  const line = ["ferrule", ...words].map((word) => `'${word}'`).join(" ");
  const script =
    `${stdout}\nCOMP_WORDS=(${line})\nCOMP_CWORD=${words.length}\n_ferrule\n` +
    `complete -p ferrule >&2\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`;
  const run = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  assert.equal(run.stderr, "complete -o default -F _ferrule ferrule\n");
  return run.stdout.split("\n").filter((word) => word !== "");
}

test("bash completes commands, options and choices", need.program("bash"), async () => {
  assert.deepEqual(await complete(""), COMMANDS);
  assert.deepEqual(await complete("va"), ["validate"]);
  assert.deepEqual(await complete("monitor", "--"), [
    "--node",
    "--for",
    "--root",
    "--json",
    "--debug",
    "--help",
  ]);
  assert.deepEqual(await complete("completion", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(await complete("tap", "re"), ["record", "replay"]);
  assert.deepEqual(await complete("tap", "listen", "--ma"), ["--map"]);
  assert.deepEqual(await complete("up", "fo"), [], "left to the shell: files");
  assert.deepEqual(await complete("sim", "--engine", ""), ["wasm", "chip", "js", "duktape"]);
  assert.deepEqual(await complete("sim", "--engine", "c"), ["chip"]);
});

test("zsh and fish know every command and its options", async () => {
  const [zsh, fish] = await Promise.all(
    ["zsh", "fish"].map(async (shell) => (await ferrule(["completion", shell])).stdout),
  );
  for (const name of COMMANDS.filter((word) => !word.startsWith("-"))) {
    assert.match(zsh!, new RegExp(`^    ${name}\\) _arguments '.*--json\\[`, "m"));
    assert.match(fish!, new RegExp(`-f -a ${name} -d '`));
  }
  assert.match(zsh!, /'--template\[[^\]]+\]: :_files'/);
  assert.match(fish!, /from new" -l template -r -d '/);
  assert.match(zsh!, /'--engine\[[^\]]+\]: :\(wasm chip js duktape\)'/);
  assert.match(fish!, /from sim" -l engine -x -a 'wasm chip js duktape' -d '/);
  const other = await ferrule(["completion", "tcsh"]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /Allowed choices are bash, zsh, fish\.\n$/);
});
