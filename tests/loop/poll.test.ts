// SPDX-License-Identifier: MIT
// Goal: a tap that polls asks what its channels name, and its values are true.
// A question reads as much as it may; what a channel says is what its unit held.
// Method: the release module asks the simulator's units, which have framing, CRC and values of their own, over a
// line with character times; echoes, damage, silent units, exceptions and a second master are put onto that line.

import assert from "node:assert/strict";
import test from "node:test";
import {
  type Asked,
  createSlaves,
  type SlaveRegister,
  type Slaves,
} from "../../host-sim/devices/slaves.ts";
import { characterUs } from "../../host-sim/devices/wire.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { NOTICE_SECOND_MASTER } from "../../firmware/wire/finding.ts";
import {
  CAUSE_NO_INPUT,
  CAUSE_NONE,
  CAUSE_STALE,
  KIND_NOTICE,
  KIND_READING,
  KIND_STATE,
  TYPE_BYTES,
} from "../../firmware/wire/record.ts";
import { questionsOf } from "../../scripts/build/polls.ts";
import { orderCode, registersOf, tableCode } from "../../scripts/build/registers.ts";
import type { NodeType, RegisterChannel } from "../../scripts/build/schema.ts";
import { buildLoop, createLoopHost, type LoopHost, parseNode } from "../support/loop-host.ts";

const TICK_US = 10_000;

const register = (unitId: number, address: number, more: object = {}): object => ({
  ...{ kind: "register", tap: "bus", table: "holding", unitId, address },
  ...more,
});
const CHANNELS = {
  speed: register(1, 10),
  load: register(1, 11, { type: "i16" }),
  energy: register(1, 12, { type: "u32", order: "CDAB" }),
  far: register(1, 40, { type: "f32" }),
  total: register(2, 100, { table: "input", type: "u64", divide: 10 }),
  flow: register(2, 104, { table: "input", type: "f64", order: "DCBA" }),
  ready: register(2, 5, { table: "coil" }),
  open: register(2, 21, { table: "coil" }),
  door: register(3, 7, { table: "discrete" }),
};

function nodeOf(channels: object, tap: object = {}): NodeType {
  const bus = { protocol: "modbus-rtu", uart: 0, baud: 19_200, format: "8E1", mode: "poll" };
  return parseNode({ type: "asker", channels, taps: { bus: { ...bus, ...tap } } });
}

interface Rig {
  host: LoopHost;
  slaves: Slaves;
  sent: { atUs: number; octets: number[] }[];
  asked: Asked[]; // all of them
  /** Other octets on the line, each with its end. */
  extra: { endUs: number; byte: number }[];
  spoil: (byte: number, endUs: number) => number | undefined;
  runMs(ms: number): void;
}

interface Options {
  echo?: boolean;
  holds?: readonly SlaveRegister[];
}

async function rigOf(node: NodeType, { echo = false, holds }: Options = {}): Promise<Rig> {
  const { protocol, baud, format } = node.taps["bus"]!;
  const registers = Object.values(node.channels)
    .filter((one): one is RegisterChannel => one.kind === "register")
    .map((one) => ({
      ...{ unit: one.unitId, code: tableCode(one), address: one.address },
      ...{ type: one.type, order: orderCode(one), registers: registersOf(one) },
    }));
  const ascii = protocol === "modbus-ascii";
  const setup = { tap: 0, baud, format, ascii, registers: holds ?? registers, echo };
  const slaves = createSlaves(setup, createPrng(7));
  const host = createLoopHost(await buildLoop(node));
  const perCharacterUs = characterUs(baud, format);
  const rig: Rig = {
    ...{ host, slaves, sent: [], asked: [], extra: [] },
    spoil: (byte) => byte,
    runMs(ms) {
      const end = host.nowUs + ms * 1000;
      for (let nowUs = host.nowUs + TICK_US; nowUs <= end; nowUs += TICK_US) {
        const heard: { endUs: number; byte: number }[] = [];
        slaves.advance(nowUs, (_tap, endUs, byte) => {
          const spoilt = rig.spoil(byte, endUs);
          if (spoilt !== undefined) heard.push({ endUs, byte: spoilt });
        });
        while ((rig.extra[0]?.endUs ?? Infinity) <= nowUs) heard.push(rig.extra.shift()!);
        heard.sort((a, b) => a.endUs - b.endUs);
        host.put(
          0,
          Uint8Array.from(heard, ({ byte }) => byte),
          heard.map(({ endUs }) => endUs),
        );
        host.tick(nowUs);
      }
    },
  };
  host.send = (tap, octets) => {
    const before = slaves.asked.at(-1);
    rig.sent.push({ atUs: host.nowUs, octets: [...octets] });
    octets.forEach((octet, i) =>
      slaves.hear?.(tap, Math.round(host.nowUs + (i + 1) * perCharacterUs), octet, 0),
    );
    const latest = slaves.asked.at(-1);
    if (latest !== undefined && latest !== before) rig.asked.push(latest);
    return 1;
  };
  host.init();
  return rig;
}

const readings = ({ host }: Rig, channel: number) =>
  host.records.filter((one) => one.kind === KIND_READING && one.channel === channel);
const good = (rig: Rig, channel: number) =>
  readings(rig, channel).filter(({ quality }) => quality === 0);
const counters = ({ host }: Rig): number[] =>
  host.records.filter(({ kind }) => kind === KIND_STATE).at(-1)!.counters;
const PAIRS = 5;
const UNANSWERED = 7;

// What a channel says of the words that its unit held: written down here once more, from the definitions.
function valueOf(channel: RegisterChannel, words: number[]): number {
  if (channel.table === "coil" || channel.table === "discrete") return words[0]!;
  const order = orderCode(channel);
  const view = new DataView(new ArrayBuffer(8));
  const inOrder = (order & 1) !== 0 ? words.toReversed() : words;
  inOrder.forEach((word, i) => view.setUint16(2 * i, word, (order & 2) !== 0));
  switch (channel.type) {
    case "u16":
      return view.getUint16(0);
    case "i16":
      return view.getInt16(0);
    case "u32":
      return view.getUint32(0);
    case "i32":
      return view.getInt32(0);
    case "f32":
      return view.getFloat32(0);
    case "f64":
      return Math.fround(view.getFloat64(0));
    case "u64":
      return Math.round(Number(view.getBigUint64(0)) / channel.divide);
    default:
      throw new Error(channel.type);
  }
}

/** Each good reading of each channel is what the unit held when a question for it ended. */
function assertValues(rig: Rig, node: NodeType): number {
  let compared = 0;
  Object.entries(node.channels).forEach(([name, channel], index) => {
    if (channel.kind !== "register") return;
    const questions = rig.asked.filter(
      ({ octets: [unit, code, high, low, , quantity] }) =>
        unit === channel.unitId &&
        code === tableCode(channel) &&
        channel.address >= high! * 256 + low! &&
        channel.address < high! * 256 + low! + quantity!,
    );
    const held = questions.map(({ atUs }) => {
      const words = [0, 1, 2, 3].map((i) =>
        rig.slaves.holds(channel.unitId, tableCode(channel), channel.address + i, atUs),
      );
      const count = channel.type.endsWith("64") ? 4 : channel.type.endsWith("32") ? 2 : 1;
      return { atUs, value: valueOf(channel, words.slice(0, count) as number[]) };
    });
    for (const { timeUs, value } of good(rig, index)) {
      const near = held.filter(({ atUs }) => atUs < timeUs && timeUs - atUs < 1_000_000);
      assert.ok(
        near.some((one) => one.value === value),
        `${name} ${String(value)} at ${timeUs}: ${JSON.stringify(near)}`,
      );
      compared++;
    }
  });
  return compared;
}

for (const protocol of ["modbus-rtu", "modbus-ascii"])
  for (const echo of [false, true])
    test(`a value is what the unit held: ${protocol}${echo ? ", with echo" : ""}`, async () => {
      const node = nodeOf(CHANNELS, { protocol });
      const rig = await rigOf(node, { echo });
      rig.runMs(31_000);
      assert.deepEqual(
        questionsOf(node, "bus").map((one) => Object.values(one)),
        [
          [1, 3, 10, 4],
          [1, 3, 40, 2],
          [2, 1, 5, 1],
          [2, 1, 21, 1],
          [2, 4, 100, 8],
          [3, 2, 7, 1],
        ],
      );
      assert.ok(rig.sent.length >= 6 * 29 && rig.sent.length <= 6 * 31, `${rig.sent.length}`);
      assert.ok(assertValues(rig, node) >= 29 * Object.keys(CHANNELS).length);
      const [, , requests, responses, exceptions, pairs, orphans, unanswered] = counters(rig);
      assert.deepEqual([exceptions, orphans, unanswered], [0, 0, 0]);
      assert.ok(requests! - responses! <= 1 && pairs === responses && pairs! > 100);
    });

test("3.5 characters of silence stand before each question", async () => {
  const rig = await rigOf(nodeOf(CHANNELS));
  const ends: number[] = [];
  rig.spoil = (byte, endUs) => {
    ends.push(endUs);
    return byte;
  };
  rig.runMs(5_000);
  const gapUs = 3.5 * characterUs(19_200, "8E1");
  for (const { atUs } of rig.sent.slice(1)) {
    const before = ends.filter((endUs) => endUs <= atUs).at(-1)!;
    assert.ok(atUs - before >= gapUs, `${atUs - before}`);
  }
});

test("bridge joins what lies near; without it no undeclared register is read", () => {
  const at = (list: readonly object[], tap: object = {}) => {
    const channels = Object.fromEntries(list.map((one, i) => [`c${i}`, one]));
    return questionsOf(nodeOf(channels, { everyMs: 10_000, ...tap }), "bus").map((one) => [
      one.address,
      one.quantity,
    ]);
  };
  const three = [register(1, 0), register(1, 9), register(1, 20)];
  assert.deepEqual(at(three), [
    [0, 1],
    [9, 1],
    [20, 1],
  ]);
  assert.deepEqual(at(three, { bridge: 8 }), [
    [0, 10],
    [20, 1],
  ]);
  assert.deepEqual(at(three, { bridge: 10 }), [[0, 21]]);
  const many = Array.from({ length: 200 }, (_, i) => register(1, 1000 + i));
  assert.deepEqual(at(many), [
    [1000, 125],
    [1125, 75],
  ]);
  // A pair is never cut: 124 registers, then one of two.
  const odd = [...many.slice(0, 124), register(1, 1124, { type: "u32" })];
  assert.deepEqual(at(odd), [
    [1000, 124],
    [1124, 2],
  ]);
  // 17 to 24 bits from 300 hexadecimal on could be answered with the octets of their own question.
  const bits = Array.from({ length: 20 }, (_, i) => register(1, 0x310 + i, { table: "coil" }));
  assert.deepEqual(at(bits), [
    [0x310, 16],
    [0x320, 4],
  ]);
  assert.deepEqual(at(bits.map((one) => ({ ...one, address: 0x10 + bits.indexOf(one) }))), [
    [0x10, 20],
  ]);
});

test("a dead unit costs the others nothing but its time-outs, and is found again", async () => {
  const node = nodeOf(CHANNELS, { timeoutMs: 200, everyMs: 500 });
  const rig = await rigOf(node);
  rig.runMs(5_000);
  const [speed, ready] = [0, 6];
  rig.slaves.silence(2, true);
  const [before, sentBefore] = [good(rig, speed).length, rig.sent.length];
  rig.runMs(60_000);
  assert.ok(good(rig, speed).length - before >= 115, `${good(rig, speed).length - before} of 120`);
  const toDead = rig.sent.slice(sentBefore).filter(({ octets }) => octets[0] === 2).length;
  assert.ok(toDead >= 4 && toDead <= 9, `${toDead} questions to a dead unit in a minute`);
  const bad = readings(rig, ready).at(-1)!;
  assert.deepEqual([bad.quality, bad.cause, bad.value], [2, CAUSE_STALE, null]);
  rig.slaves.silence(2, false);
  rig.runMs(31_000);
  assert.equal(readings(rig, ready).at(-1)!.cause, CAUSE_NONE);
  assertValues(rig, node);
  assert.ok(counters(rig)[UNANSWERED]! >= toDead && counters(rig)[UNANSWERED]! <= toDead + 2);
});

test("a late answer never passes for that to another question", async () => {
  // Two questions of one shape to one unit: only the time tells their answers apart.
  const node = nodeOf({ a: register(1, 10), b: register(1, 20) }, { timeoutMs: 50, everyMs: 200 });
  const rig = await rigOf(node);
  const waiting: { endUs: number; byte: number }[] = [];
  const slow = createPrng(3);
  let delayUs = 0;
  let lastUs = 0;
  rig.spoil = (byte, endUs) => {
    if (endUs - lastUs > 10_000) delayUs = slow.below(900) * 1000;
    lastUs = endUs;
    waiting.push({ endUs: endUs + delayUs, byte });
    rig.extra = waiting
      .splice(0)
      .concat(rig.extra)
      .sort((x, y) => x.endUs - y.endUs);
    return undefined;
  };
  rig.runMs(600_000);
  let values = 0;
  for (const [channel, address] of [
    [0, 10],
    [1, 20],
  ] as const)
    for (const { timeUs, value } of good(rig, channel)) {
      const held = rig.asked
        .filter(({ atUs, octets }) => octets[3] === address && timeUs - atUs < 2_500_000)
        .map(({ atUs }) => rig.slaves.holds(1, 3, address, atUs));
      assert.ok(held.includes(value!), `${timeUs}: ${value}`);
      values++;
    }
  assert.ok(values > 50, `${values}`);
});

test("an exception is no value: no such input for a refused address, else stale", async () => {
  const node = nodeOf({ a: register(1, 10), b: register(1, 90) });
  const holds = [{ unit: 1, code: 3, address: 10, type: "u16", order: 0 } as const];
  const rig = await rigOf(node, { holds });
  rig.runMs(3_500);
  assert.ok(good(rig, 0).length >= 2);
  assert.equal(good(rig, 1).length, 0);
  assert.deepEqual([readings(rig, 1)[0]!.quality, readings(rig, 1)[0]!.cause], [2, CAUSE_NO_INPUT]);
  const other = await rigOf(node, { holds });
  // Reason 4 instead of 2, with its CRC: 01 83 04 40 F3.
  const turned = new Map([
    [0x02, 0x04],
    [0xc0, 0x40],
    [0xf1, 0xf3],
  ]);
  let heard: number[] = [];
  other.spoil = (byte) => {
    heard = [...heard, byte].slice(-3);
    return heard.includes(0x83) ? (turned.get(byte) ?? byte) : byte;
  };
  other.runMs(3_500);
  assert.equal(readings(other, 1)[0]?.cause, CAUSE_STALE);
});

test("damage costs its own answer: it is asked again, and nothing wrong is told", async () => {
  const node = nodeOf(CHANNELS, { everyMs: 500, timeoutMs: 100, retries: 2 });
  const rig = await rigOf(node, { echo: true });
  const chance = createPrng(99);
  rig.spoil = (byte) => (chance.chance(0.02) ? byte ^ (1 << chance.below(8)) : byte);
  rig.runMs(120_000);
  const [compared, most] = [assertValues(rig, node), 120 * 2 * Object.keys(CHANNELS).length];
  assert.ok(compared > most / 3, `${compared} of ${most}`);
  assert.ok(counters(rig)[UNANSWERED]! > 20);
});

// What another master asks, with its CRC: registers 5 and 6 of unit 9.
const FOREIGN = [9, 3, 0, 5, 0, 2, 0xd5, 0x42];

function another(rig: Rig, atMs: number): void {
  const startUs = rig.host.nowUs + atMs * 1000;
  FOREIGN.forEach((byte, i) => rig.extra.push({ endUs: startUs + i * 600, byte }));
}

test("a second master stops the questions and is named; they go on when it is gone", async () => {
  const rig = await rigOf(nodeOf({ speed: register(1, 10) }));
  rig.runMs(5_000);
  another(rig, 555);
  rig.runMs(2_000);
  assert.ok(rig.sent.at(-1)!.atUs > rig.host.nowUs - 1_100_000, "one may be chance");
  another(rig, 555);
  rig.runMs(2_000);
  const sent = rig.sent.length;
  const notices = () => rig.host.records.filter(({ kind }) => kind === KIND_NOTICE);
  assert.deepEqual(
    notices().map(({ octets }) => [
      octets!.getUint8(0),
      octets!.getUint8(1),
      octets!.getUint16(4, true),
    ]),
    [[NOTICE_SECOND_MASTER, 9, 5]],
  );
  assert.equal(readings(rig, 0).at(-1)!.cause, CAUSE_STALE);
  rig.runMs(590_000);
  assert.equal(rig.sent.length, sent);
  rig.runMs(12_000);
  assert.ok(rig.sent.length > sent);
  assert.equal(readings(rig, 0).at(-1)!.cause, CAUSE_NONE);
  assert.equal(notices().length, 1);
});

test("a master that is there is found before a question is asked", async () => {
  const rig = await rigOf(nodeOf({ speed: register(1, 10) }));
  another(rig, 300);
  another(rig, 700);
  rig.runMs(60_000);
  assert.equal(rig.sent.length, 0);
});

test("only reads leave the node, whatever comes on the line", async () => {
  for (const protocol of ["modbus-rtu", "modbus-ascii"]) {
    const node = nodeOf(CHANNELS, { protocol, everyMs: 1000, timeoutMs: 30 });
    const rig = await rigOf(node);
    const allowed = new Set(
      questionsOf(node, "bus").map(({ unit, code, address, quantity }) =>
        [unit, code, address >> 8, address & 255, quantity >> 8, quantity & 255].join(),
      ),
    );
    const noise = createPrng(5);
    for (let i = 0; i < 20_000; i++)
      rig.extra.push({ endUs: 1_100_000 + i * 1_500, byte: noise.below(256) });
    rig.runMs(40_000);
    assert.ok(rig.sent.length > 5);
    for (const { octets } of rig.sent) {
      const body = protocol === "modbus-rtu" ? octets : fromText(octets);
      assert.ok(allowed.has(body.slice(0, 6).join()), body.join());
    }
  }
});

function fromText(octets: readonly number[]): number[] {
  const text = String.fromCharCode(...octets);
  assert.match(text, /^:[0-9A-F]{14}\r\n$/);
  return [...Buffer.from(text.slice(1, 15), "hex")];
}

test("a text is asked for whole, and lost as a number is", async () => {
  const node = nodeOf({ recipe: register(1, 60, { type: "text", registers: 4 }) });
  assert.deepEqual(questionsOf(node, "bus"), [{ unit: 1, code: 3, address: 60, quantity: 4 }]);
  const rig = await rigOf(node);
  rig.runMs(5_000);
  assert.equal(good(rig, 0)[0]!.type, TYPE_BYTES);
  rig.slaves.silence(1, true);
  rig.runMs(5_000);
  assert.deepEqual(
    [readings(rig, 0).at(-1)!.cause, readings(rig, 0).at(-1)!.type],
    [CAUSE_STALE, 0],
  );
});

test("a board that cannot send gives no values: bad, stale", async () => {
  const rig = await rigOf(nodeOf({ speed: register(1, 10) }));
  rig.host.send = () => -1;
  rig.runMs(10_000);
  assert.equal(readings(rig, 0)[0]!.cause, CAUSE_STALE);
  assert.equal(good(rig, 0).length, 0);
  assert.equal(counters(rig)[PAIRS], 0);
});
