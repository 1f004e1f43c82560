// SPDX-License-Identifier: MIT
// `npm run bench`: every file in tests/bench, each in a process of its own.
//
// `npm run bench -- NAME… --json --quick`. A bench prints its baseline and ours as a ratio. Timing is
// never a test: nothing fails here but a crash. A name that no bench has is refused.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { TYPESCRIPT } from "./run/typescript.ts";
import { PROJECT } from "./build/sources.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, EXIT_OK, EXIT_USAGE } from "./cli/failure.ts";
import { print, say } from "./cli/terminal.ts";

const FOLDER = "tests/bench";
const OUTPUT_BYTES_MAX = 64_000_000; // of one bench: Node shows the line that threw, 8 MB in asc's
const LINE_CHARACTERS_MAX = 500; // longer ones on stderr are such code

interface Options {
  wanted: string[];
  json: boolean;
  quick: boolean;
}

function readOptions(): Options | undefined {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      options: { json: flag, quick: flag },
      allowPositionals: true,
    });
    return { wanted: positionals, json: values.json, quick: values.quick };
  } catch (error) {
    say(`${(error as Error).message}; usage: npm run bench -- [NAME…] [--json] [--quick]`);
    return undefined;
  }
}

/** Runs one bench; its JSON, undefined: it failed, or its table was printed already. */
function runBench(name: string, { json, quick }: Options): { ok: boolean; found?: unknown } {
  const flags = [...(json ? ["--json"] : []), ...(quick ? ["--quick"] : [])];
  const args = [...TYPESCRIPT, join(FOLDER, `${name}.ts`), ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: PROJECT,
    stdio: ["ignore", json ? "pipe" : "inherit", "pipe"],
    maxBuffer: OUTPUT_BYTES_MAX,
    encoding: "utf8",
  });
  const talk = stderr.split("\n").filter((line) => line.length <= LINE_CHARACTERS_MAX);
  if (stderr !== "") say(talk.join("\n").trim());
  if (status !== 0) say(`bench ${name} ended with ${status}`);
  if (status !== 0 || !json) return { ok: status === 0 };
  return { ok: true, found: JSON.parse(stdout) as unknown };
}

function main(): number {
  const options = readOptions();
  if (options === undefined) return EXIT_USAGE;
  const names = readdirSync(join(PROJECT, FOLDER))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
  const unknown = options.wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    say(`there is no bench "${unknown.join('", "')}"; there are ${names.join(", ")}`);
    return EXIT_NOT_FOUND;
  }
  const chosen = options.wanted.length === 0 ? names : options.wanted;
  const runs = chosen.map((name) => runBench(name, options));
  if (options.json)
    print(
      JSON.stringify(
        runs.flatMap(({ found }) => found ?? []),
        null,
        2,
      ),
    );
  return runs.every(({ ok }) => ok) ? EXIT_OK : EXIT_FAILED;
}

process.exitCode = main();
