// SPDX-License-Identifier: MIT
// `npm run bench`: every file in tests/bench, each in a process of its own.
//
// A bench prints its baseline and ours as a ratio. Timing is never a test: nothing fails here but a crash.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "./build/sources.ts";
import { EXIT_FAILED, EXIT_OK } from "./cli/failure.ts";
import { print } from "./cli/terminal.ts";

const FOLDER = "tests/bench";

const wanted = process.argv.slice(2);
const files = readdirSync(join(PROJECT, FOLDER))
  .filter((name) => name.endsWith(".ts"))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  .sort();
let failed = files.length === 0;
for (const name of files) {
  print(`${FOLDER}/${name}`);
  const args = ["--import", "tsx", join(FOLDER, name)];
  const run = spawnSync(process.execPath, args, { cwd: PROJECT, stdio: "inherit" });
  failed ||= run.status !== 0;
}
process.exitCode = failed ? EXIT_FAILED : EXIT_OK;
