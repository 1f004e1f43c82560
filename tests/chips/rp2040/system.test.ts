// SPDX-License-Identifier: MIT
// Bus, resets, clocks, watchdog and timer against what the datasheet says of them.
//
// A test is the bus master: the steps of firmware as register accesses, with time passing between them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CLOCKS, CLR, createRig, RESETS, SET, startClocks, WATCHDOG } from "./rig.ts";

const TIMER = 0x40054000;
const TIMER_RESET = 1 << 21;

test("a block in reset, an unknown register and an empty address are failures by name", () => {
  const { read, write, release } = createRig();
  assert.throws(() => read(TIMER), /TIMER is held in reset: access at 0x40054000/);
  release(TIMER_RESET);
  read(TIMER + 0x28);
  assert.throws(() => read(TIMER + 0x44), /TIMER: register \+0x44 is not modelled/);
  assert.throws(() => read(0x40070000), /nobody answers at 0x40070000/);
  assert.throws(() => read(0x30000000), /nobody answers at 0x30000000/);
  assert.throws(() => read(0x20042000), /nobody answers at 0x20042000/);
  assert.throws(() => write(0x10000000, 0), /a store to flash at 0x10000000/);
  assert.throws(() => write(0x00000010, 0), /a store to ROM at 0x00000010/);
});

test("xor, set and clear aliases change bits of a register", () => {
  const { read, write } = createRig();
  const scratch = WATCHDOG + 0x0c;
  write(scratch, 0xff00ff00);
  write(scratch + 0x1000, 0x0ff00ff0);
  assert.equal(read(scratch), 0xf0f0f0f0);
  write(scratch + SET, 0x00f0000f); // some are set already
  assert.equal(read(scratch), 0xf0f0f0ff);
  write(scratch + CLR, 0xf0000000);
  assert.equal(read(scratch), 0x00f0f0ff);
});

test("a narrow write is replicated over the word, a narrow read takes its lane", () => {
  const { chip, read } = createRig();
  const scratch = WATCHDOG + 0x0c;
  chip.bus.write(scratch + 1, 1, 0xa5);
  assert.equal(read(scratch), 0xa5a5a5a5);
  chip.bus.write(scratch + 2, 2, 0x1234);
  assert.equal(read(scratch), 0x12341234);
  assert.equal(chip.bus.read(scratch + 1, 1) & 0xff, 0x12);
});

test("word w of an unstriped bank is word 4w + bank of the striped window", () => {
  const { read, write } = createRig();
  for (let word = 0; word < 8; word++) write(0x20000000 + 4 * word, word);
  assert.deepEqual(
    [0x21000000, 0x21010000, 0x21020000, 0x21030000, 0x21000004].map(read),
    [0, 1, 2, 3, 4],
  );
  write(0x21030004, 77);
  assert.equal(read(0x2000001c), 77);
});

test("an APB access waits two cycles, SIO is a port of one, others do not wait", () => {
  const { bus } = createRig().chip;
  assert.equal(bus.waits(TIMER), 2);
  assert.equal(bus.waits(0xd0000010), -1);
  assert.equal(bus.waits(0x20000000), 0);
  assert.equal(bus.waits(0x50000000), 0);
});

test("an APB store takes one cycle more than a load", () => {
  const { chip, write, read } = createRig();
  const before = chip.core.cycle;
  read(WATCHDOG + 0x0c);
  assert.equal(chip.core.cycle - before, 0);
  write(WATCHDOG + 0x0c, 1);
  assert.equal(chip.core.cycle - before, 1);
});

test("after reset clk_sys runs from the ring, later at 125 MHz from the PLL", () => {
  const rig = createRig();
  const { chip } = rig;
  assert.ok(chip.time.sysHz() > 1.8e6 && chip.time.sysHz() < 12e6, "datasheet 2.17.1");
  startClocks(rig);
  assert.equal(chip.time.sysHz(), 125e6);
});

test("the frequency counter measures clocks against the crystal", () => {
  const rig = createRig();
  startClocks(rig);
  rig.write(CLOCKS + 0x80, 12_000);
  const kHz = (source: number): number => {
    rig.write(CLOCKS + 0x94, source);
    rig.wait(CLOCKS + 0x98, 1 << 4);
    return rig.read(CLOCKS + 0x9c) / 32;
  };
  assert.equal(kHz(9), 125_000); // clk_sys
  assert.equal(kHz(8), 12_000); // clk_ref
  assert.equal(kHz(12), 0); // clk_adc is off
});

test("a clock from a source that does not run, or a moved AUXSRC, is a failure", () => {
  const rig = createRig();
  assert.throws(
    () => rig.write(CLOCKS + 0x30, 2),
    /clk_ref|clk_sys stops, its source does not run/,
  );
  const other = createRig();
  startClocks(other);
  assert.throws(() => other.write(CLOCKS + SET + 0x3c, 1 << 5), /AUXSRC of clk_sys changes/);
});

test("a VCO out of its range is a failure", () => {
  const rig = createRig();
  rig.write(0x40024000, 0xfabaa0);
  rig.wait(0x40024004, 0x80000000);
  rig.release(1 << 12);
  rig.write(0x40028008, 50); // 600 MHz
  assert.throws(() => rig.write(0x40028004 + CLR, 0x21), /VCO at 600 MHz/);
});

test("the crystal is stable after STARTUP x 256 periods", () => {
  const rig = createRig();
  rig.write(0x4002400c, 47);
  rig.write(0x40024000, 0xfabaa0);
  rig.passNs((47 * 256 * 1e9) / 12e6 - 1000);
  assert.equal(rig.read(0x40024004) >>> 31, 0);
  rig.passNs(2000);
  assert.equal(rig.read(0x40024004) >>> 31, 1);
});

test("the timer stands still without a tick and counts microseconds with one", () => {
  const rig = createRig();
  rig.release(TIMER_RESET);
  rig.passNs(50_000);
  assert.equal(rig.read(TIMER + 0x28), 0);
  startClocks(rig);
  const before = rig.read(TIMER + 0x28);
  rig.passNs(1_000_000);
  assert.equal(rig.read(TIMER + 0x28) - before, 1000);
});

test("reading TIMELR latches TIMEHR", () => {
  const rig = createRig();
  rig.release(TIMER_RESET);
  startClocks(rig);
  rig.write(TIMER + 0x04, 0xffffffff); // TIMELW, then TIMEHW takes both over
  rig.write(TIMER + 0x00, 5);
  assert.equal(rig.read(TIMER + 0x0c), 0xffffffff);
  rig.passNs(2000);
  assert.equal(rig.read(TIMER + 0x24), 6);
  assert.equal(rig.read(TIMER + 0x08), 5);
});

test("an alarm raises its line at equality, is disarmed by it, and INTR takes it back", () => {
  const rig = createRig();
  rig.release(TIMER_RESET);
  startClocks(rig);
  const target = rig.read(TIMER + 0x28) + 100;
  rig.write(TIMER + 0x38, 2);
  rig.write(TIMER + 0x14, target);
  assert.equal(rig.read(TIMER + 0x20), 2);
  rig.passNs(98_000);
  assert.equal(rig.lines[1], false);
  rig.passNs(3000);
  assert.equal(rig.lines[1], true);
  assert.equal(rig.read(TIMER + 0x20), 0);
  assert.equal(rig.read(TIMER + 0x40), 2);
  rig.write(TIMER + 0x34, 2);
  assert.equal(rig.lines[1], false);
});

test("an alarm in the past waits until the low word comes round", () => {
  const rig = createRig();
  rig.release(TIMER_RESET);
  startClocks(rig);
  rig.write(TIMER + 0x38, 1);
  rig.write(TIMER + 0x10, rig.read(TIMER + 0x28));
  rig.passNs(60e9 * 71);
  assert.equal(rig.lines[0], false);
  rig.passNs(60e9);
  assert.equal(rig.lines[0], true);
});

test("a timer that is held in reset forgets its alarm and its interrupt", () => {
  const rig = createRig();
  rig.release(TIMER_RESET);
  startClocks(rig);
  rig.write(TIMER + 0x38, 1);
  rig.write(TIMER + 0x10, rig.read(TIMER + 0x28) + 10);
  rig.passNs(20_000);
  assert.equal(rig.lines[0], true);
  rig.write(TIMER + 0x14, rig.read(TIMER + 0x28) + 10);
  rig.write(RESETS + SET, TIMER_RESET);
  assert.equal(rig.lines[0], false);
  rig.release(TIMER_RESET);
  rig.write(TIMER + 0x38, 15);
  rig.passNs(50_000);
  assert.equal(rig.lines[1], false);
});

test("the watchdog counts two a tick (E1), its bite spares SRAM and scratch", () => {
  const rig = createRig();
  startClocks(rig);
  rig.write(0x40010008, 0x1fffc); // PSM.WDSEL
  rig.write(WATCHDOG + 0x0c, 4711);
  rig.write(0x20000100, 0x12345678);
  rig.write(WATCHDOG + 0x04, 2000); // 1,000 us
  rig.write(WATCHDOG + SET, 1 << 30);
  rig.passNs(600_000);
  assert.ok(Math.abs((rig.read(WATCHDOG) & 0xffffff) - 800) <= 4);
  rig.write(WATCHDOG + 0x04, 2000); // fed
  rig.passNs(900_000);
  assert.equal(rig.chip.counts.bites, 0);
  rig.passNs(10_000_000);
  assert.deepEqual(rig.chip.counts, { resets: 2, bites: 1 });
  assert.equal(rig.read(WATCHDOG + 0x08), 1); // the timer did it
  assert.equal(rig.read(WATCHDOG + 0x0c), 4711);
  assert.equal(rig.read(0x20000100), 0x12345678);
  assert.ok(rig.chip.time.sysHz() < 12e6, "on the ring oscillator again");
  assert.throws(() => rig.read(TIMER), /held in reset/);
});

test("a forced bite says so, and one that would spare half the chip is a failure", () => {
  const rig = createRig();
  rig.write(0x40010008, 0x1fffc);
  rig.write(WATCHDOG, 1 << 31);
  rig.passNs(10_000_000);
  assert.equal(rig.read(WATCHDOG + 0x08), 2);
  const other = createRig();
  other.write(WATCHDOG, 1 << 31);
  assert.throws(() => other.passNs(1000), /PSM\.WDSEL 0x00000000/);
});

test("random bits are 0 and 1, repeat with the seed, and can stand still", () => {
  const bits = (seed: number): number[] => {
    const rig = createRig(undefined, seed);
    return Array.from({ length: 200 }, () => {
      rig.passNs(2000);
      return rig.read(0x4006001c);
    });
  };
  const first = bits(5);
  const ones = first.filter((bit) => bit === 1).length;
  assert.ok(ones > 60 && ones < 140, `${ones} of 200`);
  assert.deepEqual(bits(5), first);
  assert.notDeepEqual(bits(6), first);
  const dead = createRig();
  dead.chip.setRoscDead(true);
  const seen = new Set(Array.from({ length: 100 }, () => dead.read(0x4006001c)));
  assert.equal(seen.size, 1);
});
