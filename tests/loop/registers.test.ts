// SPDX-License-Identifier: MIT
// Goal: a register becomes its raw value, is told when heard, and goes stale.
// Method: the release module of a node with every type and order hears frames made by the test.

import assert from "node:assert/strict";
import test from "node:test";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import { mapRegisters, heardRegisters } from "../support/capture.ts";
import { readRegisters } from "../support/modbus.ts";
import {
  CAUSE_NOT_A_NUMBER,
  CAUSE_STALE,
  KIND_EVENT,
  KIND_READING,
  KIND_STATE,
  QUALITY_BAD,
  TYPE_F32,
  TYPE_I32,
  TYPE_NONE,
  TYPE_U32,
} from "../../firmware/wire/record.ts";

const TICK_US = 10_000;
const CHARACTER_US = 573; // 19,200 baud, 8E1
const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"];
const TYPES = ["u16", "i16", "u32", "i32", "f32"];

const at = (address: number, more: object = {}): object => ({
  kind: "register",
  tap: "bus",
  unitId: 5,
  table: "holding",
  address,
  ...more,
});
const taps = { bus: { uart: 1, protocol: "modbus-rtu", baud: 19_200, format: "8E1" } };

// Every type in every order, all from registers 10 and 11; then channels with rules.
const shapes = ORDERS.flatMap((order) => TYPES.map((type) => ({ order, type })));
const node = parseNode({
  type: "registers",
  taps,
  channels: {
    ...Object.fromEntries(shapes.map((s) => [`${s.type}-${s.order}`, at(10, s)])),
    later: at(31),
    sooner: at(30),
    input: at(30, { table: "input" }),
    other: at(30, { unitId: 6 }),
    quiet: at(40, { type: "f32", scale: 0.1, deadband: 0.5, heartbeatMs: 500 }),
    guarded: at(40, { type: "f32", alarms: { high: { above: 100, hysteresis: 10 } } }),
    scaled: at(42, { scale: 0.5, alarms: { low: { below: 10, hysteresis: 1 } } }),
    fading: at(50, { staleMs: 300, heartbeatMs: 400 }),
    far: at(0x2000),
    counter: at(52, { type: "u32", alarms: { full: { above: 3e9 } } }),
  },
});
const keys = Object.keys(node.channels);
const module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);

function start(wasm = module): LoopHost {
  const host = createLoopHost(wasm);
  host.init();
  return host;
}

/** Lets the bus carry these frames back to back, and ticks until they are taken. */
function hear(host: LoopHost, frames: Uint8Array[]): void {
  const octets = Buffer.concat(frames);
  const times = Array.from(octets, (_, i) => host.nowUs + (i + 1) * CHARACTER_US);
  host.put(0, octets, times);
  while (host.waiting(0) > 0) host.tick(host.nowUs + TICK_US);
}

function idle(host: LoopHost, ms: number): void {
  for (let i = 0; i < ms / 10; i++) host.tick(host.nowUs + TICK_US);
}

function told(host: LoopHost, key: string, kind = KIND_READING) {
  const channel = keys.indexOf(key);
  return host.records.filter((r) => r.kind === kind && r.channel === channel);
}

function float(value: number): number[] {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]!;
  return [bits >>> 16, bits & 0xffff];
}

// What two registers mean, by another road than the firmware's: bytes in order, then a DataView.
function meaning(type: string, order: string, registers: number[]): number {
  const wire = new DataView(new ArrayBuffer(4));
  registers.forEach((value, i) => wire.setUint16(2 * i, value));
  const short = type.endsWith("16");
  const places = short ? (order === "ABCD" || order === "CDAB" ? "AB" : "BA") : order;
  const view = new DataView(new ArrayBuffer(4));
  [...places].forEach((letter, i) => view.setUint8("ABCD".indexOf(letter), wire.getUint8(i)));
  if (type === "u16") return view.getUint16(0);
  if (type === "i16") return view.getInt16(0);
  if (type === "u32") return view.getUint32(0);
  return type === "i32" ? view.getInt32(0) : view.getFloat32(0);
}

test("every type in every order has the value that its octets spell", () => {
  for (const registers of [
    [0x42f6, 0xe979],
    [0xe979, 0x42f6],
    [0x8001, 0x7ffe],
    [0xffff, 0xff00],
  ]) {
    const host = start();
    hear(host, readRegisters(5, 3, 10, registers));
    for (const { type, order } of shapes) {
      const [record] = told(host, `${type}-${order}`);
      const wanted = meaning(type, order, registers);
      const name = `${type} ${order} of ${registers.map((r) => r.toString(16))}`;
      if (type === "f32" && !Number.isFinite(wanted)) {
        assert.deepEqual([record!.quality, record!.type], [QUALITY_BAD, TYPE_NONE], name);
        assert.equal(record!.cause, CAUSE_NOT_A_NUMBER, name);
        continue;
      }
      assert.equal(record!.value, wanted, name);
      const types: Record<string, number> = { u: TYPE_U32, i: TYPE_I32, f: TYPE_F32 };
      assert.equal(record!.type, types[type[0]!], name);
    }
  }
});

test("NaN and the infinities are bad with their cause, whatever their bits", () => {
  for (const [high, low] of [
    [0x7fc0, 0],
    [0xffc0, 1],
    [0x7f80, 0],
    [0xff80, 0],
    [0x7f80, 1],
  ]) {
    const host = start();
    hear(host, readRegisters(5, 3, 40, [high!, low!]));
    const [record] = told(host, "guarded");
    assert.deepEqual([record!.quality, record!.cause, record!.value], [QUALITY_BAD, 5, null]);
  }
});

test("only the register of the right unit and table is taken, in order of the registers", () => {
  const host = start();
  hear(host, readRegisters(5, 3, 29, [1, 2, 3]));
  assert.deepEqual(
    host.records.filter(({ kind }) => kind === KIND_READING).map((r) => [keys[r.channel], r.value]),
    [
      ["sooner", 2],
      ["later", 3],
    ],
  );
  hear(host, [...readRegisters(5, 4, 30, [7]), ...readRegisters(6, 3, 30, [8])]);
  assert.equal(told(host, "input")[0]!.value, 7);
  assert.equal(told(host, "other")[0]!.value, 8);
  assert.equal(told(host, "sooner").length, 1);
});

test("half a 32-bit value is no value", () => {
  const host = start();
  hear(host, [...readRegisters(5, 3, 39, [1, 2]), ...readRegisters(5, 3, 41, [1])]);
  assert.deepEqual(told(host, "quiet"), []);
});

test("a value repeated is told again without a dead band, and by the heartbeat with one", () => {
  const host = start();
  for (let i = 0; i < 6; i++) hear(host, readRegisters(5, 3, 40, float(1234.5)));
  assert.equal(told(host, "guarded").length, 6);
  assert.equal(told(host, "quiet").length, 1);
  hear(host, readRegisters(5, 3, 40, float(1239.5))); // 5 raw steps are the dead band of 0.5
  assert.equal(told(host, "quiet").length, 1);
  hear(host, readRegisters(5, 3, 40, float(1240)));
  assert.equal(told(host, "quiet").length, 2);
  idle(host, 600); // nothing is heard, so nothing is repeated
  assert.equal(told(host, "quiet").length, 2);
  hear(host, readRegisters(5, 3, 40, float(1240)));
  assert.equal(told(host, "quiet").length, 3);
});

test("alarm limits work on floats, on scaled and on large unsigned values", () => {
  const host = start();
  for (const value of [100, 100.5, 91, 90]) hear(host, readRegisters(5, 3, 40, float(value)));
  assert.deepEqual(
    told(host, "guarded", KIND_EVENT).map(({ active, value, type }) => [active, value, type]),
    [
      [1, 100.5, TYPE_F32],
      [0, 90, TYPE_F32],
    ],
  );
  for (const value of [20, 19, 21, 22]) hear(host, readRegisters(5, 3, 42, [value]));
  assert.deepEqual(
    told(host, "scaled", KIND_EVENT).map(({ active, value }) => [active, value]),
    [
      [1, 19],
      [0, 22],
    ],
  );
  for (const value of [3e9, 3e9 + 1, 1]) {
    hear(host, readRegisters(5, 3, 52, [Math.floor(value / 65_536), value % 65_536]));
  }
  assert.deepEqual(
    told(host, "counter", KIND_EVENT).map(({ active, value }) => [active, value]),
    [
      [1, 3e9 + 1],
      [0, 1],
    ],
  );
});

test("a silent register goes stale once, is repeated by the heartbeat, and comes back", () => {
  const host = start();
  idle(host, 300);
  assert.deepEqual(told(host, "fading"), []);
  idle(host, 10);
  const causes = () => told(host, "fading").map(({ cause, value }) => value ?? -cause);
  assert.deepEqual(causes(), [-CAUSE_STALE]);
  idle(host, 390);
  assert.deepEqual(causes(), [-CAUSE_STALE]);
  idle(host, 10);
  assert.deepEqual(causes(), [-CAUSE_STALE, -CAUSE_STALE]);
  hear(host, readRegisters(5, 3, 50, [77]));
  assert.deepEqual(causes(), [-CAUSE_STALE, -CAUSE_STALE, 77]);
  idle(host, 200);
  hear(host, readRegisters(5, 3, 50, [78]));
  idle(host, 300);
  assert.deepEqual(causes().slice(2), [77, 78]);
  idle(host, 10);
  assert.deepEqual(causes().slice(2), [77, 78, -CAUSE_STALE]);
});

test("an answer of 125 registers is told whole in the tick that ends it", async () => {
  const values = Array.from({ length: 125 }, (_, i) => 50_000 + i);
  const registers = values.map((value, i) => ({ unit: 5, code: 3, address: 1000 + i, value }));
  const all = mapRegisters(registers, { baud: 19_200, format: "8E1" });
  const host = start(new WebAssembly.Module((await buildLoop(all)) as BufferSource));
  hear(host, readRegisters(5, 3, 1000, values));
  assert.deepEqual(heardRegisters(all, host.records), registers);
  const times = new Set(
    host.records.filter(({ kind }) => kind === KIND_READING).map(({ timeUs }) => timeUs),
  );
  assert.equal(times.size, 1);
});

test("the counters of a tap are told in the first tick and every 10 s", () => {
  const host = start();
  idle(host, 35_000);
  const states = host.records.filter(({ kind }) => kind === KIND_STATE);
  assert.deepEqual(
    states.map(({ timeUs }) => timeUs / 1_000_000),
    [0.01, 10.01, 20.01, 30.01],
  );
  assert.deepEqual(
    states.map(({ channel }) => channel),
    [0, 0, 0, 0],
  );
});

test("two taps are heard apart: each has its own requests, answers and counters", async () => {
  const bus = { protocol: "modbus-rtu", baud: 19_200, format: "8E1" };
  const two = parseNode({
    type: "two",
    taps: { first: { ...bus, uart: 0 }, second: { ...bus, uart: 1 } },
    channels: { a: at(1, { tap: "first" }), b: at(1, { tap: "second" }) },
  });
  const host = start(new WebAssembly.Module((await buildLoop(two)) as BufferSource));
  const [request, answer] = readRegisters(5, 3, 1, [11]);
  const times = (octets: Uint8Array): number[] => [...octets].map((_, i) => (i + 1) * CHARACTER_US);
  host.put(0, request, times(request)); // the answer on the other wire is nobody's
  host.put(1, answer, times(answer));
  idle(host, 100);
  assert.deepEqual(told(host, "a"), []);
  hear(host, readRegisters(5, 3, 1, [22]));
  idle(host, 12_000);
  const readings = host.records.filter(({ kind }) => kind === KIND_READING);
  assert.deepEqual(
    readings.map(({ channel, value }) => [channel, value]),
    [[0, 22]],
  );
  const states = host.records.filter(({ kind }) => kind === KIND_STATE).slice(-2);
  assert.deepEqual(
    states.map(({ channel, counters }) => [channel, counters[2], counters[5], counters[6]]),
    [
      [0, 2, 1, 0],
      [1, 0, 0, 1],
    ],
  );
});

test("a damaged byte count holds a good pair up for 40 characters and 20 ms, not longer", () => {
  const host = start();
  const head = Uint8Array.of(5, 3, 250); // an answer of 255 octets that never comes
  hear(host, [head, ...readRegisters(5, 3, 30, [7])]);
  assert.deepEqual(told(host, "sooner"), []);
  idle(host, 60);
  assert.equal(told(host, "sooner").length, 1);
});

test("a good answer is told in the tick of its last octet, whatever was awaited before", () => {
  const host = start();
  hear(host, readRegisters(5, 3, 100, new Array<number>(100).fill(1)));
  hear(host, readRegisters(5, 3, 30, [7])); // together shorter than the answer before
  assert.equal(told(host, "sooner").length, 1);
  // Read as an answer, this request would have 32 octets to come; nobody asked for such a one.
  hear(host, readRegisters(5, 3, 0x2000, [8]));
  assert.equal(told(host, "far").length, 1);
});
