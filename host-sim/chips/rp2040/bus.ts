// SPDX-License-Identifier: MIT
// The bus: address map, aliases, widths, times.
//
// Spec: datasheet 2.1, 2.2. Byte and half-word writes to peripherals are replicated over the word. An APB
// load takes 4 cycles, a store 5; SIO one; all else two and what the flash takes. Contention between
// masters is not modelled.
// (A1) an address nobody answers, a block in reset, a store to ROM or flash: each is a failure by name.

import { hex32 } from "../failure.ts";
import type { Bus } from "../armv6m/core.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";
import type { Slot } from "./slots.ts";
import type { FlashPath } from "./ssi.ts";

export const SRAM_BASE = 0x20000000;
export const SRAM_BYTES = 0x42000; // four striped banks of 64 KiB, two of 4 KiB
const UNSTRIPED_BASE = 0x21000000;
const UNSTRIPED_BYTES = 0x40000;
export const XIP_BASE = 0x10000000;
const XIP_SRAM_BASE = 0x15000000;
const XIP_SRAM_BYTES = 16384;
export const DPRAM_BASE = 0x50100000;
export const DPRAM_BYTES = 4096;
const SIO_BASE = 0xd0000000;
const APB_WAITS = 2;

export interface BusParts {
  readonly slots: readonly Slot[];
  readonly rom: Uint8Array;
  readonly sram: Uint8Array;
  readonly dpram: Uint8Array;
  readonly flashPath: () => FlashPath;
  readonly sio: () => Peripheral;
  /** One cycle more: an APB store takes one longer than a load. */
  readonly stall: () => void;
}

/** The bus as the core and, for DMA, another master see it. */
export function createBus(parts: BusParts): Bus {
  const slots = new Map(parts.slots.map((slot) => [slot.block.base >>> 14, slot]));
  const memory = createMemory(parts);
  return {
    read(address, size) {
      const view = memory.find(address);
      if (view !== undefined) return load(view, memory.offset(address), size);
      if (address >>> 28 === 1) return readXip(parts, address) >>> (8 * (address & 3));
      const word = readRegister(parts, slots, (address & ~3) >>> 0);
      return word >>> (8 * (address & 3));
    },
    write(address, size, value) {
      const view = memory.find(address);
      if (view !== undefined) return store(view, memory.offset(address), size, value);
      if (address >>> 28 === 0 || (address >= XIP_BASE && address < 0x14000000))
        throw new ChipFailure(
          `a store to ${address >>> 28 === 0 ? "ROM" : "flash"} at ${hex32(address)}`,
        );
      writeRegister(parts, slots, (address & ~3) >>> 0, replicate(size, value));
    },
    waits(address) {
      if (address >>> 28 === 4) return APB_WAITS;
      if (address >>> 28 === 0xd) return -1;
      if (address >= XIP_BASE && address < 0x14000000) return parts.flashPath().waits();
      return 0;
    },
  };
}

// ---- memory

interface Memory {
  /** The memory that answers, undefined: none. */
  find(address: number): DataView | undefined;
  /** The octet in it. */
  offset(address: number): number;
}

function createMemory({ sram, dpram, flashPath }: BusParts): Memory {
  const view = (bytes: Uint8Array): DataView =>
    new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [sramView, dpramView] = [view(sram), view(dpram)];
  const cacheView = new DataView(new ArrayBuffer(XIP_SRAM_BYTES));
  return {
    find(address) {
      if (address >>> 28 === 4 || address >>> 28 === 0xd) return undefined; // most accesses
      if (isIn(address, SRAM_BASE, SRAM_BYTES) || isIn(address, UNSTRIPED_BASE, UNSTRIPED_BYTES))
        return sramView;
      if (isIn(address, DPRAM_BASE, DPRAM_BYTES)) return dpramView;
      if (!isIn(address, XIP_SRAM_BASE, XIP_SRAM_BYTES)) return undefined;
      if (flashPath().cacheIsSram()) return cacheView;
      throw new ChipFailure(`${hex32(address)} is SRAM only while the XIP cache is off`);
    },
    offset(address) {
      if (!isIn(address, UNSTRIPED_BASE, UNSTRIPED_BYTES))
        return address & 0xfffff & rangeMask(address);
      // Word w of bank n is word 4w + n of the striped window.
      const [bank, inside] = [(address >>> 16) & 3, address & 0xffff];
      return 4 * (4 * (inside >>> 2) + bank) + (inside & 3);
    },
  };
}

function rangeMask(address: number): number {
  return address >>> 24 === SRAM_BASE >>> 24 ? 0xfffff : XIP_SRAM_BYTES - 1;
}

function isIn(address: number, base: number, bytes: number): boolean {
  return address >= base && address < base + bytes;
}

function load(view: DataView, at: number, size: 1 | 2 | 4): number {
  if (size === 4) return view.getUint32(at, true);
  return size === 2 ? view.getUint16(at, true) : view.getUint8(at);
}

function store(view: DataView, at: number, size: 1 | 2 | 4, value: number): void {
  if (size === 4) view.setUint32(at, value, true);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint8(at, value);
}

// ---- registers

function readXip(parts: BusParts, address: number): number {
  if (address < 0x14000000) return parts.flashPath().fetch(address & 0xfffffc);
  return fixedBlock(parts, address).read(address & 0xfff & ~3);
}

// XIP_CTRL and the SSI: neither reset nor aliases.
function fixedBlock({ flashPath }: BusParts, address: number): Peripheral {
  if (address >>> 12 === 0x14000) return flashPath().xipCtrl;
  if (address >>> 12 === 0x18000) return flashPath().ssi;
  throw new ChipFailure(`nobody answers at ${hex32(address)}`); // (A1)
}

function running(slots: ReadonlyMap<number, Slot>, address: number): Peripheral {
  const slot = slots.get(address >>> 14);
  if (slot === undefined || (!slot.block.aliased && (address & 0x3000) !== 0))
    throw new ChipFailure(`nobody answers at ${hex32(address)}`); // (A1)
  if (slot.peripheral === undefined)
    throw new ChipFailure(`${slot.block.name} is held in reset: access at ${hex32(address)}`);
  return slot.peripheral;
}

function readRegister(parts: BusParts, slots: ReadonlyMap<number, Slot>, address: number): number {
  if (isIn(address, 0, parts.rom.length)) {
    const { rom } = parts;
    return new DataView(rom.buffer, rom.byteOffset).getUint32(address, true);
  }
  if (address >>> 12 === SIO_BASE >>> 12) return parts.sio().read(address & 0xfff);
  return running(slots, address).read(address & 0xfff) >>> 0;
}

function writeRegister(
  parts: BusParts,
  slots: ReadonlyMap<number, Slot>,
  address: number,
  value: number,
): void {
  if (address >>> 12 === SIO_BASE >>> 12) return parts.sio().write(address & 0xfff, value);
  if (address >>> 28 === 1) return fixedBlock(parts, address).write(address & 0xfff, value);
  const peripheral = running(slots, address);
  const offset = address & 0xfff;
  if (address >>> 28 === 4) parts.stall();
  const kind = (address >>> 12) & 3;
  if (kind === 0) return peripheral.write(offset, value);
  const old = peripheral.peek(offset);
  const next = kind === 1 ? old ^ value : kind === 2 ? old | value : old & ~value;
  peripheral.write(offset, next >>> 0);
}

function replicate(size: 1 | 2 | 4, value: number): number {
  if (size === 4) return value >>> 0;
  return size === 2
    ? Math.imul(value & 0xffff, 0x10001) >>> 0
    : Math.imul(value & 0xff, 0x1010101) >>> 0;
}
