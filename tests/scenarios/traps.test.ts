// SPDX-License-Identifier: MIT
// What happens in one module of the real firmware does not reach the other.
//
// Goal: loop behaves the same with link well, absent, hung and trapping; a trap of loop drives the
// outputs safe within one period. Method: traps planted in the release modules, trace lines of loop
// compared byte for byte.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createMachine } from "../../host-sim/fleet.ts";
import type { NodePlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { createBench, type Bench } from "../host-sim/node-rig.ts";
import { hungLink, plantTrap } from "../host-sim/small-modules.ts";
import { buildPlant } from "./plants.ts";

const SECONDS = 60; // the oven reaches its setpoint and its controller works
let oven: NodePlan;
let meter: NodePlan;
let press: NodePlan;

before(async () => {
  const folders = { "oven-1": "oven", "meter-1": "meter", "press-1": "press" };
  const { nodes } = await buildPlant(folders);
  [oven, meter, press] = nodes as [NodePlan, NodePlan, NodePlan];
});

function run(plan: NodePlan, changes: Partial<NodePlan>): Bench {
  const bench = createBench({ ...plan, ...changes }, createMachine(plan, createPrng(5)));
  bench.node.powerOn(0);
  bench.runTo(SECONDS * 1_000_000);
  return bench;
}

const loopTrace = (bench: Bench): string => bench.linesWith('"m":"loop"').join("\n");
// Outputs and heard characters only: where nobody empties the ring, loop offers its records again.
const outputTrace = (bench: Bench): string =>
  bench
    .linesWith('"m":"loop"')
    .filter((line) => !line.includes('"ring-put"'))
    .join("\n");

for (const which of ["oven", "meter", "press"] as const) {
  test(`the loop of the ${which} does the same with link well, absent, hung and trapping`, () => {
    const plan = { oven, meter, press }[which];
    const well = run(plan, {});
    const nobodyTakes: [string, Uint8Array, number][] = [
      ["absent", new Uint8Array(0), 0],
      ["hung", hungLink(), 0],
      ["trapping in its first poll", plantTrap(plan.linkWasm, "poll", 1), 300],
      ["trapping in init", plantTrap(plan.linkWasm, "init", 1), 300],
    ];
    assert.ok(outputTrace(well).length > 5000);
    assert.equal(well.node.hostCounters().linkTraps, 0);
    for (const [name, linkWasm, traps] of nobodyTakes) {
      const bench = run(plan, { linkWasm });
      assert.equal(outputTrace(bench), outputTrace(well), name);
      assert.ok(bench.node.hostCounters().linkTraps >= traps, name);
    }
    for (const call of [2, 20]) {
      const bench = run(plan, { linkWasm: plantTrap(plan.linkWasm, "poll", call) });
      assert.equal(loopTrace(bench), loopTrace(well), `trapping in poll ${call}`);
      assert.ok(bench.node.hostCounters().linkTraps > 0, `poll ${call}`);
    }
  });
}

test("a comparison of traces catches a loop that misses one tick", () => {
  const well = run(oven, {});
  const late = run(oven, { loopWasm: plantTrap(oven.loopWasm, "tick", 4500) });
  assert.notEqual(outputTrace(late), outputTrace(well));
});

test("a trap in the oven's loop turns the heater off in that tick; then it heats again", () => {
  const trapTick = 1000;
  const bench = run(oven, { loopWasm: plantTrap(oven.loopWasm, "tick", trapTick) });
  const trapUs = trapTick * oven.periodUs;
  const pwm = bench
    .linesWith('"pwm"')
    .map((line) => JSON.parse(line) as { t: number; duty: number });
  const before = pwm.filter(({ t }) => t < trapUs).at(-1);
  const at = pwm.filter(({ t }) => t >= trapUs);
  assert.ok(before!.duty > 0);
  assert.deepEqual(at[0], { ...at[0], t: trapUs, duty: oven.outputs[0]!.safeDuty });
  assert.ok(at.some(({ t, duty }) => t > trapUs && duty > 0));
  assert.ok(bench.node.hostCounters().loopTraps >= 1);
});

test("without power the heater is off", () => {
  const bench = run(oven, {});
  assert.ok(bench.node.duties()[0]! > 0);
  bench.node.powerCut(SECONDS * 1_000_000 + 1);
  assert.deepEqual(bench.node.duties(), [0]);
});
