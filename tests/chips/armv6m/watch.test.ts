// SPDX-License-Identifier: MIT
// What a measurement is told by the core, and when.
//
// Goal: pending, entry, return, sleep and masks, each at its cycle. Method: small programs whose cycles are worked out by hand: an entry 15, a return 12, BX 2, WFI 2, CPS 1.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CoreWatch } from "../../../host-sim/chips/armv6m/core.ts";
import { makeRig, type Program, type Rig } from "./rig.ts";

const ISER = 0xe000_e100;
const IPR0 = 0xe000_e400;
const NOP = 0xbf00;
const BX_LR = 0x4770;
const WFI = 0xbf30;
const WFE = 0xbf20;
const CPSID = 0xb672;
const CPSIE = 0xb662;
const SETUP = [
  [ISER, 0xffff_ffff],
  [IPR0, 0x8080_4000],
] as const;

/** What the core told, each with its cycle since the program began. */
function watched(program: Program): { rig: Rig; told: string[]; startCycle: number } {
  const told: string[] = [];
  const made: { rig?: Rig; startCycle: number } = { startCycle: 0 };
  const say = (what: string): void => {
    if (made.rig !== undefined) told.push(`${made.rig.core.cycle - made.startCycle} ${what}`);
  };
  const watch: CoreWatch = {
    pended: (lines) => say(`pended ${lines}`),
    entered: (exception, startCycle) => say(`entered ${exception} ${startCycle - made.startCycle}`),
    left: (exception, to, startCycle) =>
      say(`left ${exception} to ${to} ${startCycle - made.startCycle}`),
    slept: () => say("slept"),
    woke: () => say("woke"),
    masked: (masked) => say(masked ? "masked" : "unmasked"),
  };
  const rig = makeRig({ setup: SETUP, ...program, options: { watch } });
  rig.step(0);
  made.rig = rig;
  made.startCycle = rig.core.cycle;
  return { rig, told, startCycle: made.startCycle };
}

test("an entry is told with its start and its first instruction, a return with its own", () => {
  const { rig, told } = watched({
    ...{ code: [NOP, NOP, NOP], handlers: { 18: [NOP, BX_LR], 16: [BX_LR] } },
  });
  rig.step(); // NOP
  rig.core.setInterrupt(2, true);
  rig.core.setInterrupt(2, false);
  rig.step(); // the entry
  rig.core.setInterrupt(0, true);
  rig.core.setInterrupt(0, false);
  rig.step(4);
  assert.deepEqual(told, [
    "1 pended 4",
    "16 entered 18 1",
    "16 pended 1",
    "31 entered 16 16", // before the first instruction of the handler
    "45 left 16 to 18 33",
    "60 left 18 to 0 48",
  ]);
});

test("sleep is told at its start, waking where the interrupt came", () => {
  const { rig, told, startCycle } = watched({ code: [WFI, NOP], handlers: { 16: [BX_LR] } });
  rig.core.run(startCycle + 100);
  rig.core.setInterrupt(0, true);
  rig.core.setInterrupt(0, false);
  rig.step(2);
  assert.deepEqual(told, [
    "2 slept",
    "100 pended 1",
    "100 woke",
    "115 entered 16 100",
    "129 left 16 to 0 117",
  ]);
});

test("WFE that finds its event does not sleep", () => {
  const { rig, told } = watched({ code: [WFE, WFE], handlers: {} });
  rig.core.sendEvent();
  rig.step();
  assert.deepEqual(told, []);
  rig.step();
  assert.deepEqual(told, ["4 slept"]);
});

test("masks are told, and a line that is pending already is not told again", () => {
  const { rig, told } = watched({ code: [CPSID, NOP, CPSIE, NOP], handlers: { 16: [BX_LR] } });
  rig.step(); // CPSID
  rig.core.setInterrupt(0, true);
  rig.core.setInterrupt(0, false);
  rig.core.setInterrupt(0, true);
  rig.core.setInterrupt(0, false);
  rig.step(3);
  assert.deepEqual(told, ["1 masked", "1 pended 1", "3 unmasked", "18 entered 16 3"]);
});
