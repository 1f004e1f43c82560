// SPDX-License-Identifier: MIT
// What compiling a node type costs, and what the cache makes of it.
//
// The baseline compiles both modules of the oven with the compiler already loaded; ours takes them from the cache.

import { join } from "node:path";
import { compile } from "../../scripts/build/compile.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { createSourceTree, LINK_ENTRY, PROJECT } from "../../scripts/build/sources.ts";

const OVEN = join(PROJECT, "firmware/nodes/oven");
await buildNode(OVEN);

const tree = createSourceTree({ folder: undefined, overlay: {} });
await compile(tree, LINK_ENTRY);
const compileStartMs = performance.now();
await compile(tree, LINK_ENTRY);
const compileMs = performance.now() - compileStartMs;
const cachedStartMs = performance.now();
await buildNode(OVEN);
const cachedMs = performance.now() - cachedStartMs;
console.log(
  `  link compiled in ${Math.round(compileMs)} ms; both modules from the cache in ` +
    `${Math.round(cachedMs)} ms, ${Math.round(compileMs / cachedMs)} times as fast`,
);
