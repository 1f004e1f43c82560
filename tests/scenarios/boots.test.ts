// SPDX-License-Identifier: MIT
// The boot counter in flash never repeats, wherever the power goes away.
//
// Goal: SPEC.md §1.6 on the release link. Method: the power is cut inside every flash write of a start,
// after every number of octets, on an empty flash, on a used one and around the change of sectors.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { newestBoot } from "../../host-sim/flash.ts";
import { FLASH_SECTOR_BYTES } from "../../host-sim/limits.ts";
import type { NodePlan } from "../../host-sim/plan.ts";
import { createBench, type Bench } from "../host-sim/node-rig.ts";
import { buildPlant } from "./plants.ts";

const ENTRIES = FLASH_SECTOR_BYTES / 8; // in one sector
const OCTETS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 4095, 4096];
let oven: NodePlan;

before(async () => {
  oven = (await buildPlant({ "oven-1": "oven" })).nodes[0]!;
});

function start(bench: Bench, nowUs: number): number {
  bench.node.powerOn(nowUs);
  bench.runTo(nowUs); // the first poll
  const boot = bench.node.powered() ? newestBoot(bench.node.flash) : 0;
  bench.node.powerCut(nowUs + 1);
  return boot;
}

function afterStarts(count: number): Bench {
  const bench = createBench(oven);
  for (let i = 1; i <= count; i++) assert.equal(start(bench, 10 * i), i);
  return bench;
}

test("boots count 1, 2, 3 … through three changes of sectors", () => {
  const bench = afterStarts(3 * ENTRIES + 5);
  assert.equal(bench.node.hostCounters().linkTraps, 0);
});

test("a cut inside any flash write of a start never makes a boot number come twice", () => {
  let cuts = 0;
  for (const used of [0, 1, 2, ENTRIES - 1, ENTRIES, ENTRIES + 1, 2 * ENTRIES - 1, 2 * ENTRIES]) {
    const image = afterStarts(used).node.flash.bytes.slice();
    for (const write of [1, 2, 3]) {
      for (const octets of OCTETS) {
        const bench = createBench(oven);
        bench.node.flash.bytes.set(image);
        bench.node.flash.planCut(write, octets);
        const first = start(bench, 10);
        if (first === 0) cuts++;
        bench.node.flash.planCut(Infinity, 0);
        const second = start(bench, 20);
        const third = start(bench, 30);
        const where = `${used} boots before, write ${write}, ${octets} octets`;
        assert.ok(second > used && second > first, `${where}: ${first}, ${second}`);
        assert.ok(third > second, where);
      }
    }
  }
  assert.ok(cuts >= 8 * OCTETS.length, `only ${cuts} starts were cut`);
});

test("two cuts in a row, and octets that a cut left behind, are passed over", () => {
  for (const octets of OCTETS.slice(0, 9)) {
    const bench = afterStarts(ENTRIES - 2);
    const seen: number[] = [];
    for (let i = 1; i <= 8; i++) {
      bench.node.flash.planCut(1, octets);
      start(bench, 10_000 * i);
      bench.node.flash.planCut(Infinity, 0);
      seen.push(start(bench, 10_000 * i + 10));
    }
    seen.reduce((before, boot) => {
      assert.ok(boot > before, `${octets} octets: ${seen.join()}`);
      return boot;
    }, ENTRIES - 2);
  }
});
