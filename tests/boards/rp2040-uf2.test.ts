// SPDX-License-Identifier: MIT
// UF2 and flash image: the layout that the boot ROM takes, judged by npm's uf2.
//
// Goal: what we write is what a boot ROM writes to flash, and damaged files are refused. Method: a second reader decodes
// each block; a small image is compared with octets written down here by hand; each rule is broken once.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import type * as Uf2 from "uf2";
import { decodeUf2, encodeUf2, flashImage, stageCrc, Uf2Error } from "../../scripts/build/uf2.ts";
import { ElfError, loadSegments } from "../../scripts/build/elf.ts";

const uf2 = createRequire(import.meta.url)("uf2") as typeof Uf2;
const FLASH = 0x10000000;
const FLASH_BYTES = 1 << 16;

const ramp = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => i % 251);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("the CRC of the second stage is CRC-32/MPEG-2", () => {
  assert.equal(stageCrc(Buffer.from("123456789")), 0x0376e6e7); // the check value of the catalogue
});

test("a second reader finds every octet of the image at its address", () => {
  const image = flashImage([{ address: FLASH, bytes: ramp(9000) }], FLASH_BYTES);
  assert.equal(image.length, 3 * 4096);
  const file = encodeUf2([{ address: FLASH, bytes: image }]);
  const flash = new Uint8Array(image.length);
  for (let block = 0; block * 512 < file.length; block++) {
    const read = uf2.decodeBlock(file.subarray(block * 512, (block + 1) * 512));
    assert.equal(uf2.familyMap.get(read.boardFamily), "Raspberry Pi RP2040");
    assert.equal(read.flags, uf2.UF2Flags.familyIDPresent);
    assert.equal(read.blockNumber, block);
    assert.equal(read.totalBlocks, image.length / 256);
    flash.set(read.payload, read.flashAddress - FLASH);
  }
  assert.deepEqual(flash, image);
  assert.deepEqual(image.subarray(256, 9000), ramp(9000).subarray(256));
  assert.ok(image.subarray(9000).every((byte) => byte === 0xff));
});

test("the first block is as the format's description has it", () => {
  const file = encodeUf2([{ address: FLASH, bytes: ramp(256) }]);
  assert.equal(file.length, 16 * 512);
  const header = ["5546320a", "57515d9e", "00200000", "00000010", "00010000", "00000000"];
  assert.equal(hex(file.subarray(0, 32)), [...header, "10000000", "56ff8be4"].join(""));
  assert.equal(hex(file.subarray(32, 288)), hex(ramp(256)));
  assert.ok(file.subarray(288, 508).every((byte) => byte === 0));
  assert.equal(hex(file.subarray(508, 512)), "306fb10a");
});

// Erratum E14: a sector is erased by the number of its group of 16 blocks.
test("each group of 16 blocks is one whole sector, also over a gap", () => {
  const pieces = [
    { address: FLASH, bytes: ramp(5000) },
    { address: FLASH + 0x8000, bytes: ramp(40) },
  ];
  const blocks = decodeUf2(encodeUf2(pieces));
  assert.equal(blocks.length % 16, 0);
  blocks.forEach(({ address }, i) => {
    const group = blocks[i - (i % 16)]!.address;
    assert.equal(group % 4096, 0);
    assert.equal(address, group + 256 * (i % 16));
  });
});

test("what a boot ROM would pass over is refused", () => {
  const good = encodeUf2([{ address: FLASH, bytes: ramp(256) }]);
  const places = {
    magic: 0,
    flags: 8,
    address: 12,
    payload: 16,
    block: 20,
    blocks: 24,
    family: 28,
  };
  for (const [name, at] of Object.entries({ ...places, "last magic": 508 })) {
    const bad = good.slice();
    bad[512 + at]! ^= 1;
    assert.throws(() => decodeUf2(bad), Uf2Error, name);
  }
  assert.throws(() => decodeUf2(good.subarray(0, 700)), Uf2Error);
  assert.throws(() => decodeUf2(new Uint8Array(0)), Uf2Error);
});

test("an image without a second stage, too long, or off a sector is refused", () => {
  assert.throws(() => flashImage([], FLASH_BYTES), Uf2Error);
  assert.throws(
    () => flashImage([{ address: FLASH + 256, bytes: ramp(9) }], FLASH_BYTES),
    Uf2Error,
  );
  assert.throws(() => flashImage([{ address: FLASH, bytes: ramp(5000) }], 4096), Uf2Error);
  assert.throws(() => encodeUf2([{ address: FLASH + 256, bytes: ramp(9) }]), Uf2Error);
});

test("a file that is no ELF file of this chip is refused", () => {
  assert.throws(() => loadSegments(ramp(100)), ElfError);
  assert.throws(() => loadSegments(new Uint8Array(10)), ElfError);
  const other = new Uint8Array(60);
  other.set([0x7f, 0x45, 0x4c, 0x46, 1, 1]);
  other[18] = 3; // x86
  assert.throws(() => loadSegments(other), /32-bit Arm/);
});
