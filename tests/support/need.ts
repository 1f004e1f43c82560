// SPDX-License-Identifier: MIT
// What a test needs from outside the project, and how it says that it is missing.
//
// A test that cannot run is skipped by name: `test(name, need.program("tshark"), ...)`. Nothing else may skip a test.

import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { makeDisk } from "./disk.ts";

/** Options for node:test: skips with the program's name where it is not on the PATH. */
export function program(...names: string[]): { skip: string | false } {
  const missing = names.filter((name) => findProgram(name) === undefined);
  return { skip: missing.length > 0 && `needs ${missing.join(", ")}` };
}

/** Options for node:test: skips where the python3 on the PATH cannot import the module. */
export function debianPython(moduleFolder: string): { skip: string | false } {
  const found = existsSync("/usr/bin/python3") && existsSync(moduleFolder);
  return { skip: !found && `needs ${moduleFolder}` };
}

/** Options for node:test: skips where the shared captures and vectors are not beside the project. */
export function shared(...paths: string[]): { skip: string | false } {
  const missing = paths.filter((path) => !existsSync(sharedFile(path)));
  return { skip: missing.length > 0 && `needs shared data: ${missing.join(", ")}` };
}

/** Options for node:test: skips where this process may not mount a file system. */
export function mount(): { skip: string | false } {
  const disk = makeDisk();
  disk?.remove();
  return { skip: disk === undefined && "needs the right to mount a file system" };
}

/** Where a shared capture or vector lies: FERRULE_DATA, else shared/data beside the project. */
export function sharedFile(path: string): string {
  return resolve(process.env["FERRULE_DATA"] ?? "../shared/data", path);
}

/** The full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
