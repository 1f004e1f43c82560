// SPDX-License-Identifier: MIT
// Flash, SSI, XIP window, boot ROM and UF2.
//
// Commands go over the SSI frame by frame as a driver sends them; expected is what the W25Q16JV data sheet,
// the RP2040 datasheet and the UF2 format say.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FLASH_BYTES, loadUf2 } from "../../../host-sim/chips/rp2040/index.ts";
import { createRom, crc32Mpeg2 } from "../../../host-sim/chips/rp2040/rom.ts";
import { bootableFlash, createRig, startClocks, type Rig } from "./rig.ts";

const SSI = 0x18000000;
const CS = 0x4001800c;
const XIP_CTRL = 0x14000000;
const SECTOR = 0x1f0000;

/** SSI in command mode: 8-bit frames both ways, clk_sys / 6. */
function createFlashRig(flash?: Uint8Array): Rig {
  const rig = createRig(flash);
  startClocks(rig);
  rig.write(SSI + 8, 0);
  rig.write(SSI + 0x14, 6);
  rig.write(SSI, 7 << 16);
  rig.write(SSI + 0x10, 1);
  rig.write(SSI + 8, 1);
  return rig;
}

/** One command, at most 16 octets in flight; what came back. */
function command(rig: Rig, octets: readonly number[]): number[] {
  rig.write(CS, 2 << 8);
  const back: number[] = [];
  for (const octet of octets) {
    rig.write(SSI + 0x60, octet);
    rig.chip.runCycles(48);
    back.push(rig.read(SSI + 0x60));
  }
  rig.write(CS, 3 << 8);
  return back;
}

const address = (at: number): number[] => [(at >> 16) & 255, (at >> 8) & 255, at & 255];
const readBack = (rig: Rig, at: number, count: number): number[] =>
  command(rig, [3, ...address(at), ...Array.from({ length: count }, () => 0)]).slice(4);
const status = (rig: Rig): number => command(rig, [5, 0])[1]!;

function openXip(rig: Rig): void {
  rig.write(CS, 0);
  rig.write(SSI + 8, 0);
  rig.write(SSI, (31 << 16) | (3 << 8));
  rig.write(SSI + 0xf4, (3 << 24) | (2 << 8) | (6 << 2));
  rig.write(SSI + 8, 1);
}

test("the flash says who it is, and its unique id comes from the seed", () => {
  const rig = createFlashRig();
  assert.deepEqual(command(rig, [0x9f, 0, 0, 0]).slice(1), [0xef, 0x40, 0x15]);
  const id = (r: Rig): number[] =>
    command(r, [0x4b, ...Array.from({ length: 12 }, () => 0)]).slice(5);
  assert.equal(id(rig).length, 8);
  assert.deepEqual(id(rig), id(createFlashRig()));
});

test("programming clears bits and wraps in its page, after 0.4 ms", () => {
  const rig = createFlashRig();
  command(rig, [6]);
  assert.equal(status(rig), 2);
  command(rig, [2, ...address(SECTOR + 0xfe), 0x0f, 0xf0, 0xaa]);
  assert.equal(status(rig), 3);
  rig.passNs(390e3);
  assert.equal(status(rig) & 1, 1);
  rig.passNs(20e3);
  assert.equal(status(rig), 0);
  assert.deepEqual(readBack(rig, SECTOR + 0xfd, 4), [0xff, 0x0f, 0xf0, 0xff]);
  assert.equal(rig.flash[SECTOR], 0xaa);
  command(rig, [6]);
  command(rig, [2, ...address(SECTOR + 0xfe), 0xf3]);
  rig.passNs(500e3);
  assert.equal(rig.flash[SECTOR + 0xfe], 0x03);
});

test("a sector erase sets 4 KiB after 45 ms, a block erase 64 KiB after 150 ms", () => {
  const rig = createFlashRig(bootableFlash().fill(0, 0x1e0000));
  command(rig, [6]);
  command(rig, [0x20, ...address(SECTOR + 0x123)]);
  rig.passNs(44e6);
  assert.equal(status(rig) & 1, 1);
  assert.equal(rig.flash[SECTOR], 0);
  rig.passNs(2e6);
  assert.equal(status(rig), 0);
  const set = (): number => rig.flash.subarray(0x1e0000).filter((octet) => octet === 0xff).length;
  assert.equal(set(), 4096);
  assert.equal(rig.flash.subarray(SECTOR, SECTOR + 4096).includes(0), false);
  command(rig, [6]);
  command(rig, [0xd8, ...address(0x1e1234)]);
  rig.passNs(151e6);
  assert.equal(set(), 65536 + 4096);
});

test("without write enable, while busy, or by an unknown command: failures", () => {
  const rig = createFlashRig();
  assert.throws(() => command(rig, [0x20, ...address(SECTOR)]), /without write enable/);
  const busy = createFlashRig();
  command(busy, [6]);
  command(busy, [0x20, ...address(SECTOR)]);
  assert.throws(() => command(busy, [3, 0, 0, 0, 0]), /command 0x3 while it is busy/);
  assert.throws(() => command(createFlashRig(), [0xeb]), /command 0xeb is not modelled/);
});

test("a frame takes 8 x BAUDR cycles, FIFOs hold 16, chip select waits for the end", () => {
  const rig = createFlashRig();
  rig.write(CS, 2 << 8);
  for (let i = 0; i < 16; i++) rig.write(SSI + 0x60, i === 0 ? 5 : 0);
  assert.throws(() => rig.write(SSI + 0x60, 0), /transmit FIFO overflows/);
  assert.throws(() => rig.write(CS, 3 << 8), /chip select moves during a transfer/);
  rig.chip.runCycles(16 * 48 - 2); // the refused APB store took one
  assert.deepEqual([rig.read(SSI + 0x20), rig.read(SSI + 0x24)], [1, 15]);
  rig.chip.runCycles(1);
  assert.deepEqual([rig.read(SSI + 0x20), rig.read(SSI + 0x24)], [0, 16]);
  assert.equal(rig.read(SSI + 0x28) & 31, 4 | 2 | 8 | 16);
  rig.write(SSI + 0x60, 0);
  assert.throws(() => rig.chip.runCycles(48), /receive FIFO overflows/);
});

test("the flash window is open in XIP mode only, and not while the flash erases", () => {
  const flash = bootableFlash();
  flash.set([1, 2, 3, 4], 0x1000);
  const rig = createFlashRig(flash);
  assert.throws(() => rig.read(0x10001000), /flash window read at offset 0x1000 while/);
  openXip(rig);
  assert.equal(rig.read(0x10001000), 0x04030201);
  assert.equal(rig.chip.bus.read(0x13001002, 2) & 0xffff, 0x0403);
  const busy = createFlashRig();
  command(busy, [6]);
  command(busy, [0x20, ...address(SECTOR)]);
  openXip(busy);
  assert.throws(() => busy.read(0x13001000), /while the flash erases or programs/);
});

test("a read of the window by another master takes 64 clocks of the flash", () => {
  const rig = createFlashRig();
  openXip(rig);
  assert.equal(rig.chip.bus.waits(0x13000000), 64 * 6);
});

test("the cache is SRAM while it is off", () => {
  const rig = createRig();
  assert.throws(() => rig.write(0x15000000, 7), /SRAM only while the XIP cache is off/);
  rig.write(XIP_CTRL, 0);
  rig.write(0x15003ffc, 7);
  assert.equal(rig.read(0x15003ffc), 7);
  assert.throws(() => rig.read(0x15004000), /nobody answers/);
});

test("a power cut leaves a program with some of its bits, never with others", () => {
  for (const part of [0.1, 0.5, 0.9]) {
    const rig = createFlashRig();
    command(rig, [6]);
    command(rig, [2, ...address(SECTOR), ...Array.from({ length: 256 }, () => 0x0f)]);
    rig.passNs(part * 400e3);
    rig.chip.cutPower();
    const page = rig.flash.subarray(SECTOR, SECTOR + 256);
    const cleared = page.reduce(
      (sum, octet) => sum + [4, 5, 6, 7].filter((b) => !((octet >> b) & 1)).length,
      0,
    );
    assert.ok(page.every((octet) => (octet & 0x0f) === 0x0f));
    assert.ok(Math.abs(cleared / 1024 - part) < 0.1, `${cleared} of 1024 at ${part}`);
    assert.throws(() => rig.passNs(1), /the chip has no power/);
  }
});

test("a power cut leaves an erase anywhere between old, cleared and set", () => {
  const ones = (part: number): number => {
    const rig = createFlashRig(bootableFlash().fill(0x0f, SECTOR));
    command(rig, [6]);
    command(rig, [0x20, ...address(SECTOR)]);
    rig.passNs(part * 45e6);
    rig.chip.cutPower();
    assert.equal(rig.flash[SECTOR + 4096], 0x0f);
    const sector = rig.flash.subarray(SECTOR, SECTOR + 4096);
    return (
      sector.reduce((sum, octet) => sum + octet.toString(2).replaceAll("0", "").length, 0) / 32768
    );
  };
  assert.ok(Math.abs(ones(0.02) - 0.45) < 0.03); // some of the half that was set are cleared
  assert.ok(ones(0.21) < 0.05);
  assert.ok(Math.abs(ones(0.6) - 0.5) < 0.03);
  assert.ok(ones(0.98) > 0.95);
});

test("after a reset in the middle of an erase the ROM tries until the flash answers", () => {
  const rig = createFlashRig();
  rig.write(0x40010008, 0x1fffc);
  command(rig, [6]);
  command(rig, [0x20, ...address(SECTOR)]);
  rig.write(0x40058000, 1 << 31);
  rig.passNs(20e6);
  assert.throws(() => rig.read(0x10000000), /while the flash erases/);
  rig.passNs(40e6);
  assert.equal(rig.chip.core.registers[15], 0x20041f00);
});

test("the second stage is copied, and a wrong CRC ends the boot", () => {
  const flash = bootableFlash();
  const rig = createRig(flash);
  assert.deepEqual(rig.chip.sram.slice(0x41f00, 0x42000), flash.slice(0, 256));
  flash[17]! ^= 1;
  assert.throws(() => createRig(flash), /CRC of the second stage is wrong/);
});

test("the CRC is CRC-32/MPEG-2, by its published check value", () => {
  assert.equal(crc32Mpeg2(new TextEncoder().encode("123456789")), 0x0376e6e7);
});

test("the ROM shows its magic and a look-up function that finds nothing", () => {
  const view = new DataView(createRom().buffer);
  assert.equal(view.getUint32(0x10, true) & 0xffffff, 0x01754d);
  assert.equal(view.getUint16(view.getUint16(0x14, true), true), 0);
  assert.equal(view.getUint16(0x18, true) & 1, 1);
});

// One UF2 of whole sectors, by the format's description.
function uf2(image: Uint8Array, base = 0x10000000): Uint8Array {
  const blocks = image.length / 256;
  const file = new Uint8Array(blocks * 512);
  const view = new DataView(file.buffer);
  for (let i = 0; i < blocks; i++) {
    const words = [0x0a324655, 0x9e5d5157, 0x2000, base + 256 * i, 256, i, blocks, 0xe48bff56];
    words.forEach((word, index) => view.setUint32(512 * i + 4 * index, word, true));
    file.set(image.subarray(256 * i, 256 * (i + 1)), 512 * i + 32);
    view.setUint32(512 * i + 508, 0x0ab16f30, true);
  }
  return file;
}

test("a UF2 lands in flash, and what the ROM would skip is a failure", () => {
  const image = Uint8Array.from({ length: 8192 }, (_, i) => (i * 7) & 255);
  const flash = new Uint8Array(FLASH_BYTES).fill(0x33);
  loadUf2(uf2(image), flash);
  assert.deepEqual(flash.slice(0, 8192), image);
  assert.equal(flash[8192], 0x33);
  const spoilt = (offset: number, value: number): Uint8Array => {
    const file = uf2(image);
    new DataView(file.buffer).setUint32(offset, value, true);
    return file;
  };
  assert.throws(() => loadUf2(spoilt(512, 0), flash), /UF2 block 1: magic/);
  assert.throws(() => loadUf2(spoilt(28, 1), flash), /UF2 block 0: not of the RP2040's family/);
  assert.throws(() => loadUf2(spoilt(16, 128), flash), /holds 128 octets/);
  assert.throws(() => loadUf2(spoilt(20, 9), flash), /its number or the count is wrong/);
  assert.throws(() => loadUf2(uf2(image, 0x20000000), flash), /not in flash/);
  assert.throws(() => loadUf2(uf2(image, 0x10000100), flash), /not a whole sector/);
  assert.throws(() => loadUf2(uf2(image).subarray(1), flash), /not whole blocks/);
});
