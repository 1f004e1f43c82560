// SPDX-License-Identifier: MIT
// The versions that name a build: this package's and the compiler's.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's own version, which stands in the birth message and in --version. */
export function packageVersion(): string {
  return versionIn(fileURLToPath(new URL("../../package.json", import.meta.url)));
}

/** The version of the AssemblyScript compiler that is installed. */
export function compilerVersion(): string {
  return versionOf("assemblyscript");
}

/** The version of a package that is installed; `from` resolves it where another package has its own. */
export function versionOf(name: string, from = createRequire(import.meta.url)): string {
  const folders = from.resolve.paths(name) ?? [];
  const files = folders.map((folder) => join(folder, name, "package.json"));
  return versionIn(files.find((file) => existsSync(file)) ?? name);
}

function versionIn(file: string): string {
  return String((JSON.parse(readFileSync(file, "utf8")) as { version?: unknown }).version);
}
