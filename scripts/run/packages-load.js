// SPDX-License-Identifier: MIT
// The hook of packages.js: an ECMAScript module of a package is read as it is.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const PACKAGE_FILE = /^file:.*\/node_modules\/.*\.m?js$/;

export async function load(url, context, next) {
  if (context.format !== "module" || !PACKAGE_FILE.test(url)) return next(url, context);
  return { format: "module", shortCircuit: true, source: await readFile(fileURLToPath(url)) };
}
