// SPDX-License-Identifier: MIT
// Nodes of one image share its module; a wrong one is refused each time.
//
// Goal: a fleet compiles each image once. Method: the compiler of a fleet on small modules.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createCompiler, ModuleError } from "../../host-sim/engine.ts";
import { assemble, smallLoop } from "./small-modules.ts";

test("the same octets are compiled once, others and other fleets' apart", () => {
  const compile = createCompiler();
  const wasm = smallLoop();
  const module = compile("loop", wasm);
  assert.equal(compile("loop", wasm), module);
  assert.notEqual(compile("loop", wasm.slice()), module);
  assert.notEqual(createCompiler()("loop", wasm), module);
});

test("a module that is shared as loop is still checked as link, and refused each time", () => {
  const compile = createCompiler();
  const wasm = smallLoop();
  compile("loop", wasm);
  for (let times = 0; times < 2; times++) assert.throws(() => compile("link", wasm), ModuleError);
  const empty = assemble("(module)");
  for (let times = 0; times < 2; times++) assert.throws(() => compile("loop", empty), ModuleError);
});
