// SPDX-License-Identifier: MIT
// Goal: no boot number is used twice, whenever the power goes (SPEC.md §1.6).
// Method: power cuts after each octet of each flash write, through a full sector and its change; then garbage and failing flash.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { BASE_NAME, createLinkHost, PowerCut, type LinkHost } from "../support/link-host.ts";
import { createScriptedGateway, type ScriptedGateway } from "../support/link-gateway.ts";
import { readPack } from "../support/link-pack.ts";
import { buildLinkOf, put, WALL_MS } from "../support/link-rig.ts";

const SECTOR_BYTES = 4096;
const ENTRIES = SECTOR_BYTES / 8;

let module: WebAssembly.Module;
before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

/** Starts a node on this flash; the boot number it took, or undefined when the power went. */
function boot(flash: Uint8Array, cutAt?: { write: number; octets: number }): number | undefined {
  const host = createLinkHost(module, { flash });
  host.cutAt = cutAt;
  const bootOfFlash = (): number => newest(flash);
  host.init();
  try {
    host.poll();
  } catch (error) {
    assert.ok(error instanceof PowerCut);
    return undefined;
  }
  return bootOfFlash();
}

function newest(flash: Uint8Array): number {
  const view = new DataView(flash.buffer);
  let largest = 0;
  for (let at = 0; at < flash.length; at += 8) {
    const number = view.getUint32(at, true);
    if ((number ^ view.getUint32(at + 4, true)) >>> 0 === 0xffffffff && number > largest)
      largest = number;
  }
  return largest;
}

function flashAt(number: number, sector: number, entry: number): Uint8Array {
  const flash = new Uint8Array(2 * SECTOR_BYTES).fill(0xff);
  const view = new DataView(flash.buffer);
  for (let i = 0; i < entry; i++) {
    const value = number - entry + 1 + i;
    view.setUint32(sector * SECTOR_BYTES + i * 8, value, true);
    view.setUint32(sector * SECTOR_BYTES + i * 8 + 4, ~value >>> 0, true);
  }
  return flash;
}

test("an empty flash gives 1, then each start one more, through both sectors and back", () => {
  const flash = new Uint8Array(2 * SECTOR_BYTES).fill(0xff);
  for (let n = 1; n <= 2 * ENTRIES + 20; n++) assert.equal(boot(flash), n);
});

test("the packs carry the boot number", () => {
  const flash = flashAt(41, 0, 41);
  const host = createLinkHost(module, { flash });
  const gateway = createScriptedGateway(host, { wallMs: (now) => WALL_MS + now });
  for (const wanted of [42, 43, 44]) {
    host.restart();
    gateway.connected = false;
    host.run(2000);
    put(host, { i32: 5 });
    host.run(2000);
    const [record] = readPack(lastPack(gateway), BASE_NAME);
    assert.deepEqual([record!.boot, record!.sequence], [wanted, 1]);
  }
});

function lastPack(gateway: ScriptedGateway): Uint8Array {
  return gateway.publications.filter(({ topic }) => topic === "data").at(-1)!.payload;
}

test("the power goes after each octet of the entry: no number is repeated", () => {
  for (const [number, entry] of [
    [0, 0],
    [7, 7],
    [0xff, 100],
    [0xffff, 10],
    [ENTRIES - 1, ENTRIES - 1],
  ] as const)
    for (let octets = 0; octets <= 8; octets++) {
      const flash = flashAt(number, 0, entry);
      assert.equal(boot(flash, { write: 1, octets }), undefined);
      const taken = newest(flash);
      const next = boot(flash);
      assert.equal(next, taken + 1);
      assert.ok(next! > number);
    }
});

test("a full sector: a cut in the erase of the other or in its first entry is survived", () => {
  for (const sector of [0, 1]) {
    const other = flashAt(900, 1 - sector, ENTRIES);
    for (const octets of [0, 1, 7, 8, 9, 2048, 4095, 4096]) {
      const flash = flashAt(900 + ENTRIES, sector, ENTRIES);
      const start = (1 - sector) * SECTOR_BYTES;
      flash.set(other.subarray(start, start + SECTOR_BYTES), start);
      assert.equal(boot(flash, { write: 1, octets }), undefined);
      assert.equal(newest(flash), 900 + ENTRIES);
      for (let program = 0; program <= 8; program++) {
        const torn = flash.slice();
        assert.equal(boot(torn, { write: 2, octets: program }), undefined);
        assert.ok([900, 901].includes(newest(torn) - ENTRIES));
        assert.equal(boot(torn), newest(torn));
        assert.ok(newest(torn) > 900 + ENTRIES);
      }
    }
  }
});

test("cuts at random, by seed: numbers only rise", () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const flash = new Uint8Array(2 * SECTOR_BYTES).fill(0xff);
  let last = 0;
  for (let i = 0; i < 1500; i++) {
    const cut = random(3) === 0 ? { write: 1 + random(2), octets: random(9) } : undefined;
    const taken = boot(flash, cut);
    if (taken === undefined) continue;
    assert.ok(taken > last, `${taken} after ${last}`);
    last = taken;
  }
  assert.ok(last > ENTRIES);
});

test("torn entries and foreign octets are passed over", () => {
  const flash = flashAt(10, 0, 10);
  flash.fill(0, 80, 96); // two entries of zeros
  flash[96] = 0x7f;
  assert.equal(boot(flash), 11);
  assert.deepEqual([...flash.subarray(104, 112)], [11, 0, 0, 0, 0xf4, 0xff, 0xff, 0xff]);
  const garbage = new Uint8Array(2 * SECTOR_BYTES).fill(0x5a);
  assert.equal(boot(garbage), 1);
  assert.equal(boot(garbage), 2);
});

test("a broken flash: nothing is sent and readings queue, until it works", () => {
  const host = createLinkHost(module);
  const gateway = createScriptedGateway(host, { wallMs: (now) => WALL_MS + now });
  host.flashBroken = true;
  host.init();
  put(host, { i32: 1 });
  host.run(100_000);
  assert.equal(host.sent.length, 0);
  assert.equal(host.counters()["queued"], 1);
  const calls = host.calls;
  host.run(60_000);
  assert.ok(host.calls - calls < 1000, "not in a hurry");
  host.flashBroken = false;
  host.run(70_000);
  assert.equal(gateway.connects, 1);
  assert.deepEqual(host.waiting(), []);
});

test("an entry that does not read back is not taken: the next place is", () => {
  const flash = flashAt(5, 0, 5);
  const host: LinkHost = createLinkHost(module, { flash });
  host.wornAt = 44; // in the check of the sixth entry
  host.init();
  host.run(500);
  assert.equal(newest(flash), 5);
  assert.equal(host.sent.length, 0);
  host.run(3000);
  assert.equal(newest(flash), 6);
  assert.deepEqual([...flash.subarray(48, 52)], [6, 0, 0, 0]);
  assert.ok(host.sent.length > 0);
});
