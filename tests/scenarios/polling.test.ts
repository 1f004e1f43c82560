// SPDX-License-Identifier: MIT
// Goal: values of polled units arrive in the namespace, and only true ones.
// Method: the whole road with the template; every value against what its unit held when a
// question ended, in calm and with faults of the line by seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSlaves, type SlaveRegister } from "../../host-sim/devices/slaves.ts";
import { characterUs } from "../../host-sim/devices/wire.ts";
import type { FaultPlan, PlantPlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import type { Hub } from "../../hub/hub.ts";
import { buildPlant, calm } from "./plants.ts";
import { assertAccounted, type Line, messages, traced } from "./runs.ts";

const NODE = "asker-1";
const QUESTION_BYTES = 8;
const SCALE: Record<string, number> = { energy: 3600, speed: 0.1 };
const CHANNELS = ["voltage", "current", "energy", "speed", "running"];

const plan = await buildPlant({ [NODE]: "../../templates/modbus-poll" });

/** By channel every value that its unit held when a question to it ended. */
function heldBy(plant: PlantPlan, lines: Line[]): Map<string, Set<number>> {
  const node = plant.nodes[0]!;
  const { machine, taps } = node;
  assert.ok(machine.kind === "slaves");
  const slaves = createSlaves({ ...machine, ...taps[0]! }, createPrng(0));
  const lengthUs = QUESTION_BYTES * characterUs(taps[0]!.baud, taps[0]!.format);
  const held = new Map(CHANNELS.map((name) => [name, new Set<number>()]));
  for (const line of lines) {
    if (line.e !== "tap-put") continue;
    const endUs = Math.round(line.t + lengthUs);
    const [unit, code] = Buffer.from(String(line["octets"]), "hex");
    machine.registers.forEach((one, i) => {
      if (one.unit === unit && one.code === code)
        held.get(CHANNELS[i]!)!.add(valueOf(one, (at) => slaves.holds(unit, code, at, endUs)!));
    });
  }
  return held;
}

function valueOf({ type, address }: SlaveRegister, holds: (at: number) => number): number {
  if (type === "u16") return holds(address);
  const bits = holds(address) * 65_536 + holds(address + 1);
  if (type === "u32") return bits;
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!;
}

function assertTrue(plant: PlantPlan, lines: Line[], hint: string): number {
  const held = heldBy(plant, lines);
  let compared = 0;
  for (const name of CHANNELS) {
    for (const { payload } of messages(lines, `_raw/${NODE}/${name}`)) {
      const { value } = JSON.parse(payload.toString()) as { value: number };
      const near = [...held.get(name)!].some(
        (one) => Math.abs(one * (SCALE[name] ?? 1) - value) < 1e-6 * Math.abs(value) + 1e-9,
      );
      assert.ok(near, `${hint}: ${name} ${value}`);
      compared++;
    }
  }
  return compared;
}

test("what units hold arrives in the namespace, and the node says that it polls", () => {
  let pollsMs: number | undefined;
  const watch = (hub: Hub): void => {
    pollsMs = hub.snapshot(0).nodes[0]?.taps[0]?.pollsMs;
  };
  const { result, lines } = traced(plan, { ...calm(60_000), watch });
  assertAccounted(result, "polling");
  assert.ok(assertTrue(plan, lines, "calm") > 4 * 50);
  assert.equal(pollsMs, 1000);
});

const FAULTS = [
  ...["line-glitch", "line-dropout", "line-collision", "line-stray", "line-echo"],
] as FaultPlan["fault"][];

for (const seed of [1, 2, 3, 4])
  test(`a bad line costs values and makes none: seed ${seed}`, () => {
    const prng = createPrng(seed);
    const faults: FaultPlan[] = FAULTS.map((fault) => ({
      ...{ fault, node: NODE, atMs: 2000 + prng.below(60_000), forMs: 20_000 },
      ...(fault === "line-echo" ? {} : { amount: 0.02 }),
    }));
    const plant = { ...plan, faults };
    const { result, lines } = traced(plant, calm(120_000, seed));
    assertAccounted(result, `seed ${seed}`);
    assert.ok(assertTrue(plant, lines, `seed ${seed}`) > 150);
  });

test("the same seed, the same questions", () => {
  const texts = [1, 2].map(() => traced(plan, calm(10_000, 5)).text);
  assert.equal(texts[0], texts[1]);
});
