// SPDX-License-Identifier: MIT
// NOR flash of a node: programming clears bits, erasing sets a sector to FF.
//
// Spec: SPEC.md §1.2 flash functions, §1.6 boot counter. Contents live through power cuts. A planned
// cut strikes inside the n-th write: a program stops after some octets, an erase leaves half a sector.

import { FLASH_SECTORS, FLASH_SECTOR_BYTES } from "./limits.ts";

/** The power went away inside a flash write; thrown through the module, caught by the node. */
export class PowerCut extends Error {
  constructor() {
    super("power cut inside a flash write");
    this.name = "PowerCut";
  }
}

export interface Flash {
  /** All octets; read only by convention, writes go through erase and program. */
  readonly bytes: Uint8Array;
  /** 0 done, -1 outside. */
  read(offset: number, target: Uint8Array, at: number, length: number): number;
  /** 0 done, -1 not the start of a sector. */
  erase(offset: number): number;
  /** Clears bits: 0 done, -1 outside. */
  program(offset: number, source: Uint8Array, at: number, length: number): number;
  /** Writes (program or erase) so far. */
  writes(): number;
  /** Cuts the power inside the write with this number, 1 for the next, after so many octets. */
  planCut(write: number, octets: number): void;
}

/** Flash as it leaves the factory: all FF. */
export function createFlash(): Flash {
  const size = FLASH_SECTORS * FLASH_SECTOR_BYTES;
  const bytes = new Uint8Array(size).fill(0xff);
  let writes = 0;
  let cutAtWrite = Infinity;
  let cutOctets = 0;
  const inside = (offset: number, length: number): boolean =>
    offset >= 0 && length >= 0 && offset + length <= size;

  /** How many octets of this write happen; a cut is thrown by the caller after them. */
  function allowed(length: number): number {
    writes++;
    return writes === cutAtWrite ? Math.min(cutOctets, length) : length;
  }

  function finish(): number {
    if (writes !== cutAtWrite) return 0;
    cutAtWrite = Infinity;
    throw new PowerCut();
  }

  return {
    bytes,
    read(offset, target, at, length) {
      if (!inside(offset, length)) return -1;
      for (let i = 0; i < length; i++) target[at + i] = bytes[offset + i]!;
      return 0;
    },
    erase(offset) {
      if (offset % FLASH_SECTOR_BYTES !== 0 || !inside(offset, FLASH_SECTOR_BYTES)) return -1;
      bytes.fill(0xff, offset, offset + allowed(FLASH_SECTOR_BYTES));
      return finish();
    },
    program(offset, source, at, length) {
      if (!inside(offset, length)) return -1;
      const count = allowed(length);
      for (let i = 0; i < count; i++) bytes[offset + i]! &= source[at + i]!;
      return finish();
    },
    writes: () => writes,
    planCut(write, octets) {
      cutAtWrite = writes + write;
      cutOctets = octets;
    },
  };
}

/** Writes an entry of the boot counter (SPEC.md §1.6) to the start of an empty flash. */
export function programBoot(flash: Flash, boot: number): void {
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);
  view.setUint32(0, boot, true);
  view.setUint32(4, ~boot, true);
  flash.program(0, entry, 0, entry.length);
}

/** The largest boot number that checks (SPEC.md §1.6), 0: none. */
export function newestBoot(flash: Pick<Flash, "bytes">): number {
  const { buffer, byteOffset, length } = flash.bytes;
  const view = new DataView(buffer, byteOffset, length);
  let newest = 0;
  for (let offset = 0; offset < length; offset += 8) {
    const boot = view.getUint32(offset, true);
    if ((boot ^ view.getUint32(offset + 4, true)) >>> 0 === 0xffffffff && boot > newest)
      newest = boot;
  }
  return newest;
}
