// SPDX-License-Identifier: MIT
// Faults of the host on the emulated RP2040: HardFaults, code without end.
//
// Goal: whatever the host does wrong, outputs are safe in a stated time, the chip starts anew, the node comes back and
// says why. Method: instructions planted into the running image, as a wild write would leave them; the start-up loads the
// image again from flash. Times are counted in cycles of 8 ns.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createCborCheck } from "../../hub/cbor.ts";
import { createCborReader } from "../../hub/cbor-reader.ts";
import { decodeStatus } from "../../hub/decode-birth.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { emptyFlash, type Running, start } from "./rp2040-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico faults "));
const SECOND = 1e9;
const SRAM = 0x20000000;
const HEATER = 16; // GPIO
const CPUID = 0xd0000000; // what nobody else reads marks an instant
const PAINT = 0x57ac57ac; // of start.S
const WATCHDOG_CTRL = 0x40058000;
const MARK = [0x200d, 0x0700, 0x6800]; // movs r0, #13; lsls r0, #28; ldr r0, [r0]
const PERIOD = 1_250_000; // cycles: the oven's 10 ms
const CLOCK_HZ = 125e6;
const STEP = 10_000; // cycles: how exactly a bite is timed
const RESTART = CLOCK_HZ; // 1 s
const ABANDON = 1_000; // from the tick that takes loop away to the level at the pin
const BITE = 8 * PERIOD + PERIOD; // from the latest feeding, which may be a period ago
const CRASH = 4_000; // cycles from a fault to the reset: measured 1,900
const [FAULT, LINK, WATCHDOG] = [1, 2, 3]; // causes: SPEC.md section 1.5
let image: Rp2040Image;

before(async () => {
  if (tools.skip !== false) return;
  image = buildRp2040("pico", await buildNode(join(PROJECT, "firmware/nodes/oven")), folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function plant(
  { chip, symbol }: Pick<Running, "chip" | "symbol">,
  name: string,
  halves: readonly number[],
): number {
  const address = symbol(name) & ~1;
  const view = new DataView(chip.sram.buffer, chip.sram.byteOffset);
  halves.forEach((half, i) => view.setUint16(address - SRAM + 2 * i, half, true));
  chip.core.invalidate(address, 2 * halves.length);
  return address;
}

interface Ending {
  off: number; // cycles from the mark to when the heater was off: a pin after a reset is an input
  reset: number; // from the mark to the reset
}

/** Runs until the chip was reset. */
function runToReset({ chip, symbol }: Running, cyclesMax: number): Ending {
  const [begin, { resets }, { read, write }] = [chip.core.cycle, { ...chip.counts }, chip.bus];
  let [mark, off, reset] = [begin, Infinity, Infinity];
  chip.bus.read = (address, size) => {
    if (address === CPUID) mark = chip.core.cycle;
    return read(address, size);
  };
  chip.bus.write = (address, size, value) => {
    if (address === WATCHDOG_CTRL && value >>> 31 === 1) reset = chip.core.cycle;
    write(address, size, value);
  };
  const end = chip.blocks.onPwm((output) => {
    if (output === 0 && chip.blocks.pwm[0]!.duty === 0) off = Math.min(off, chip.core.cycle);
  });
  while (chip.counts.resets === resets && chip.core.cycle < begin + cyclesMax) chip.runCycles(STEP);
  end();
  Object.assign(chip.bus, { read, write });
  assert.equal(chip.counts.resets, resets + 1, "the chip was not reset");
  assert.equal(chip.pins.driven(HEATER), false);
  plant({ chip, symbol }, "rhythm", [0, 0]); // SRAM lives through a reset: ticks are counted anew
  reset = Math.min(reset, chip.core.cycle);
  return { off: Math.min(off, reset) - mark, reset: reset - mark };
}

/** Runs until the node ticks and heats again; why it was restarted. */
function comesBack({ chip, words }: Running): number[] {
  const end = chip.core.cycle + RESTART;
  while (words("rhythm", 1)[0]! < 5 || chip.blocks.pwm[0]!.duty === 0) {
    assert.ok(chip.core.cycle < end, "the node did not come back");
    chip.runCycles(PERIOD);
  }
  return words("restart", 4);
}

const [check, reader] = [createCborCheck(), createCborReader()];

/** What the latest status on the line says of the host. */
function hostState({ messages }: Running): number[] {
  const publishes = messages.filter((message) => message[1] === 0x0c).map((m) => m.subarray(7));
  const statuses = publishes
    .map((payload) => decodeStatus(check, reader, payload))
    .filter((status) => typeof status !== "string");
  return statuses.at(-1)?.host ?? [];
}

const [TAKE, ADC, PULSES] = ["receive_datagram", "host_adc_read", "count_pulses"];
const NULL_READ = [0x2000, 0x6800]; // movs r0, #0; ldr r0, [r0]
const MISALIGNED = [0x4668, 0x3001, 0x6800]; // mov r0, sp; adds r0, #1; ldr r0, [r0]
const FLASH_READ = [0x2001, 0x0700, 0x6800]; // movs r0, #1; lsls r0, #28; ldr r0, [r0]
const CODE_STORE = [0x4678, 0x6000]; // mov r0, pc; str r0, [r0]
const INTO_DATA = [0x4668, 0x3001, 0x4700]; // mov r0, sp; adds r0, #1; bx r0
const PUSHES = [0xb4ff, 0xe7fd]; // push {r0-r7}; and again
const SPIN = [0xe7fe];
const MASKED_SPIN = [0xb672, 0xe7fe]; // cpsid i

test(
  "a fault of the host makes the outputs safe, is recorded, and restarts the chip",
  tools,
  () => {
    const node = start(image, emptyFlash(), true, undefined, true);
    comesBack(node);
    const faults: [what: string, name: string, halves: number[], pcAfterMark: number][] = [
      ["NULL in link", TAKE, NULL_READ, 2],
      ["NULL in loop's interrupt", ADC, NULL_READ, 2],
      ["misaligned in loop's interrupt", ADC, MISALIGNED, 4],
      ["undefined in the tick", "take_tick", [0xde00], 0],
      ["flash window", ADC, FLASH_READ, 4],
      ["store to code", ADC, CODE_STORE, 2],
      ["data executed", ADC, INTO_DATA, NaN],
    ];
    for (const [i, [what, name, halves, pcAfterMark]] of faults.entries()) {
      const address = plant(node, name, [...MARK, ...halves]);
      const { off, reset } = runToReset(node, CLOCK_HZ);
      assert.ok(off <= reset && reset <= CRASH, `${what}: ${off}, ${reset}`);
      const [count, cause, pc] = comesBack(node);
      assert.deepEqual([count, cause], [i + 1, FAULT], what);
      if (Number.isNaN(pcAfterMark)) assert.ok(pc! >= node.symbol("handler_stack"));
      else assert.equal(pc, address + 2 * MARK.length + pcAfterMark, what);
    }
    node.chip.runToNs(node.chip.time.nowNs() + 2 * SECOND);
    assert.deepEqual(hostState(node), [...node.words("restart", 4), 0]);
  },
);

// The frame of a fault does not fit a stack that is full: the processor locks up, and the watchdog is what is left.
test("the watchdog bites when the host is stuck or its processor locks up", tools, () => {
  const node = start(image, emptyFlash(), true, undefined, true);
  comesBack(node);
  const stuck: [what: string, name: string, halves: number[]][] = [
    ["link's stack overflows", TAKE, PUSHES],
    ["the stack of handlers overflows", PULSES, PUSHES],
    ["loop's interrupt", PULSES, SPIN],
    ["the tick", "take_tick", SPIN],
    ["interrupts are masked", TAKE, MASKED_SPIN],
  ];
  for (const [i, [what, name, halves]] of stuck.entries()) {
    plant(node, name, [...MARK, ...halves]);
    const { off, reset } = runToReset(node, CLOCK_HZ);
    assert.ok(off <= reset && reset <= BITE, `${what}: ${off}, ${reset}`);
    assert.deepEqual(comesBack(node), [i + 1, WATCHDOG, 0, 0], what);
  }
  assert.equal(node.chip.counts.bites, stuck.length);
});

test(
  "link stuck in a host function: loop goes on for 5 s, then the chip starts anew",
  tools,
  () => {
    const node = start(image, emptyFlash(), true, undefined, true);
    comesBack(node);
    const address = plant(node, TAKE, [...MARK, 0xbf30, 0xe7fd]); // wfi; and again
    const { off, reset } = runToReset(node, 7 * CLOCK_HZ);
    assert.ok(off <= reset && reset > 4.9 * CLOCK_HZ && reset < 5.1 * CLOCK_HZ, `${reset}`);
    const ticks = node.matches.filter((cycle) => cycle > node.chip.core.cycle - reset);
    assert.ok(ticks.length > 488, String(ticks.length));
    for (let i = 1; i < ticks.length; i++) assert.equal(ticks[i]! - ticks[i - 1]!, PERIOD);
    const [count, cause, pc] = comesBack(node);
    assert.deepEqual([count, cause], [1, LINK]);
    assert.ok(pc! >= address + 6 && pc! <= address + 10);
  },
);

test("loop taken away in the middle of a tick leaves no output on for a period", tools, () => {
  const node = start(image);
  comesBack(node);
  const { chip, words } = node;
  const [, , before] = words("host_counters", 3);
  plant(node, "loop_tick", SPIN);
  const at = node.matches.length;
  let off = Infinity;
  chip.blocks.onPwm((output) => {
    if (output === 0 && chip.blocks.pwm[0]!.duty === 0) off = Math.min(off, chip.core.cycle);
  });
  chip.runCycles(3 * PERIOD);
  const [hung, missed] = [node.matches[at]!, node.matches[at + 1]!]; // the tick, the end of its period
  assert.equal(missed - hung, PERIOD);
  assert.ok(off - missed <= ABANDON, String(off - missed));
  assert.ok(words("host_counters", 3)[2]! > before!);
  assert.equal(chip.counts.resets, 1);
});

test("a dead ring oscillator fails its tests: no entropy is given, the node goes on", tools, () => {
  const node = start(image, emptyFlash(), true, undefined, false);
  node.chip.setRoscDead(true);
  comesBack(node);
  node.chip.runToNs(node.chip.time.nowNs() + 2 * SECOND);
  assert.deepEqual(hostState(node), [0, 0, 0, 0, 1]); // it publishes, and says so
  assert.equal(node.chip.counts.resets, 1);
});

// Reset at many instants around the store of a counter that has just risen.
test("counters live through a reset that comes while they are kept", tools, () => {
  const node = start(image, emptyFlash(), true, undefined, true);
  const { chip, words, symbol } = node;
  const overruns = (): number => words("host_counters", 3)[2]!;
  for (const wait of [0, 90, 180, 270, 360, 450, 900]) {
    comesBack(node);
    const before = overruns();
    plant(node, "loop_tick", SPIN);
    for (let at = 0; overruns() === before && at < 1e5; at++) chip.runCycles(100);
    assert.equal(overruns(), before + 1);
    chip.runCycles(wait);
    chip.bus.write(WATCHDOG_CTRL, 4, 0x8000_0000);
    chip.runCycles(1);
    plant(node, "rhythm", [0, 0]);
    plant({ chip, symbol }, "host_counters", [0, 0, 0, 0, 0, 0]);
    comesBack(node);
    assert.ok(overruns() === before || overruns() === before + 1, `${wait}: ${overruns()}`);
  }
  assert.ok(overruns() > 0);
});

test("stacks are painted, and stay far from their guards", tools, () => {
  const node = start(image);
  const { chip, symbol } = node;
  chip.runToNs(3 * SECOND);
  const sram = new DataView(chip.sram.buffer, chip.sram.byteOffset);
  const peak = (name: string): number => {
    const end = symbol(`${name}_end`);
    let at = symbol(name);
    while (at < end && sram.getUint32(at - SRAM, true) === PAINT) at += 4;
    return end - at;
  };
  const [link, handlers] = [peak("link_stack"), peak("handler_stack")];
  assert.ok(link > 300 && link <= 1024, String(link)); // measured 616
  assert.ok(handlers > 200 && handlers <= 1024, String(handlers)); // measured 344
});
