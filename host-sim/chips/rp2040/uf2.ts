// SPDX-License-Identifier: MIT
// A UF2 file into flash, as the boot ROM's drive takes it.
//
// Spec: the UF2 format, and the ROM's rules: family id, 256 octets a block, addresses in flash. A block
// the ROM would skip in silence is a failure here, and so is a group of 16 blocks that is not one whole
// sector (RP2040-E14: the ROM erases by block number).

import { SECTOR_BYTES } from "./nor.ts";
import { ChipFailure } from "./peripheral.ts";

const BLOCK_BYTES = 512;
const PAYLOAD_BYTES = 256;
const FLASH_BASE = 0x10000000;
const FAMILY = 0xe48bff56;
const FLAG_FAMILY = 0x2000;
const FLAG_NOT_FLASH = 1;
const MAGICS = [
  [0, 0x0a324655],
  [4, 0x9e5d5157],
  [508, 0x0ab16f30],
] as const;

/** Erases and programs what the file holds; the rest of `flash` stays. */
export function loadUf2(file: Uint8Array, flash: Uint8Array): void {
  const blocks = file.length / BLOCK_BYTES;
  if (blocks === 0 || !Number.isInteger(blocks))
    throw new ChipFailure(`UF2: ${file.length} octets are not whole blocks of ${BLOCK_BYTES}`);
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let block = 0; block < blocks; block++) {
    const at = block * BLOCK_BYTES;
    const word = (offset: number): number => view.getUint32(at + offset, true);
    const fail = (what: string): never => {
      throw new ChipFailure(`UF2 block ${block}: ${what}`);
    };
    if (MAGICS.some(([offset, magic]) => word(offset) !== magic)) fail("magic is wrong");
    if ((word(8) & FLAG_FAMILY) === 0 || word(28) !== FAMILY) fail("not of the RP2040's family");
    if ((word(8) & FLAG_NOT_FLASH) !== 0) fail("not for flash");
    if (word(16) !== PAYLOAD_BYTES) fail(`holds ${word(16)} octets, not ${PAYLOAD_BYTES}`);
    if (word(20) !== block || word(24) !== blocks) fail("its number or the count is wrong");
    const offset = word(12) - FLASH_BASE;
    if (offset < 0 || offset + PAYLOAD_BYTES > flash.length) fail("its address is not in flash");
    if (offset % SECTOR_BYTES !== (block * PAYLOAD_BYTES) % SECTOR_BYTES)
      fail("its group of 16 is not a whole sector");
    if (offset % SECTOR_BYTES === 0) flash.fill(0xff, offset, offset + SECTOR_BYTES);
    flash.set(file.subarray(at + 32, at + 32 + PAYLOAD_BYTES), offset);
  }
}
