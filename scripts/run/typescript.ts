// SPDX-License-Identifier: MIT
// What Node is started with to read TypeScript.

import { pathToFileURL } from "node:url";
import { join } from "node:path";

const PACKAGES = pathToFileURL(join(import.meta.dirname, "packages.js")).href;

/** Arguments of Node, in their order. */
export const TYPESCRIPT: readonly string[] = ["--import", "tsx", "--import", PACKAGES];
