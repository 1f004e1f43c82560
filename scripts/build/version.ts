// SPDX-License-Identifier: MIT
// The versions that name a build: this package's and the compiler's.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** The package's own version, which stands in the birth message and in --version. */
export function packageVersion(): string {
  return versionIn(fileURLToPath(new URL("../../package.json", import.meta.url)));
}

/** The version of the AssemblyScript compiler that is installed. */
export function compilerVersion(): string {
  return versionIn(createRequire(import.meta.url).resolve("assemblyscript/package.json"));
}

function versionIn(file: string): string {
  return String((JSON.parse(readFileSync(file, "utf8")) as { version?: unknown }).version);
}
