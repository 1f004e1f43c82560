// SPDX-License-Identifier: MIT
// The flash of a board: image, identity, and the two sectors that link knows.
//
// Sectors from the end: identity, two of link, two of the host's seeds. A planned cut strikes while the flash is
// at work, at the end of the run's step; what stays torn is the chip model's.

import { newestBoot, type Flash } from "../flash.ts";
import { FLASH_SECTOR_BYTES, FLASH_SECTORS } from "../limits.ts";
import type { ChipPlan } from "../plan.ts";
import { loadUf2 } from "./rp2040/index.ts";
import type { Nor } from "./rp2040/nor.ts";

const LINK_FROM_END = 3 * FLASH_SECTOR_BYTES;

export interface BoardFlash extends Flash {
  /** All of it, written to by the chip. */
  readonly whole: Uint8Array;
  /** The chip that is powered now. */
  watch(nor: Nor | undefined): void;
  /** The newest boot number; looked up anew after each write. */
  boot(): number;
  /** A planned cut strikes now; once. */
  cutIsDue(): boolean;
}

/** With the image and identity of a plan; `before` is the flash of the node that was here. */
export function createBoardFlash(
  { uf2, identity, flashBytes }: ChipPlan,
  before: Flash | undefined,
): BoardFlash {
  const whole = new Uint8Array(flashBytes).fill(0xff);
  loadUf2(uf2, whole);
  whole.set(identity, flashBytes - FLASH_SECTOR_BYTES);
  const from = flashBytes - LINK_FROM_END;
  const bytes = whole.subarray(from, from + FLASH_SECTORS * FLASH_SECTOR_BYTES);
  if (before !== undefined) bytes.set(before.bytes);
  let nor: Nor | undefined;
  let writesBefore = 0; // of chips that are gone
  let seen = -1;
  let boot = 0;
  let cutAt = Infinity;
  const writes = (): number =>
    writesBefore + (nor === undefined ? 0 : nor.counts.erases + nor.counts.programs);
  return {
    ...{ whole, bytes, writes },
    watch(next) {
      writesBefore = writes();
      nor = next;
      seen = -1;
    },
    boot() {
      const now = nor?.busy() === true ? -1 : writes();
      if (now !== seen || now < 0) boot = newestBoot({ bytes });
      seen = now;
      return boot;
    },
    cutIsDue() {
      if (writes() < cutAt) return false;
      cutAt = Infinity;
      return true;
    },
    planCut(write) {
      cutAt = writes() + write;
    },
    ...bindMemory(bytes),
  };
}

// What a tool does before power comes.
function bindMemory(bytes: Uint8Array): Pick<Flash, "read" | "erase" | "program"> {
  const inside = (offset: number, length: number): boolean =>
    offset >= 0 && length >= 0 && offset + length <= bytes.length;
  return {
    read(offset, target, at, length) {
      if (!inside(offset, length)) return -1;
      target.set(bytes.subarray(offset, offset + length), at);
      return 0;
    },
    erase(offset) {
      if (offset % FLASH_SECTOR_BYTES !== 0 || !inside(offset, FLASH_SECTOR_BYTES)) return -1;
      bytes.fill(0xff, offset, offset + FLASH_SECTOR_BYTES);
      return 0;
    },
    program(offset, source, at, length) {
      if (!inside(offset, length)) return -1;
      for (let i = 0; i < length; i++) bytes[offset + i]! &= source[at + i]!;
      return 0;
    },
  };
}
