// SPDX-License-Identifier: MIT
// Writes the files of a folder together: all of them, or nothing.
//
// Each is written beside its place and all are renamed at the end. What fails takes away the folders that were
// made for it, and is told with the path that the user knows.

import { randomUUID } from "node:crypto";
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolders } from "../build/cache.ts";
import { about, Failure, EXIT_FAILED } from "../cli/failure.ts";

/** Writes files, named from the folder on; the folder and those below are made. */
export function writeTogether(folder: string, files: Record<string, Uint8Array | string>): void {
  const mark = markOfWriter();
  const places = Object.entries(files).map(([name, content]) => {
    const file = join(folder, name);
    return { file, beside: `${file}.${mark}`, content };
  });
  const made: string[] = [];
  const begun: string[] = [];
  try {
    for (const { file, beside, content } of places) {
      const top = makeFolders(dirname(file));
      if (top !== undefined) made.push(top);
      refuseNoFile(file);
      begun.push(beside);
      writeAs(file, () => writeFileSync(beside, content));
    }
    for (const { file, beside } of places) writeAs(file, () => renameSync(beside, file));
  } catch (error) {
    for (const beside of begun) rmSync(beside, { force: true });
    for (const top of made) rmSync(top, { recursive: true, force: true });
    throw error;
  }
}

/** What ends the name of a file that is being written: no two writers share it. */
export function markOfWriter(): string {
  return `${process.pid}-${randomUUID().slice(0, 8)}`;
}

/** Does what writes to a place; a system error is about `file`, whatever name it has meanwhile. */
export function writeAs<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw about(error, file);
  }
}

/** Throws a Failure for a folder or a device, which a rename would be refused by or replace. */
export function refuseNoFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return;
  const what = found.isDirectory() ? "a folder" : "a device";
  throw new Failure(EXIT_FAILED, `${file} is ${what}, and a file is wanted`, "give a file");
}
