// SPDX-License-Identifier: MIT
// The flash model obeys the rules of NOR flash.
//
// Goal: no test of the boot counter may pass on a flash that is kinder than a real one. Method: bits
// only clear, sectors only erase whole, bounds on both sides, cuts inside a write.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createFlash, newestBoot, PowerCut, programBoot } from "../../host-sim/flash.ts";

test("a new flash is all ones and programming only clears bits", () => {
  const flash = createFlash();
  assert.equal(flash.bytes.length, 8192);
  assert.ok(flash.bytes.every((octet) => octet === 0xff));
  assert.equal(flash.program(10, Uint8Array.of(0xf0), 0, 1), 0);
  assert.equal(flash.program(10, Uint8Array.of(0x0f), 0, 1), 0);
  assert.equal(flash.bytes[10], 0); // not 0x0f
  assert.equal(flash.bytes[11], 0xff);
});

test("erase sets one whole sector and no other", () => {
  const flash = createFlash();
  flash.program(0, new Uint8Array(8192), 0, 8192);
  assert.equal(flash.erase(4096), 0);
  assert.ok(flash.bytes.subarray(0, 4096).every((octet) => octet === 0));
  assert.ok(flash.bytes.subarray(4096).every((octet) => octet === 0xff));
});

test("what lies outside is refused and changes nothing", () => {
  const flash = createFlash();
  const buffer = new Uint8Array(16);
  assert.equal(flash.erase(1), -1);
  assert.equal(flash.erase(8192), -1);
  assert.equal(flash.erase(-4096), -1);
  assert.equal(flash.program(8190, buffer, 0, 3), -1);
  assert.equal(flash.program(-1, buffer, 0, 1), -1);
  assert.equal(flash.read(8185, buffer, 0, 8), -1);
  assert.equal(flash.read(8184, buffer, 0, 8), 0);
  assert.equal(flash.read(0, buffer, 0, -1), -1);
  assert.equal(flash.writes(), 0);
  assert.ok(flash.bytes.every((octet) => octet === 0xff));
});

test("a planned cut tears the write it strikes, once", () => {
  const flash = createFlash();
  flash.planCut(2, 3);
  assert.equal(flash.program(0, new Uint8Array(8), 0, 8), 0);
  assert.throws(() => flash.program(8, new Uint8Array(8), 0, 8), PowerCut);
  assert.deepEqual([...flash.bytes.subarray(8, 16)], [0, 0, 0, 255, 255, 255, 255, 255]);
  assert.equal(flash.program(8, new Uint8Array(8), 0, 8), 0);
  flash.planCut(1, 100);
  assert.throws(() => flash.erase(0), PowerCut);
  assert.equal(flash.bytes[99], 0xff);
  assert.equal(flash.erase(0), 0);
});

test("the newest boot number is the largest one that checks", () => {
  const flash = createFlash();
  assert.equal(newestBoot(flash), 0);
  const entry = (boot: number): Uint8Array => {
    const one = createFlash();
    programBoot(one, boot);
    return one.bytes.slice(0, 8);
  };
  assert.deepEqual([...entry(0x01020304)], [4, 3, 2, 1, 0xfb, 0xfc, 0xfd, 0xfe]);
  flash.program(0, entry(41), 0, 8);
  flash.program(8, entry(42), 0, 8);
  flash.program(16, entry(43), 0, 4); // torn
  flash.program(4096, entry(7), 0, 8);
  assert.equal(newestBoot(flash), 42);
});
