// SPDX-License-Identifier: MIT
// Goal: registers become a text, told when it changes; none of its octets raw.
//
// Spec: SPEC.md §1.4, §19. Method: the release module of a node with texts hears frames made by the test; the model cuts and
// replaces with regular expressions.

import assert from "node:assert/strict";
import test from "node:test";
import { nodeSchema } from "../../scripts/build/schema.ts";
import { QUALITY_BAD, QUALITY_GOOD, QUALITY_UNCERTAIN } from "../../firmware/wire/record.ts";
import { KIND_READING, TYPE_BYTES } from "../../firmware/wire/record.ts";
import {
  buildLoop,
  createLoopHost,
  hearFrames,
  parseNode,
  type LoopHost,
} from "../support/loop-host.ts";
import { frame, readRegisters } from "../support/modbus.ts";

const TICK_US = 10_000;

const text = (address: number, registers: number, more: object = {}): object => ({
  ...{ kind: "register", tap: "bus", unitId: 5, table: "holding" },
  ...{ address, type: "text", registers, ...more },
});
const node = (channels: object) => ({
  type: "texts",
  taps: { bus: { uart: 0, protocol: "modbus-rtu", baud: 19_200, format: "8E1" } },
  channels,
});
const channels = {
  number: { kind: "register", tap: "bus", unitId: 5, table: "holding", address: 100, deadband: 0 },
  recipe: text(100, 4, { staleMs: 60_000, heartbeatMs: 20_000 }),
  swapped: text(100, 4, { order: "BADC" }),
  one: text(103, 1, { fromWrites: true }),
  long: text(200, 32),
};
const keys = Object.keys(channels);
const module = new WebAssembly.Module((await buildLoop(parseNode(node(channels)))) as BufferSource);

function start(): LoopHost {
  const host = createLoopHost(module);
  host.init();
  return host;
}

const words = (octets: Buffer): number[] =>
  Array.from({ length: octets.length / 2 }, (_, i) => octets.readUInt16BE(2 * i));

/** What was told of a channel: texts as texts, bad ones as null; and their qualities. */
function told(host: LoopHost, key: string): [string | null, number][] {
  return host.records
    .filter((r) => r.kind === KIND_READING && r.channel === keys.indexOf(key))
    .map(({ octets, type, quality }) => {
      if (type !== TYPE_BYTES) return [null, quality];
      const { buffer, byteOffset, byteLength } = octets!;
      return [Buffer.from(buffer, byteOffset, byteLength).toString("latin1"), quality];
    });
}

function modelled(octets: Buffer): [string, number] {
  const shown = octets.toString("latin1").replace(/\0.*$/s, "").replace(/^ +/, "");
  const text = shown.replace(/[^\x20-\x7e]/g, "?").replace(/ +$/, "");
  return [text, text === shown.replace(/ +$/, "") ? QUALITY_GOOD : QUALITY_UNCERTAIN];
}

test("a text ends at NUL, loses blanks at both ends, and shows what is not printable as ?", () => {
  const cases = ["RECIPE-7", "ABC\0\0\0\0\0", "  ABC   ", "\0BCDEFGH", "        ", "A B \0xyz"];
  cases.push(
    "~\x7f\x80\xff{}|\x20",
    "\x1b[31mabc",
    "\r\n\t\x01\x1f   ",
    "<b>&'\"`a",
    "\xe4\xf6\xfc\xdf    ",
  );
  for (const one of cases) {
    const octets = Buffer.from(one, "latin1");
    assert.equal(octets.length, 8, one);
    const host = start();
    hearFrames(host, ...readRegisters(5, 3, 100, words(octets)));
    assert.deepEqual(told(host, "recipe"), [modelled(octets)], JSON.stringify(one));
    assert.deepEqual(told(host, "swapped"), [modelled(Buffer.from(octets).swap16())], one);
    assert.deepEqual(told(host, "one"), [modelled(octets.subarray(6))], one);
    assert.equal(told(host, "number").length, 1, "a number beside it goes its way");
  }
});

test("every octet is told as itself or as ?; 64 of them are", () => {
  for (let first = 0; first < 256; first += 64) {
    const octets = Buffer.from(Array.from({ length: 64 }, (_, i) => first + i || 1));
    const host = start();
    hearFrames(host, ...readRegisters(5, 3, 200, words(octets)));
    assert.deepEqual(told(host, "long"), [modelled(octets)], String(first));
  }
});

test("a text is told when it changes and at its heartbeat, and is bad when it is stale", () => {
  const host = start();
  const say = (name: string): void =>
    hearFrames(host, ...readRegisters(5, 3, 100, words(Buffer.from(name.padEnd(8, "\0")))));
  const wait = (ms: number): void => {
    for (const end = host.nowUs + ms * 1000; host.nowUs < end;) host.tick(host.nowUs + TICK_US);
  };
  for (const name of ["RED", "RED", "RED", "BLUE", "RED", "RED\0 X"]) say(name);
  const good = (name: string): [string, number] => [name, QUALITY_GOOD];
  assert.deepEqual(told(host, "recipe"), ["RED", "BLUE", "RED"].map(good));
  wait(21_000);
  say("RED");
  assert.deepEqual(told(host, "recipe").at(-1), good("RED"), "heartbeat");
  assert.equal(told(host, "recipe").length, 4);
  wait(61_000);
  assert.deepEqual(told(host, "recipe").at(-1), [null, QUALITY_BAD], "stale");
  say("RED");
  assert.deepEqual(told(host, "recipe").at(-1), good("RED"), "heard again");
});

test("what is written is a text too where it is asked for; a part of it is none", () => {
  const host = start();
  const echo = (...octets: number[]): Uint8Array[] => [frame(octets), frame(octets)];
  hearFrames(host, ...echo(5, 6, 0, 103, 0x4f, 0x4b));
  assert.deepEqual(told(host, "one"), [["OK", QUALITY_GOOD]]);
  assert.deepEqual(told(host, "recipe"), [], "it does not take what is written");
  hearFrames(host, ...readRegisters(5, 3, 101, [0x4142, 0x4344, 0x4546]));
  assert.deepEqual(told(host, "recipe"), [], "three of its four registers");
  hearFrames(host, ...echo(5, 0x16, 0, 103, 0, 0, 0x41, 0x42));
  assert.deepEqual(told(host, "one").length, 2, "a mask is no text");
});

test("a node.json with a text that cannot be is refused where it is wrong", () => {
  const refused = (channel: object): string[] => {
    const found = nodeSchema.safeParse(node({ t: channel, a: text(0, 1) }));
    return found.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
  };
  const cases: [object, RegExp][] = [
    [text(0, 0), /registers/],
    [text(0, 33), /registers/],
    [text(0, 4, { registers: undefined }), /registers: a text needs it: 8 for 16 .*; at most 32/],
    [text(65_535, 2), /registers: the text ends beyond register 65535/],
    [text(0, 4, { order: "CDAB" }), /order: a text has ABCD, or BADC/],
    [text(0, 4, { order: "BADCFEHG" }), /order: a text has ABCD/],
    [text(0, 4, { deadband: 1 }), /deadband: a text is told when it changes/],
    [text(0, 4, { unit: "kg" }), /unit: a text has none/],
    [text(0, 4, { scale: 0.1 }), /scale: a text is not scaled/],
    [text(0, 4, { divide: 10 }), /divide: a text is not divided/],
    [text(0, 4, { bit: 1 }), /bit: a text has no bits/],
    [text(0, 4, { alarms: { high: { above: 1 } } }), /alarms: a text is above or below nothing/],
    [text(0, 4, { table: "coil" }), /type: a coil is one bit/],
    [text(0, 4, { table: "input", fromWrites: true }), /fromWrites: nobody writes/],
    [text(0, 4, { type: "u16" }), /registers: only a text says how many/],
    [{ kind: "state", run: { channel: "a", equals: 1 } }, /run.channel: "a" is a text/],
  ];
  for (const [channel, message] of cases) {
    const lines = refused(channel);
    assert.match(lines.join("\n"), message);
    assert.equal(lines.length, 1, lines.join("\n"));
  }
  assert.deepEqual(refused(text(0, 32, { order: "BADC", heartbeatMs: 1000 })), []);
});
