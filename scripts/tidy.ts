// SPDX-License-Identifier: MIT
// House style as a test: the hard limits T1 to T14 over every tracked file.
//
// `tsx scripts/tidy.ts` prints file:line, rule and what to do, and ends with 1 when anything was found.
// Rules are functions over texts (scripts/tidy/); exceptions stand in scripts/tidy/exceptions.ts.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dependencies } from "./tidy/dependencies.ts";
import { isExcepted } from "./tidy/exceptions.ts";
import { type Problem, type Rule, tidyFile } from "./tidy/file.ts";
import { hostFunctions, noAllocation } from "./tidy/firmware.ts";
import { importTable, orphans } from "./tidy/imports.ts";
import { deadText, functions, hidden, plainTypes, wholeTests } from "./tidy/syntax.ts";
import { fileLength, head, leaks, lineShape, names } from "./tidy/text.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const RULES: readonly Rule[] = [
  fileLength,
  functions,
  lineShape,
  head,
  hidden,
  names,
  plainTypes,
  deadText,
  hostFunctions,
  noAllocation,
  wholeTests,
  leaks,
];
const TEXT =
  /\.(ts|tsx|js|mjs|c|h|json|jsonl|md|css|html|yml|sh)$|(^|\/)(\.[a-z]+rc|\.ci\/run|LICENSE)$/;
const FILE_BYTES_MAX = 4 << 20; // vectors are larger than sources, but no film

/** Every problem of the given files, exceptions taken out, in the order of the paths. */
export function checkFiles(texts: ReadonlyMap<string, string>): Problem[] {
  const files = [...texts].map(([path, text]) => tidyFile(path, text));
  const paths = new Set(texts.keys());
  const own = files.flatMap((file) => [
    ...RULES.flatMap((rule) => rule(file)),
    ...importTable(file, paths),
  ]);
  return [...own, ...orphans(files), ...dependencies((path) => texts.get(path) ?? "")]
    .filter(({ rule, path }) => !isExcepted(rule, path))
    .sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}

/** Texts of the tracked files, and of new ones that are not ignored. */
export function readTracked(root: string): Map<string, string> {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const git = spawnSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 16 << 20 });
  const paths = git.stdout.split("\0").filter((path) => TEXT.test(path));
  const present = paths.filter((path) => existsSync(join(root, path)));
  const small = present.filter((path) => statSync(join(root, path)).size <= FILE_BYTES_MAX);
  return new Map(small.sort().map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  const texts = readTracked(ROOT);
  if (texts.size === 0) throw new Error("git lists no file here: tidy needs a clone");
  const problems = checkFiles(texts);
  for (const { path, line, rule, text } of problems) console.log(`${path}:${line} ${rule} ${text}`);
  console.log(`tidy: ${texts.size} files, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
