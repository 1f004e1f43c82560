// SPDX-License-Identifier: MIT
// Nodes of a plant have addresses, start apart and lose power as planned.
//
// Goal: faults overlap, end and heal as a plan says. Method: a fleet of tiny modules on a virtual clock,
// its trace of power and its datagrams.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClock, type Clock } from "../../host-sim/clock.ts";
import { createFleet, type Fleet } from "../../host-sim/fleet.ts";
import { FAULT_NAMES, type FaultName } from "../../host-sim/faults/vocabulary.ts";
import type { FaultPlan, PlantPlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { createSchedule, type Begin, type Schedule } from "../../host-sim/faults/schedule.ts";
import { createTrace } from "../../host-sim/trace.ts";
import { nodePlan } from "./node-rig.ts";
import { smallLink, smallLoop } from "./small-modules.ts";

const MODULES = { loopWasm: smallLoop(), linkWasm: smallLink() };
const place = { root: "r", enterprise: "e", site: "s", area: "a", line: "l", cell: "c" };

interface Rig {
  clock: Clock;
  fleet: Fleet;
  schedule: Schedule;
  sent: { from: string; to: string }[];
  /** "on 3" and "off 10" of a node, in whole seconds. */
  power(id: string): string[];
}

function createRig(ids: string[], faults: FaultPlan[]): Rig {
  const clock = createClock();
  const lines: string[] = [];
  const sent: Rig["sent"] = [];
  const plan: PlantPlan = {
    hub: place,
    nodes: ids.map((id) => nodePlan({ id, ...MODULES })),
    faults,
  };
  const trace = createTrace((line) => lines.push(line));
  const send = (from: string, to: string): void => void sent.push({ from, to });
  const fleet = createFleet({ clock, prng: createPrng(1), trace, plan, send });
  const unknown: Begin = () => assert.fail("not a fault of power");
  const begin = {
    ...Object.fromEntries(FAULT_NAMES.map((name) => [name, unknown])),
    "power-cut": ({ node }: FaultPlan) => fleet.cutPower(fleet.place(node ?? "")),
    "flash-torn": ({ node, amount }: FaultPlan) =>
      fleet.tearFlash(fleet.place(node ?? ""), amount ?? 0),
  } as Record<FaultName, Begin>;
  const schedule = createSchedule({ clock, trace, nodes: ids, faults, begin });
  const power = (id: string): string[] =>
    lines
      .map((line) => JSON.parse(line) as { t: number; e: string; n: string; on: boolean })
      .filter(({ e, n }) => e === "power" && n === id)
      .map(({ t, on }) => `${on ? "on" : "off"} ${Math.floor(t / 1e6)}`);
  return { clock, fleet, schedule, sent, power };
}

const cut = (node: string, atS: number, forS: number): FaultPlan => ({
  node,
  fault: "power-cut",
  atMs: atS * 1000,
  forMs: forS * 1000,
});

test("of power cuts that overlap, the one that ends last decides", () => {
  const { clock, power } = createRig(
    ["a", "b"],
    [cut("a", 10, 60), cut("a", 20, 5), cut("a", 65, 10)],
  );
  clock.runUntil(100_000_000);
  assert.deepEqual(power("a"), ["on 0", "off 10", "on 75"]);
  assert.deepEqual(power("b"), ["on 0"]);
});

test("healing ends a power cut at once and those that were still to come", () => {
  const { clock, schedule, power } = createRig(["a"], [cut("a", 10, 60), cut("a", 40, 5)]);
  clock.runUntil(30_000_000);
  assert.equal(schedule.active(), 1);
  schedule.heal();
  assert.equal(schedule.active(), 0);
  clock.runUntil(100_000_000);
  assert.deepEqual(power("a"), ["on 0", "off 10", "on 30"]);
});

test("a node that is cut before it started starts when power is back", () => {
  const { clock, power } = createRig(["a"], [cut("a", 0, 3)]);
  clock.runUntil(10_000_000);
  assert.deepEqual(power("a"), ["on 3"]);
});

test("each node has an address of its own, and hears what is sent there", () => {
  const ids = Array.from({ length: 260 }, (_, i) => `n${i}`);
  const { clock, fleet, sent } = createRig(ids, []);
  const addresses = fleet.members.map(({ address }) => address);
  assert.equal(new Set(addresses).size, 260);
  assert.equal(addresses[0], "192.0.2.2:10001");
  assert.equal(addresses[252], "192.0.2.254:10253");
  assert.equal(addresses[253], "192.0.2.2:10254");
  clock.runUntil(200_000);
  const ticks = fleet.members.map(({ node }) => node.nextDueUs() % 10_000);
  assert.ok(new Set(ticks).size > 200, "ticks of all nodes fall together");
  fleet.datagram("192.0.2.1:10000", addresses[7]!, Uint8Array.of(1));
  fleet.datagram("192.0.2.1:10000", "192.0.2.99:1", Uint8Array.of(1));
  assert.deepEqual(sent, [{ from: addresses[7], to: "192.0.2.1:10000" }]);
});

test("a fault that names no node is refused", () => {
  assert.throws(() => createRig(["a"], [cut("b", 1, 1)]), /there is no node "b"; known: a/);
});

test("a node that is programmed anew keeps flash and counts, and starts with the next boot", () => {
  const { clock, fleet, power } = createRig(["a", "b"], []);
  const place = fleet.place("a");
  const { flash, ledger } = place.node;
  clock.runUntil(2_500_000);
  const ticks = place.node.nextDueUs();
  fleet.program(place, nodePlan({ id: "a", ...MODULES, periodUs: 500_000 }));
  assert.deepEqual([place.node.flash, place.node.ledger], [flash, ledger]);
  assert.notEqual(place.node.nextDueUs(), ticks, "other modules, another period");
  clock.runUntil(5_000_000);
  assert.deepEqual(power("a"), ["on 0", "off 2", "on 2"]);
  assert.deepEqual(power("b"), ["on 0"], "only the one that changed");
});

test("a node without power is programmed all the same, and starts when the power is back", () => {
  const { clock, fleet, power } = createRig(["a"], []);
  clock.runUntil(1_500_000);
  const end = fleet.cutPower(fleet.place("a"));
  fleet.program(fleet.place("a"), nodePlan({ id: "a", ...MODULES }));
  clock.runUntil(3_500_000);
  assert.equal(fleet.place("a").node.powered(), false);
  end();
  assert.deepEqual(power("a"), ["on 0", "off 1", "on 3"]);
});

test("modules that break their table leave the old ones running", () => {
  const { clock, fleet, power } = createRig(["a"], []);
  clock.runUntil(1_500_000);
  const place = fleet.place("a");
  const before = place.node;
  const broken = nodePlan({ id: "a", ...MODULES, loopWasm: smallLink() });
  assert.throws(() => fleet.program(place, broken), /loop/);
  assert.equal(place.node, before);
  assert.deepEqual(power("a"), ["on 0"]);
});
