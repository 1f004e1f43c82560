// SPDX-License-Identifier: MIT
// Flash image and UF2 of an RP2040: from the segments of an ELF file, and back.
//
// Spec: UF2 file format; RP2040 datasheet 2.8.1.3.1 (CRC of the second stage), erratum E14: the boot ROM erases one
// sector for each group of 16 block numbers, so each group is one whole sector of 4,096 octets, filled up with FF.
//
//   0 magic | 4 magic | 8 flags 2000 | 12 address | 16 length 256 | 20 block | 24 blocks | 28 family | 32 data | 508 magic

import type { Segment } from "./elf.ts";

export const FLASH_START = 0x10000000;
const FAMILY_RP2040 = 0xe48bff56;
const MAGIC = [0x0a324655, 0x9e5d5157, 0x0ab16f30] as const;
const FLAG_FAMILY = 0x2000;
export const SECTOR_BYTES = 4096;
const BLOCK_BYTES = 512;
const PAYLOAD_BYTES = 256;
const STAGE_BYTES = 252;

export class Uf2Error extends Error {}

/** A piece of flash: address as the core sees it. */
export interface Piece {
  address: number;
  bytes: Uint8Array;
}

/** CRC-32/MPEG-2, as the boot ROM computes it over the second stage. */
export function stageCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  }
  return crc >>> 0;
}

/** The flash from its start, whole sectors, gaps FF, with the CRC of the second stage. Throws Uf2Error. */
export function flashImage(segments: readonly Segment[], flashBytes: number): Uint8Array {
  const last = segments.at(-1);
  if (last === undefined || segments[0]!.address !== FLASH_START)
    throw new Uf2Error("nothing lies at the start of flash: there is no second stage");
  const end = last.address - FLASH_START + last.bytes.length;
  if (end > flashBytes) throw new Uf2Error(`the image ends at ${end}, the flash at ${flashBytes}`);
  const image = new Uint8Array(roundUp(end)).fill(0xff);
  for (const { address, bytes } of segments) image.set(bytes, address - FLASH_START);
  const crc = stageCrc(image.subarray(0, STAGE_BYTES));
  new DataView(image.buffer).setUint32(STAGE_BYTES, crc, true);
  return image;
}

/** One UF2 file of pieces that begin at sectors; each is filled up to whole sectors. Throws Uf2Error. */
export function encodeUf2(pieces: readonly Piece[]): Uint8Array {
  const sectors = pieces.flatMap(({ address, bytes }) => {
    if (address % SECTOR_BYTES !== 0)
      throw new Uf2Error(`0x${address.toString(16)} is not the start of a sector`);
    const whole = new Uint8Array(roundUp(bytes.length)).fill(0xff);
    whole.set(bytes);
    return { address, bytes: whole };
  });
  const blocks = sectors.reduce((sum, { bytes }) => sum + bytes.length / PAYLOAD_BYTES, 0);
  const file = new Uint8Array(blocks * BLOCK_BYTES);
  const view = new DataView(file.buffer);
  let block = 0;
  for (const { address, bytes } of sectors)
    for (let at = 0; at < bytes.length; at += PAYLOAD_BYTES, block++) {
      const header = [MAGIC[0], MAGIC[1], FLAG_FAMILY, address + at, PAYLOAD_BYTES, block, blocks];
      const start = block * BLOCK_BYTES;
      [...header, FAMILY_RP2040].forEach((v, i) => view.setUint32(start + 4 * i, v, true));
      file.set(bytes.subarray(at, at + PAYLOAD_BYTES), start + 32);
      view.setUint32(start + 508, MAGIC[2], true);
    }
  return file;
}

/** The pieces of 256 octets of a UF2 file; refuses what the boot ROM would pass over. Throws Uf2Error. */
export function decodeUf2(file: Uint8Array): Piece[] {
  if (file.length === 0 || file.length % BLOCK_BYTES !== 0)
    throw new Uf2Error(`${file.length} octets are no whole number of blocks`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const blocks = file.length / BLOCK_BYTES;
  return Array.from({ length: blocks }, (_, block) => {
    const start = block * BLOCK_BYTES;
    const at = (offset: number): number => view.getUint32(start + offset, true);
    if (at(0) !== MAGIC[0] || at(4) !== MAGIC[1] || at(508) !== MAGIC[2])
      throw new Uf2Error(`block ${block} has no magic`);
    if (at(8) !== FLAG_FAMILY || at(28) !== FAMILY_RP2040)
      throw new Uf2Error(`block ${block} is not for this chip`);
    if (at(16) !== PAYLOAD_BYTES || at(12) % PAYLOAD_BYTES !== 0)
      throw new Uf2Error(`block ${block} is no page of flash`);
    if (at(20) !== block || at(24) !== blocks)
      throw new Uf2Error(`block ${block} says it is ${at(20)} of ${at(24)}`);
    return { address: at(12), bytes: file.subarray(start + 32, start + 32 + PAYLOAD_BYTES) };
  });
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}
