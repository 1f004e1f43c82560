// SPDX-License-Identifier: MIT
// A boot ROM of our own: what firmware reads of it, what it does before firmware.
//
// Spec: datasheet 2.8. Here the ROM is an effect and a time, not a program: after reset the second stage
// stands in SRAM, checked, and the core starts it. Readable are the vector table, the magic and a
// look-up function that finds nothing: this project's images call no ROM function.
// (B1) a second stage whose CRC is wrong, or a flash that stays busy, is a failure: silicon goes to USB.

import { ChipFailure } from "./peripheral.ts";

export const ROM_BYTES = 16384;
export const STAGE2_ADDRESS = 0x20041f00;
export const STAGE2_BYTES = 256;
/** Cycles of the ring oscillator a try takes: 260 octets at an eighth and some. Not timed on silicon. */
export const BOOT_CYCLES = 16_000;
/** Tries before silicon gives up and goes to USB boot. */
export const BOOT_TRIES_MAX = 128;

const CRC_POLYNOMIAL = 0x04c11db7;
const VERSION = 3;
const TABLE = 0x20; // of functions and of data: a terminator and nothing else
const LOOK_UP = 0x40;
const SCRATCH_MAGIC = 0xb007c0d3;

// r0 table, r1 code -> r0 entry or 0: ldrh r2,[r0]; cmp r2,r1; beq found; adds r0,#4; cmp r2,#0;
// bne loop; movs r0,#0; bx lr; found: ldrh r0,[r0,#2]; bx lr.
const LOOK_UP_CODE = [
  0x8802, 0x428a, 0xd004, 0x3004, 0x2a00, 0xd1f9, 0x2000, 0x4770, 0x8840, 0x4770,
];
const UNDEFINED = 0xdede; // UDF: whoever runs into the ROM faults

/** The octets at address 0. The reset vector names the second stage, where the ROM's work ends. */
export function createRom(): Uint8Array {
  const rom = new Uint8Array(ROM_BYTES);
  const view = new DataView(rom.buffer);
  for (let at = 0; at < ROM_BYTES; at += 2) view.setUint16(at, UNDEFINED, true);
  view.setUint32(0, STAGE2_ADDRESS, true);
  view.setUint32(4, STAGE2_ADDRESS | 1, true);
  rom.set([0x4d, 0x75, 0x01, VERSION], 0x10); // 'M' 'u' 1
  view.setUint16(0x14, TABLE, true);
  view.setUint16(0x16, TABLE, true);
  view.setUint16(0x18, LOOK_UP | 1, true);
  view.setUint32(TABLE, 0, true);
  LOOK_UP_CODE.forEach((code, index) => view.setUint16(LOOK_UP + 2 * index, code, true));
  return rom;
}

/** CRC-32/MPEG-2. */
export function crc32Mpeg2(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const octet of bytes) {
    crc ^= octet << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? CRC_POLYNOMIAL : 0);
  }
  return crc >>> 0;
}

/** The checked second stage (B1). */
export function secondStage(flash: Uint8Array): Uint8Array {
  const stage = flash.slice(0, STAGE2_BYTES);
  const view = new DataView(stage.buffer);
  const found = view.getUint32(STAGE2_BYTES - 4, true);
  if (stage.length !== STAGE2_BYTES || crc32Mpeg2(stage.subarray(0, STAGE2_BYTES - 4)) !== found)
    throw new ChipFailure(
      "boot: the CRC of the second stage is wrong, the chip would enter USB boot",
    );
  return stage;
}

/** Where scratch registers tell the ROM to go instead of booting; undefined: nowhere. */
export function scratchVector(scratch: Uint32Array): { stack: number; entry: number } | undefined {
  if (scratch[4] !== SCRATCH_MAGIC) return undefined;
  const entry = (scratch[5]! ^ -SCRATCH_MAGIC) >>> 0;
  return entry === scratch[7] ? { stack: scratch[6]!, entry } : undefined;
}
