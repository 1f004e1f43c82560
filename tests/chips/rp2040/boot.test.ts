// SPDX-License-Identifier: MIT
// A C program on the chip: boot, clocks, alarm ticks, UART, named failures.
//
// gcc builds it with a second stage of its own; the test looks at pins and lines only.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCore } from "../../../host-sim/chips/armv6m/core.ts";
import { createRp2040, FLASH_BYTES, type Rp2040 } from "../../../host-sim/chips/rp2040/index.ts";
import { crc32Mpeg2 } from "../../../host-sim/chips/rp2040/rom.ts";
import { formatOf } from "../../../host-sim/chips/rp2040/serial.ts";
import * as need from "../../support/need.ts";

const HERE = join(import.meta.dirname, "boot");
const FLAGS = ["-mcpu=cortex-m0plus", "-mthumb", "-O2", "-ffreestanding", "-nostdlib", "-Wall"];
const MORE = ["-Werror", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"];
const TOOLS = need.program("arm-none-eabi-gcc", "arm-none-eabi-objcopy");
const MISALIGNED = `__asm__("str r0, [%0]" :: "r"(0x20000001))`; // gcc would split it
const MS = 1e6; // in nanoseconds

/** The program in flash, its second stage with the CRC that the build has to add. */
function build(fault?: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-boot-"));
  try {
    const [elf, bin] = [join(folder, "a.elf"), join(folder, "a.bin")];
    const sources = ["boot.S", "program.c"].map((name) => join(HERE, name));
    const define = fault === undefined ? [] : [`-DFAULT=${fault}`];
    const script = ["-T", join(HERE, "program.ld"), "-o", elf];
    execFileSync("arm-none-eabi-gcc", [...FLAGS, ...MORE, ...define, ...sources, ...script]);
    execFileSync("arm-none-eabi-objcopy", ["-O", "binary", elf, bin]);
    const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
    flash.set(readFileSync(bin));
    new DataView(flash.buffer).setUint32(252, crc32Mpeg2(flash.subarray(0, 252)), true);
    return flash;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Watched {
  readonly chip: Rp2040;
  readonly toggles: number[]; // cycles at which pin 15 changed
  readonly matches: number[]; // cycles at which alarm 0 matched
  said(): string;
}

function start(flash: Uint8Array): Watched {
  const [toggles, matches, octets]: [number[], number[], number[]] = [[], [], []];
  const alarmFired = (_alarm: number, cycle: number): void => void matches.push(cycle);
  const chip = createRp2040({ flash, seed: 3, makeCore: createCore, alarmFired });
  let level = false;
  chip.pins.onChange(15, (next) => {
    if (next !== level) toggles.push(chip.clock.now());
    level = next;
  });
  chip.serial.onSay(0, ({ octet }) => octets.push(octet));
  return { chip, toggles, matches, said: () => String.fromCharCode(...octets) };
}

test("boots, sets clocks, ticks each millisecond and talks", TOOLS, () => {
  const { chip, toggles, matches, said } = start(build());
  chip.runToNs(30 * MS);
  assert.equal(chip.time.sysHz(), 125e6);
  assert.equal(said(), "up\nten\n");
  assert.ok(matches.length > 10);
  for (let i = 1; i < matches.length; i++) assert.equal(matches[i]! - matches[i - 1]!, 125_000);
  // From the match to the store: entry and the ten instructions before it.
  const late = toggles.map((cycle, i) => cycle - matches[i]!);
  assert.ok(Math.min(...late) >= 15 && Math.max(...late) <= 60, late.join(" "));
  for (const octet of "HAL")
    assert.ok(
      chip.serial.hear(1, {
        octet: octet.charCodeAt(0),
        errors: 0,
        format: formatOf(115_200, "8N1"),
      }),
    );
  chip.runToNs(32 * MS);
  assert.equal(said(), "up\nten\nIBM");
});

test("the same flash and seed give the same run, cycle for cycle", TOOLS, () => {
  const flash = build();
  const run = (): readonly number[] => {
    const watched = start(flash);
    watched.chip.runToNs(20 * MS);
    return [...watched.toggles, ...watched.matches, watched.chip.core.cycle];
  };
  assert.deepEqual(run(), run());
});

test("running in pieces is running at once", TOOLS, () => {
  const flash = build();
  const whole = start(flash);
  whole.chip.runToNs(15 * MS);
  const pieces = start(flash);
  for (let ns = 0; ns <= 15 * MS; ns += 37_123) pieces.chip.runToNs(ns);
  pieces.chip.runToNs(15 * MS);
  assert.deepEqual(pieces.toggles, whole.toggles);
  assert.equal(pieces.said(), whole.said());
});

test("what firmware may not do ends the run with access and PC", TOOLS, () => {
  const refused: readonly [string, RegExp][] = [
    ["REG(0x40058030)=1", /WATCHDOG: register \+0x30 is not modelled \(PC 0x2000/],
    ["REG(0x40050000)=1", /(nobody answers at|held in reset: access at) 0x40050000 \(PC 0x2000/],
    [
      "REG(0x18000008)=0; REG(0x10000100)",
      /flash window read at offset 0x100 while the SSI is off/,
    ],
    ["REG(0x10000000)=1", /a store to flash at 0x10000000 \(PC 0x2000/],
    [MISALIGNED, /misaligned store of 4 at 0x20000001.*PC 0x2000/],
  ];
  for (const [fault, message] of refused) {
    const { chip } = start(build(fault));
    assert.throws(() => chip.runToNs(30 * MS), message, fault);
  }
});

test("SYSRESETREQ starts the program again and leaves SRAM", TOOLS, () => {
  const reset = "REG(0x20008000)=42; REG(0xe000ed0c)=0x05fa0004";
  const { chip, said } = start(build(`while (REG(0x40034018) & 8) {} ${reset}`));
  chip.runToNs(30 * MS);
  assert.equal(said(), "up\nten\n".repeat(9).slice(0, said().length));
  assert.ok(chip.counts.resets >= 2);
  assert.equal(chip.bus.read(0x20008000, 4), 42);
});
