// SPDX-License-Identifier: MIT
// `ferrule flash`: image and identity in one file, to a board and nothing else.
//
// Goal: what is copied boots as the node that the identity file names, and no other drive is touched. Method: folders that
// look like the boot ROM's drive; the file that was copied runs in the chip's model.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeBlock } from "uf2";
import { decodeUf2 } from "../../scripts/build/uf2.ts";
import { chooseDrive, findDrives, writeToDrive } from "../../scripts/run/flash.ts";
import { start } from "../boards/rp2040-rig.ts";
import { ferrule } from "../support/ferrule.ts";
import { program } from "../support/need.ts";

const needsCompiler = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule flash "));
after(() => rmSync(folder, { recursive: true, force: true }));

// As the boot ROM of the RP2040 writes it.
const INFO = "UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n";

function drive(path: string, info = INFO): string {
  const at = join(folder, path);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "INFO_UF2.TXT"), info);
  return at;
}

test(
  "image and identity go to the board in one file, and it boots under that id",
  needsCompiler,
  async () => {
    const [at, out] = [drive("one/me/RPI-RP2"), join(folder, "out")];
    const identity = join(folder, "press-7.json");
    writeFileSync(identity, '{"id": "press-7"}');
    const args = [
      "flash",
      "firmware/nodes/meter",
      "--identity",
      identity,
      "--drive",
      at,
      "--out",
      out,
    ];
    const { code, stdout, stderr } = await ferrule([...args, "--json"]);
    assert.equal(code, 0, stderr);
    const said = JSON.parse(stdout) as { id: string; file: string; drive: string };
    assert.deepEqual([said.id, said.drive], ["press-7", at]);
    assert.deepEqual(readdirSync(at).toSorted(), ["INFO_UF2.TXT", "meter.uf2"]);
    const octets = readFileSync(said.file);
    const pieces = decodeUf2(octets);
    assert.equal(pieces.at(-16)!.address, 0x101ff000); // the last sector of 2 MiB
    for (const [i, { address }] of pieces.entries())
      if (i % 16 === 0) assert.equal(address % 4096, 0, "E14: sixteen blocks are one sector");
    assert.equal(decodeBlock(octets.subarray(-512)).flashAddress, 0x101fff00);
    const image = { program: said.file, elf: join(out, "meter.elf") };
    const { chip, messages } = start(image as Parameters<typeof start>[0]);
    chip.runToNs(1.5e9);
    assert.match(Buffer.from(messages[0]!).toString("latin1"), /press-7$/);
  },
);

test("without a board it says what to press and where the file lies", needsCompiler, async () => {
  const out = join(folder, "out");
  const nowhere = join(folder, "nowhere");
  const args = ["flash", "firmware/nodes/meter", "--out", out, "--drive", nowhere];
  const { code, stderr } = await ferrule(args);
  assert.equal(code, 3);
  assert.match(stderr, /nowhere is not there: it has no INFO_UF2\.TXT of RPI-RP2/);
  assert.match(stderr, /next: hold BOOTSEL while you plug the board in/);
  assert.throws(() => chooseDrive(undefined, "a.uf2", [nowhere]), /no board waits for an image/);
});

test("no drive but that of an RP2040 is written to", () => {
  const roots = [join(folder, "media")];
  mkdirSync(join(folder, "media/me/stick"), { recursive: true });
  drive("media/me/OTHER", INFO.replace("RPI-RP2", "SAMD21"));
  drive("media/me/RP2350", INFO.replace("RPI-RP2", "RP2350"));
  assert.deepEqual(findDrives(roots), []);
  const other = join(folder, "media/me/OTHER");
  assert.throws(() => chooseDrive(other, "a.uf2", roots), /is no drive of an RP2040/);
  const first = drive("media/me/RPI-RP2");
  assert.equal(chooseDrive(undefined, "a.uf2", roots), first);
  const second = drive("media/you/RPI-RP2");
  assert.deepEqual(findDrives(roots), [first, second]);
  assert.throws(() => chooseDrive(undefined, "a.uf2", roots), /2 boards wait for an image/);
  assert.equal(chooseDrive(second, "a.uf2", roots), second);
});

test("a drive that is full keeps nothing half written", () => {
  assert.throws(() => writeToDrive("/proc", "a.uf2", new Uint8Array(512)), /has room for 0 octets/);
});

test("an identity that is none is refused with its place", async () => {
  const identity = join(folder, "wrong.json");
  writeFileSync(identity, '{"id": "press 7"}');
  const { code, stderr } = await ferrule(["flash", "firmware/nodes/meter", "--identity", identity]);
  assert.equal(code, 1);
  assert.match(stderr, /1 to 23 letters, digits, - and _/);
});
