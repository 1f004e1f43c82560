// SPDX-License-Identifier: MIT
// An RP2040 with its flash: one core, bus, system blocks, pins and lines.
//
// Spec: RP2040 datasheet; what each part leaves out stands in its head. Time is cycles of clk_sys, and
// nanoseconds since power-on beside them. Same flash, seed and inputs: same run, cycle for cycle.
// (R1) what is due is called before the next instruction.
// (R2) a reset of the chip keeps SRAM, flash, scratch registers and what devices drive; nothing else.
// (R3) what firmware may not do ends the run as ChipFailure that names the access and the PC.

import { createPrng, type Prng } from "../../prng.ts";
import { hex32 } from "../failure.ts";
import type { Bus, Core, CoreOptions, Region } from "../armv6m/core.ts";
import { createBlocks } from "./blocks.ts";
import { createBus, DPRAM_BASE, DPRAM_BYTES, SRAM_BASE, SRAM_BYTES, XIP_BASE } from "./bus.ts";
import { createClockTree } from "./clock-tree.ts";
import { createCycleClock, createScope, type ClockScope, type CycleClock } from "./clock.ts";
import type { Context } from "./context.ts";
import type { DmaBus } from "./dma.ts";
import { createNor, type Nor } from "./nor.ts";
import { roscHz } from "./oscillators.ts";
import { ChipFailure, type ChipClock, type Peripheral } from "./peripheral.ts";
import type { Converter } from "./adc.ts";
import { createOutside, type OuterBlocks, type Outside } from "./outside.ts";
import { createPinBank, type PinBank } from "./pin-bank.ts";
import type { OuterPins } from "./pins.ts";
import * as rom from "./rom.ts";
import { createSerial, type SerialPins, type UartLines } from "./serial.ts";
import { createSio } from "./sio.ts";
import { createSlot, setHeld, type Slot } from "./slots.ts";
import { createFlashPath, type FlashPath } from "./ssi.ts";
import { createTicker } from "./ticker.ts";
import { createChipTime, type ChipTime } from "./time.ts";
import { createWatchdogMemory, type WatchdogMemory } from "./watchdog.ts";

export { loadUf2 } from "./uf2.ts";

export const FLASH_BYTES = 2 << 20; // of a Pico
const BITE_SELECT = 0x1fffc; // PSM.WDSEL: all but the oscillators
const DMA_APB_CYCLES = 4; // of one transfer; memory and fast peripherals take one
const RESETS_IN_ROW_MAX = 64; // without an instruction between: the run would never end

/** Makes the processor. */
export type MakeCore = (regions: readonly Region[], bus: Bus, options: CoreOptions) => Core;

export interface Rp2040Setup {
  /** The whole flash; it is written to. Give the same array for the next power-on. */
  flash: Uint8Array;
  seed: number;
  makeCore: MakeCore;
  /** Volts to codes of the ADC; not given: ideal. */
  convert?: Converter;
  /** How many times its typical time a write of the flash takes; not given: 1. */
  flashPace?: number;
  /** An alarm of TIMER matched at this cycle. */
  alarmFired?: (alarm: number, cycle: number) => void;
}

export interface Rp2040 {
  readonly core: Core;
  readonly bus: Bus;
  readonly pins: OuterPins;
  readonly serial: SerialPins;
  readonly blocks: OuterBlocks;
  readonly nor: Nor;
  readonly sram: Uint8Array;
  readonly time: ChipTime;
  /** Alarms of devices: they outlive resets of the chip. */
  readonly clock: ChipClock;
  readonly counts: { resets: number; bites: number };
  /** The ring oscillator's random bit stands still from now on, or no longer. */
  setRoscDead(dead: boolean): void;
  runCycles(count: number): void;
  /** Runs to this time since power-on. */
  runToNs(ns: number): void;
  /** The power goes: an operation of the flash stays torn, and nothing runs any more. */
  cutPower(): void;
}

interface Chip {
  readonly setup: Rp2040Setup;
  readonly parts: Parts;
  readonly bus: Bus;
  readonly core: Core;
  readonly slots: Slot[];
  readonly counts: { resets: number; bites: number };
  scope: ClockScope; // of flash path and SIO
  flashPath: FlashPath;
  sio: Peripheral;
  bootCycle: number; // the ROM works until then; Infinity: it is done
  bootTries: number;
  resetWanted: boolean;
  roscDead: boolean;
  off: boolean;
  dmaGoes: boolean; // a transfer of DMA costs the core nothing
}

interface Parts {
  readonly prng: Prng;
  readonly clock: CycleClock;
  readonly shared: Context;
  readonly bank: PinBank;
  readonly serial: UartLines & SerialPins;
  readonly outside: Outside;
  readonly nor: Nor;
  readonly sram: Uint8Array;
  readonly rom: Uint8Array;
  readonly dpram: Uint8Array;
  readonly watchdog: WatchdogMemory;
}

/** A chip with power on since now: nothing has run. */
export function createRp2040(setup: Rp2040Setup): Rp2040 {
  const chip = createChip(setup);
  const { core, bus, parts, counts } = chip;
  const { time } = parts.shared;
  restart(chip);
  return {
    ...{ core, bus, counts, time },
    pins: parts.bank.outer,
    serial: parts.serial,
    blocks: parts.outside.outer,
    nor: parts.nor,
    sram: parts.sram,
    clock: parts.clock,
    setRoscDead: (dead) => void (chip.roscDead = dead),
    runCycles(count) {
      const end = core.cycle + count;
      run(chip, () => end);
    },
    runToNs: (ns) => run(chip, () => time.cycleAt(ns)),
    cutPower() {
      chip.off = true;
      parts.nor.cutPower();
    },
  };
}

// What is there before the processor is.
function createParts(setup: Rp2040Setup, core: () => Core | undefined): Parts {
  const prng = createPrng(setup.seed);
  const ring = roscHz(prng.fork("rosc frequency"));
  const clock = createCycleClock(
    () => core()?.cycle ?? 0,
    (cycle) => lowerLimit(core(), cycle),
  );
  const time = createChipTime(clock, ring);
  const tree = createClockTree(ring);
  tree.onChange(() => {
    time.setSysHz(tree.hz.sys);
    lowerLimit(core(), clock.now()); // targets in nanoseconds are other cycles now
  });
  const bank = createPinBank();
  const outside = createOutside(bank.outer, setup.convert);
  const sram = new Uint8Array(SRAM_BYTES);
  prng.fork("sram").fill(sram); // silicon wakes up with anything in it
  return {
    ...{ prng, clock, bank, outside, sram },
    shared: {
      ...{ clock, time, tree },
      pins: bank.inner,
      interrupt: (line, level) => core()!.setInterrupt(line, level),
      request: outside.inner.requests.set,
    },
    serial: createSerial(bank.inner),
    nor: createNor(setup.flash, time, prng.fork("flash"), setup.flashPace),
    rom: rom.createRom(),
    dpram: new Uint8Array(DPRAM_BYTES),
    watchdog: createWatchdogMemory(),
  };
}

function createChip(setup: Rp2040Setup): Chip {
  const made: { chip?: Chip } = {}; // bus and blocks ask for it once it is there
  const chip = (): Chip => made.chip!;
  const parts = createParts(setup, () => made.chip?.core);
  const { shared, sram, dpram, nor } = parts;
  const slots = createSlots(parts, setup, chip);
  const bus = createBus({
    ...{ slots, sram, dpram },
    rom: parts.rom,
    flashPath: () => chip().flashPath,
    sio: () => chip().sio,
    stall: () => void (chip().dmaGoes || chip().core.cycle++),
  });
  const regions: Region[] = [
    { base: SRAM_BASE, bytes: sram, writable: true },
    { base: XIP_BASE, bytes: setup.flash, writable: false },
    { base: 0, bytes: parts.rom, writable: false },
    { base: DPRAM_BASE, bytes: dpram, writable: true },
  ];
  const options = { onReset: () => wantReset(chip()), failOnFault: true };
  made.chip = {
    ...{ setup, parts, bus, slots },
    core: setup.makeCore(regions, bus, options),
    counts: { resets: 0, bites: 0 },
    scope: createScope(parts.clock),
    flashPath: createFlashPath(shared, nor, () => undefined),
    sio: createSio(shared, () => 0),
    ...{ bootCycle: 0, bootTries: 0, resetWanted: false, roscDead: false },
    ...{ off: false, dmaGoes: false },
  };
  return made.chip;
}

function createSlots(parts: Parts, setup: Rp2040Setup, chip: () => Chip): Slot[] {
  const { shared, prng } = parts;
  return createBlocks({
    prng: prng.fork("rosc"),
    roscHz: shared.tree.hz.ref,
    roscDead: () => chip().roscDead,
    ticker: createTicker(shared.time, shared.tree),
    bank: parts.bank,
    lines: parts.serial,
    outside: parts.outside.inner,
    dmaBus: createDmaBus(chip),
    watchdog: parts.watchdog,
    flashPath: () => chip().flashPath,
    fired: setup.alarmFired ?? (() => undefined),
    bite: (select) => bite(chip(), select),
    held: (mask) => hold(chip(), mask),
  }).map(createSlot);
}

// The same bus for DMA. The core may have decoded what is written.
function createDmaBus(chip: () => Chip): DmaBus {
  return {
    read: (address, size) => chip().bus.read(address, size),
    write(address, size, value) {
      chip().dmaGoes = true;
      chip().bus.write(address, size, value);
      chip().dmaGoes = false;
      chip().core.invalidate(address, size);
    },
    cycles: (address) => (address >>> 28 === 4 ? DMA_APB_CYCLES : 1),
  };
}

function lowerLimit(core: Core | undefined, cycle: number): void {
  if (core !== undefined && cycle < core.limit) core.limit = cycle;
}

function wantReset(chip: Chip): void {
  chip.resetWanted = true;
  lowerLimit(chip.core, chip.core.cycle);
}

function bite(chip: Chip, select: number): void {
  if (select !== BITE_SELECT)
    throw new ChipFailure(
      `WATCHDOG: bites with PSM.WDSEL ${hex32(select)}, only 0x1fffc is modelled`,
    );
  chip.counts.bites++;
  wantReset(chip);
}

function hold(chip: Chip, mask: number): void {
  for (const slot of chip.slots)
    if (slot.block.resetBit >= 0)
      setHeld(slot, ((mask >>> slot.block.resetBit) & 1) === 1, chip.parts.shared);
}

// ---- run

function run(chip: Chip, target: () => number): void {
  const { core } = chip;
  const { clock } = chip.parts;
  if (chip.off) throw new ChipFailure("the chip has no power");
  try {
    let resets = 0;
    for (;;) {
      clock.runDue(core.cycle); // (R1)
      if (chip.resetWanted) {
        if (++resets > RESETS_IN_ROW_MAX) throw new ChipFailure("reset follows reset without end");
        restart(chip);
        continue;
      }
      const until = Math.min(target(), clock.nextDue());
      if (core.cycle >= target()) return;
      if (chip.bootCycle < Infinity) boot(chip, until);
      else {
        resets = 0;
        core.run(until);
      }
    }
  } catch (error) {
    throw named(chip, error);
  }
}

// What changed while the window was closed is decoded anew.
function openFlash({ core, setup }: Chip, open: boolean): void {
  core.setRegion(XIP_BASE, open);
  if (open) core.invalidate(XIP_BASE, setup.flash.length);
}

// (R3)
function named(chip: Chip, error: unknown): unknown {
  if (!(error instanceof ChipFailure) || error.message.includes("(PC ")) return error;
  const pc = hex32(chip.core.registers[15]!);
  return new ChipFailure(`${error.message} (PC ${pc}, cycle ${chip.core.cycle})`);
}

// ---- reset and boot

// (R2)
function restart(chip: Chip): void {
  const { shared, nor, bank, clock } = chip.parts;
  chip.resetWanted = false;
  chip.counts.resets++;
  chip.scope.close();
  chip.scope = createScope(clock);
  const context = { ...shared, clock: chip.scope };
  nor.abandon();
  chip.flashPath = createFlashPath(context, nor, (open) => openFlash(chip, open));
  chip.sio = createSio(context, () => 0);
  for (const slot of chip.slots) setHeld(slot, true, shared);
  bank.resetCtrl();
  bank.resetPads();
  bank.resetOutputs();
  for (const slot of chip.slots) setHeld(slot, slot.block.resetBit >= 0, shared);
  chip.bootTries = 0;
  chip.bootCycle = chip.core.cycle + rom.BOOT_CYCLES;
}

// The ROM's time passes; at its end it starts the second stage, or tries again while the flash is busy.
function boot(chip: Chip, until: number): void {
  const { core, parts } = chip;
  const { sram, nor, watchdog } = parts;
  core.cycle = Math.max(core.cycle, Math.min(until, chip.bootCycle));
  if (core.cycle < chip.bootCycle) return;
  const vector = rom.scratchVector(watchdog.scratch);
  if (vector === undefined && nor.busy()) {
    if (++chip.bootTries >= rom.BOOT_TRIES_MAX)
      throw new ChipFailure("boot: the flash stays busy, the chip would enter USB boot");
    chip.bootCycle += rom.BOOT_CYCLES;
    return;
  }
  chip.bootCycle = Infinity;
  if (vector === undefined)
    sram.set(rom.secondStage(chip.setup.flash), rom.STAGE2_ADDRESS - SRAM_BASE);
  core.invalidate(SRAM_BASE, SRAM_BYTES);
  core.reset();
  core.registers[14] = 0;
  if (vector === undefined) return;
  core.registers[13] = vector.stack;
  core.registers[15] = vector.entry & ~1;
}
