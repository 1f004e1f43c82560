// SPDX-License-Identifier: MIT
// Goal: a tap learns what goes over its line and tells what a plant wants to know.
// Method: exchanges of a made-up bus through the release module; the records are read by hand.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { INVENTORY_POLLS_MAX, INVENTORY_REGISTERS_MAX } from "../../firmware/limits.ts";
import { NOTICE_NAMES } from "../../firmware/wire/notice-names.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import { frame, readRegisters } from "../support/modbus.ts";

const PERIOD_US = 10_000;
const CHARACTER_US = 573; // 19,200 8E1
const [KIND_FINDING, KIND_NOTICE] = [6, 7];

const node = parseNode({
  type: "tapped",
  taps: {
    bus: {
      uart: 0,
      protocol: "modbus-rtu",
      baud: 19200,
      format: "8E1",
      learn: true,
      notices: true,
    },
  },
  channels: { mean: { kind: "computed" } },
});

let module: WebAssembly.Module;
before(async () => {
  module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);
});

interface Bus {
  host: LoopHost;
  nowUs: number;
}

function start(): Bus {
  const host = createLoopHost(module);
  host.init();
  return { host, nowUs: 0 };
}

function wait(bus: Bus, ms: number): void {
  const endUs = bus.nowUs + ms * 1000;
  while (bus.nowUs < endUs) bus.host.tick((bus.nowUs += PERIOD_US));
}

/** One question, its answer 5 ms after it or never, and the pause until the next. */
function exchange(bus: Bus, request: Uint8Array, answer?: Uint8Array, pauseMs = 100): void {
  const doneUs = bus.nowUs + request.length * CHARACTER_US;
  const ends = (count: number, fromUs: number): number[] =>
    Array.from({ length: count }, (_, i) => fromUs + (i + 1) * CHARACTER_US);
  const reply = answer ?? new Uint8Array(0);
  const times = [...ends(request.length, bus.nowUs), ...ends(reply.length, doneUs + 5000)];
  bus.host.put(0, Uint8Array.from([...request, ...reply]), times);
  wait(bus, pauseMs + Math.ceil((times.at(-1)! - bus.nowUs) / 1000));
}

const word = (value: number): number[] => [value >> 8, value & 255];
const ask = (unit: number, code: number, address: number, quantity: number): Uint8Array =>
  frame([unit, code, ...word(address), ...word(quantity)]);
const refuse = (unit: number, code: number, reason: number): Uint8Array =>
  frame([unit, code | 128, reason]);

interface RegisterRow {
  unit: number;
  code: number;
  address: number;
  value: number;
  min: number;
  max: number;
  writes: number;
  changes: number;
  samples: number;
}

/** The latest row of each register. */
function registersOf({ host }: Bus): Map<string, RegisterRow> {
  const rows = new Map<string, RegisterRow>();
  for (const { kind, alarm, octets } of host.records)
    if (kind === KIND_FINDING && alarm === 1)
      for (let at = 0; at < octets!.byteLength; at += 20) {
        const u16 = (offset: number): number => octets!.getUint16(at + offset, true);
        const u32 = (offset: number): number => octets!.getUint32(at + offset, true);
        const [unit, code, address] = [octets!.getUint8(at), octets!.getUint8(at + 1), u16(2)];
        rows.set(`${unit}/${code}/${address}`, {
          ...{ unit, code, address, value: u16(4), min: u16(6), max: u16(8) },
          ...{ writes: u16(10), changes: u32(12), samples: u32(16) },
        });
      }
  return rows;
}

interface PollRow {
  quantity: number;
  reason: number;
  answered: number;
  exceptions: number;
  unanswered: number;
  periodMs: number;
  answerUs: number;
}

function pollsOf({ host }: Bus): Map<string, PollRow> {
  const rows = new Map<string, PollRow>();
  for (const { kind, alarm, octets } of host.records)
    if (kind === KIND_FINDING && alarm === 2)
      for (let at = 0; at < octets!.byteLength; at += 32) {
        const u16 = (offset: number): number => octets!.getUint16(at + offset, true);
        const u32 = (offset: number): number => octets!.getUint32(at + offset, true);
        rows.set(`${octets!.getUint8(at)}/${octets!.getUint8(at + 1)}/${u16(2)}`, {
          ...{ quantity: u16(4), reason: u16(6), answered: u32(8), exceptions: u32(12) },
          ...{ unanswered: u32(16), periodMs: u32(20), answerUs: u32(24) },
        });
      }
  return rows;
}

const totalsOf = ({ host }: Bus): number[] | undefined => {
  const last = host.records.findLast(({ kind, alarm }) => kind === KIND_FINDING && alarm === 3);
  const view = last?.octets;
  if (view === undefined) return undefined;
  return [
    view.getUint16(0, true),
    view.getUint16(2, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
  ];
};

interface Notice {
  word: string;
  unit: number;
  code: number;
  address: number;
  quantity: number;
  value: number;
  times: number;
}

function noticesOf({ host }: Bus): Notice[] {
  return host.records.flatMap(({ kind, octets: v }) =>
    kind === KIND_NOTICE
      ? [
          {
            ...{
              word: NOTICE_NAMES[v!.getUint8(0) - 1]!,
              unit: v!.getUint8(1),
              code: v!.getUint8(2),
            },
            ...{ address: v!.getUint16(4, true), quantity: v!.getUint16(6, true) },
            ...{ value: v!.getUint32(8, true), times: v!.getUint16(12, true) },
          },
        ]
      : [],
  );
}

test("registers are learned with their values, questions with their timing", () => {
  const bus = start();
  for (let i = 0; i < 20; i++) {
    exchange(bus, ...readRegisters(17, 3, 100, [500 + i, 7]), 500 - 50);
    exchange(bus, ask(17, 1, 19, 37), frame([17, 1, 5, 0xcd, 0x6b, 0xb2, i, 0x1b]));
  }
  exchange(bus, frame([17, 6, ...word(101), ...word(9)]), frame([17, 6, ...word(101), ...word(9)]));
  exchange(bus, ask(17, 4, 5, 1), refuse(17, 4, 2));
  exchange(bus, ask(18, 4, 5, 1), undefined, 1200);
  wait(bus, 12_000);
  const registers = registersOf(bus);
  assert.deepEqual(registers.get("17/3/100"), {
    ...{ unit: 17, code: 3, address: 100, value: 519, min: 500, max: 519 },
    ...{ writes: 0, changes: 19, samples: 20 },
  });
  assert.deepEqual(registers.get("17/3/101"), {
    ...{ unit: 17, code: 3, address: 101, value: 9, min: 7, max: 9 },
    ...{ writes: 1, changes: 1, samples: 20 },
  });
  const coils = registers.get("17/1/35")!; // the second word of coils, of which octets B2 and i
  assert.deepEqual([coils.value, coils.min, coils.max], [0x13b2, 0x00b2, 0x1fb2]);
  assert.equal(registers.size, 2 + 3);
  const poll = pollsOf(bus).get("17/3/100")!;
  assert.deepEqual([poll.quantity, poll.answered, poll.exceptions, poll.unanswered], [2, 20, 0, 0]);
  assert.ok(Math.abs(poll.periodMs - 560) < 40, `a period of ${poll.periodMs} ms`);
  assert.ok(
    Math.abs(poll.answerUs - (5000 + 9 * CHARACTER_US)) < 1200,
    `answers in ${poll.answerUs} µs`,
  );
  assert.deepEqual(pollsOf(bus).get("17/4/5"), {
    ...{ quantity: 1, reason: 2, answered: 0, exceptions: 1, unanswered: 0, periodMs: 0 },
    answerUs: pollsOf(bus).get("17/4/5")!.answerUs,
  });
  assert.equal(pollsOf(bus).get("18/4/5")!.unanswered, 1);
  assert.deepEqual(totalsOf(bus), [5, 5, 0, 0]);
});

test("each row is told again within a minute, and records keep their distance", () => {
  const bus = start();
  const values = Array.from({ length: 125 }, (_, i) => i);
  for (let i = 0; i < 10; i++) exchange(bus, ...readRegisters(1, 4, 0, values), 300);
  wait(bus, 5000);
  assert.equal(registersOf(bus).size, 125);
  bus.host.records.length = 0;
  wait(bus, 60_000);
  assert.equal(registersOf(bus).size, 125, "a hub that comes now learns all");
  const times = bus.host.records
    .filter(({ kind }) => kind === KIND_FINDING)
    .map(({ timeUs }) => timeUs);
  times.forEach((timeUs, i) => assert.ok(i === 0 || timeUs - times[i - 1]! >= 50_000));
});

test("what finds no place is counted", () => {
  const bus = start();
  const values = Array.from({ length: 100 }, (_, i) => i);
  for (let i = 0; i < 12; i++)
    for (let unit = 1; unit <= 3; unit++) exchange(bus, ...readRegisters(unit, 3, 0, values), 200);
  for (let i = 0; i < INVENTORY_POLLS_MAX; i++) exchange(bus, ...readRegisters(9, 4, i, [1]), 20);
  wait(bus, 12_000);
  const [registers, polls, registersLeftOut, pollsLeftOut] = totalsOf(bus)!;
  assert.deepEqual([registers, polls], [INVENTORY_REGISTERS_MAX, INVENTORY_POLLS_MAX]);
  assert.ok(registersLeftOut! > 100);
  assert.equal(pollsLeftOut, 3);
  assert.equal(registersOf(bus).size, INVENTORY_REGISTERS_MAX);
});

test("a full ring costs no row and no notice: they are told when there is room", () => {
  const bus = start();
  bus.host.ringFull = true;
  exchange(bus, ...readRegisters(17, 3, 100, [1, 2, 3, 4]));
  exchange(bus, frame([17, 5, ...word(3), 255, 0]), frame([17, 5, ...word(3), 255, 0]));
  wait(bus, 3000);
  bus.host.records.length = 0;
  bus.host.ringFull = false;
  wait(bus, 2000);
  assert.equal(registersOf(bus).size, 4);
  const wanted = {
    word: "write",
    unit: 17,
    code: 5,
    address: 3,
    quantity: 1,
    value: 0xff00,
    times: 1,
  };
  assert.deepEqual(noticesOf(bus), [wanted]);
});

test("writes of a unit are told at once, the next after five minutes with their number", () => {
  const bus = start();
  const write = frame([17, 16, ...word(40), ...word(1), 2, ...word(1234)]);
  const answer = frame([17, 16, ...word(40), ...word(1)]);
  for (let i = 0; i < 5; i++) exchange(bus, write, answer, 900);
  exchange(bus, frame([18, 6, ...word(2), ...word(3)]), frame([18, 6, ...word(2), ...word(3)]));
  exchange(bus, frame([0, 6, ...word(2), ...word(4)])); // to all, which nobody answers
  wait(bus, 310_000);
  const of = (
    unit: number,
    code: number,
    address: number,
    value: number,
    times: number,
  ): Notice => {
    return { word: "write", unit, code, address, quantity: 1, value, times };
  };
  assert.deepEqual(noticesOf(bus), [
    of(17, 16, 40, 1234, 1),
    of(18, 6, 2, 3, 1),
    of(0, 6, 2, 4, 1),
    of(17, 16, 40, 1234, 4),
  ]);
});

test("asking who is there, sweeps, probes and exceptions are told; ordinary traffic is not", () => {
  const bus = start();
  for (let i = 0; i < 40; i++) exchange(bus, ...readRegisters(17, 3, 100, [i, 7]));
  assert.deepEqual(noticesOf(bus), []);
  for (let unit = 60; unit < 66; unit++) exchange(bus, ask(unit, 3, 0, 1), undefined, 1200);
  exchange(bus, frame([17, 17]), frame([17, 17, 3, 65, 66, 255]));
  exchange(bus, frame([17, 17]), frame([17, 17, 3, 65, 66, 255]));
  for (let i = 0; i < 9; i++) exchange(bus, ask(17, 3, 1000 + i, 1), refuse(17, 3, 2));
  for (let i = 0; i < 9; i++) exchange(bus, ask(17, 3, 100, 2), refuse(17, 3, 4));
  exchange(bus, frame([17, 8, ...word(4), ...word(0)]), undefined, 1200);
  wait(bus, 70_000);
  assert.deepEqual(
    noticesOf(bus).map(({ word: what, unit }) => [what, unit]),
    [
      ["unit-sweep", 255],
      ["identification", 17],
      ["probing", 17],
      ["exceptions", 17],
      ["listen-only", 17],
    ],
  );
});

test("after ten minutes new units and questions are told, and a silent unit", () => {
  const bus = start();
  for (let i = 0; i < 610; i++) exchange(bus, ...readRegisters(17, 3, 100, [1, 2]), 980);
  assert.deepEqual(noticesOf(bus), []);
  exchange(bus, ...readRegisters(23, 3, 100, [1]));
  for (let i = 0; i < 9; i++) exchange(bus, ...readRegisters(17, 4, i, [1]));
  for (let i = 0; i < 7; i++) exchange(bus, ask(17, 3, 100, 2), undefined, 1200);
  wait(bus, 1000);
  assert.deepEqual(
    noticesOf(bus).map(({ word: what, unit }) => [what, unit]),
    [
      ["new-unit", 23],
      ["address-sweep", 17],
      ["unit-silent", 17],
    ],
  );
});

test("a flood of notices is held back, and what has no place is counted in one", () => {
  const bus = start();
  for (let unit = 1; unit <= 40; unit++) {
    const write = frame([unit, 6, ...word(2), ...word(3)]);
    exchange(bus, write, write, 20);
  }
  assert.ok(noticesOf(bus).length <= 9);
  wait(bus, 120_000);
  const told = noticesOf(bus);
  const writes = told.filter(({ word: what }) => what === "write").length;
  const overflow = told.filter(({ word: what }) => what === "overflow");
  assert.equal(writes + overflow.reduce((sum, { value }) => sum + value, 0), 40);
  assert.ok(overflow.length >= 1);
});
