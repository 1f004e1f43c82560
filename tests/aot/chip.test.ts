// SPDX-License-Identifier: MIT
// Goal: translated modules do on both processors what they do in V8.
//
// Method: a sample of the random modules, and numeric operators at their edges, where gcc takes its library's
// arithmetic; built for Cortex-M0+ and rv32imc and run on the cores of the bench, which end a run at a
// misaligned access. Results, traps, globals and memory are compared.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import { CORES } from "../bench/aot/cores.ts";
import { program } from "../support/need.ts";
import { assembleModule } from "./assemble.ts";
import { runChip } from "./chip.ts";
import { EDGES } from "./edges.ts";
import { generateCase } from "./generate.ts";
import { type Call, type Case, difference, runEngine } from "./native.ts";
import { operatorFunction, OPERATORS } from "./operators.ts";

const FIRST = Number(process.env["SEED"] ?? 1);
const MODULES = 12;
const CALLS = 40; // of each operator

function operatorCase(): Case {
  const prng = createPrng(FIRST).fork("chip");
  const functions = OPERATORS.map(operatorFunction);
  const calls = OPERATORS.flatMap(({ name, arity, operandType }): Call[] => {
    const edges = EDGES[operandType];
    const one = (): Call["operands"] =>
      Array.from({ length: arity }, () => edges[prng.below(edges.length)]!);
    return Array.from({ length: CALLS }, () => ({ name, operands: one() }));
  });
  return { name: "operators", wasm: assembleModule({ functions }), calls };
}

for (const core of CORES) {
  test(`random modules do on ${core.name} what they do in V8`, program(core.compiler), () => {
    console.log(`SEED=${FIRST}: seeds ${FIRST}..${FIRST + MODULES - 1}`);
    for (let seed = FIRST; seed < FIRST + MODULES; seed++) {
      const item = generateCase(seed);
      assert.equal(difference(runChip(core, item), runEngine(item)), null, item.name);
    }
  });

  test(
    `numeric operators give on ${core.name} what they give in V8`,
    program(core.compiler),
    () => {
      const item = operatorCase();
      const lines = runChip(core, item);
      assert.equal(lines.length, item.calls.length);
      assert.equal(difference(lines, runEngine(item)), null);
    },
  );
}
