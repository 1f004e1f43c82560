// SPDX-License-Identifier: MIT
// A copy of the project with one place of one source changed, to run it in.
//
// What does not change is copied as it is; packages are linked, built modules begin with those of the project.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { TYPESCRIPT } from "../../scripts/run/typescript.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const COPIED = [
  ...["package.json", "asconfig.json", "tsconfig.json", "aot", "boards/js", "firmware", "gateway"],
  ...["hub", "host-sim", "scripts", "plants", "tests/vectors", "build/cache"],
];
const OUTPUT_BYTES_MAX = 1 << 22;

/** One place of one source; `place` must stand there exactly once. */
export interface Change {
  file: string;
  place: string;
  becomes: string;
}

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** A folder with the changed project; the caller removes it. Throws when the place is not there once. */
export function makeTree(change?: Change): string {
  const tree = mkdtempSync(join(tmpdir(), "ferrule-tree-"));
  for (const path of COPIED)
    if (existsSync(join(ROOT, path)))
      cpSync(join(ROOT, path), join(tree, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  if (change === undefined) return tree;
  const file = join(tree, change.file);
  const pieces = readFileSync(file, "utf8").split(change.place);
  if (pieces.length !== 2)
    throw new Error(`${change.file} has the place ${pieces.length - 1} times: ${change.place}`);
  writeFileSync(file, pieces.join(change.becomes));
  return tree;
}

/** Runs a script of the tree with Node. */
export function runInTree(tree: string, script: string, args: readonly string[]): Ran {
  const command = [...TYPESCRIPT, join(tree, script), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: tree,
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return { code: status, out: stdout, err: stderr };
}
