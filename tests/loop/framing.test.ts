// SPDX-License-Identifier: MIT
// Goal: frames are found by content: damage costs only what was damaged.
// Method: the release module hears vectors of every function code, whole and spoilt octet by octet.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import {
  COUNTER_KEYS,
  heardRegisters,
  lastCounters,
  mapRegisters,
  playLine,
  readCapture,
  type HeardRegister,
} from "../support/capture.ts";
import { buildLoop, type LoopRecord } from "../support/loop-host.ts";
import { readRegisters } from "../support/modbus.ts";
import * as need from "../support/need.ts";
import { KIND_READING } from "../../firmware/wire/record.ts";

interface Vector {
  name: string;
  request: string;
  answer: string; // empty: a broadcast
  exception?: boolean;
}

const FOLDER = join(import.meta.dirname, "../vectors");
const vectors = JSON.parse(readFileSync(join(FOLDER, "modbus-rtu.json"), "utf8")) as Vector[];
const LINE = { baud: 9600, format: "8N1" };
const CHARACTER_US = 1042;
const PAUSE_US = 5_000; // less than 40 characters: silence cannot help

// The registers that the vectors read, in their order.
const READ: HeardRegister[] = [
  ...[555, 0, 100].map((value, i) => ({ unit: 17, code: 3, address: 107 + i, value })),
  { unit: 17, code: 4, address: 8, value: 2008 },
];
const GOOD = vectors[0]!;

const node = mapRegisters(READ, LINE);
const module = new WebAssembly.Module((await buildLoop(node)) as BufferSource);

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

function exchange(vector: Vector): Uint8Array[] {
  return [vector.request, vector.answer].filter((hex) => hex !== "").map(bytes);
}

/** Plays frames with a pause before each; the counters at the end and the registers heard. */
function play(frames: Uint8Array[], pauseUs = PAUSE_US) {
  const times: number[] = [];
  let nowUs = 0;
  for (const frame of frames) {
    nowUs += pauseUs;
    for (let i = 0; i < frame.length; i++) times.push((nowUs += CHARACTER_US));
  }
  const host = playLine(module, Buffer.concat(frames), times);
  return { counters: lastCounters(host), registers: heardRegisters(node, host.records) };
}

function countersOf(vector: Vector, octets: number): number[] {
  const answered = vector.answer === "" ? 0 : 1;
  const failed = vector.exception ? 1 : 0;
  const broadcast = 1 - answered;
  return [octets, 1 + answered, 1, answered - failed, failed, answered, 0, 0, broadcast, 0];
}

for (const vector of vectors)
  test(`${vector.name}: request and answer make a pair`, () => {
    const frames = exchange(vector);
    const { counters } = play(frames);
    const octets = frames.reduce((sum, frame) => sum + frame.length, 0);
    assert.deepEqual(Object.values(counters), countersOf(vector, octets));
  });

test("all vectors in one stream without any pause are told apart", () => {
  const frames = vectors.flatMap(exchange);
  const { counters, registers } = play(frames, 0);
  const octets = frames.reduce((sum, frame) => sum + frame.length, 0);
  const sums = vectors
    .map((vector) => countersOf(vector, 0))
    .reduce((sum, next) => sum.map((value, i) => value + next[i]!));
  assert.deepEqual(Object.values(counters), [octets, ...sums.slice(1)]);
  assert.deepEqual(registers, READ);
});

test("no strict prefix of a request or an answer makes a pair, and the next pair is heard", () => {
  for (const vector of vectors) {
    const [request, answer] = exchange(vector);
    if (answer === undefined) continue;
    for (let cut = 0; cut < answer.length; cut++) {
      const { counters, registers } = play([request!, answer.subarray(0, cut), ...exchange(GOOD)]);
      assert.equal(counters["pairs"], 1, `${vector.name}, answer cut to ${cut}`);
      assert.deepEqual(registers, READ.slice(0, 3));
    }
    for (let cut = 0; cut < request!.length; cut++) {
      const { counters } = play([request!.subarray(0, cut), answer, ...exchange(GOOD)]);
      // An echo whose request is cut reads as the request: a label, never a value.
      assert.equal(counters["pairs"], 1, `${vector.name}, request cut to ${cut}`);
    }
  }
});

test("octets appended to an answer are junk and cost nothing", () => {
  for (const vector of vectors) {
    const { counters, registers } = play([...exchange(vector), bytes("fe00"), ...exchange(GOOD)]);
    assert.equal(counters["pairs"], vector.answer === "" ? 1 : 2, vector.name);
    assert.equal(counters["junk_bytes"], 2, vector.name);
    assert.deepEqual(registers.slice(-3), READ.slice(0, 3));
  }
});

test("whatever octet of an exchange is lost, added or turned, the next pair is heard", () => {
  const values = new Set(READ.map(({ value }) => value));
  for (const vector of vectors) {
    const whole = Buffer.concat(exchange(vector));
    for (let at = 0; at < whole.length; at++)
      for (const damage of ["lost", "added", "turned"] as const) {
        const { registers } = play([spoil(whole, at, damage), ...exchange(GOOD)]);
        const what = `${vector.name}: octet ${at} ${damage}`;
        assert.deepEqual(registers.slice(-3), READ.slice(0, 3), what);
        assert.ok(
          registers.every(({ value }) => values.has(value)),
          what,
        );
      }
  }
});

function spoil(whole: Uint8Array, at: number, damage: "lost" | "added" | "turned"): Uint8Array {
  const spoilt = [...whole];
  if (damage === "lost") spoilt.splice(at, 1);
  if (damage === "added") spoilt.splice(at, 0, (at * 37) & 0xff);
  if (damage === "turned") spoilt[at]! ^= 1 << (at & 7);
  return Uint8Array.from(spoilt);
}

test("an answer that comes a second too late, or without a request, gives no value", () => {
  const [request, answer] = exchange(GOOD);
  const late = play([request!, answer!], 1_100_000);
  assert.deepEqual(late.registers, []);
  assert.equal(late.counters["orphans"], 1);
  assert.equal(late.counters["unanswered"], 1);
  assert.deepEqual(play([answer!]).registers, []);
  assert.deepEqual(play([request!, answer!], 900_000).registers, READ.slice(0, 3));
});

test("an answer that waited behind junk for more than a second gives no value", () => {
  const [request, answer] = exchange(GOOD);
  const head = Uint8Array.of(17, 3, 250); // of an answer that never comes whole
  const drips = Array.from({ length: 45 }, () => Uint8Array.of(0xfe));
  const { counters, registers } = play([request!, head, ...drips, answer!], 30_000);
  assert.deepEqual(registers, []);
  assert.equal(counters["orphans"], 1);
});

test("a short frame is junk until its code was seen as a pair, and disturbs nothing", () => {
  const [request, answer] = exchange(GOOD);
  const serverId = vectors.find(({ name }) => name === "server id")!;
  const [short, id] = exchange(serverId);
  const alone = play([request!, short!, answer!]);
  assert.deepEqual(alone.registers, READ.slice(0, 3));
  assert.deepEqual([alone.counters["frames"], alone.counters["junk_bytes"]], [2, 4]);
  const after = play([short!, id!, short!]);
  assert.deepEqual([after.counters["frames"], after.counters["junk_bytes"]], [3, 0]);
  assert.deepEqual([after.counters["pairs"], after.counters["unanswered"]], [1, 1]);
  assert.equal(play([id!]).counters["orphans"], 0);
});

test("a repeated request is unanswered once and paired once", () => {
  const [request, answer] = exchange(GOOD);
  const { counters, registers } = play([request!, request!, answer!]);
  assert.equal(counters["unanswered"], 1);
  assert.equal(counters["pairs"], 1);
  assert.deepEqual(registers, READ.slice(0, 3));
});

test("an answer with another unit, code or byte count is an orphan and gives no value", () => {
  const [request] = exchange(GOOD);
  const three = [1, 2, 3];
  for (const [what, [, answer]] of [
    ["unit", readRegisters(18, 3, 107, three)],
    ["code", readRegisters(17, 4, 107, three)],
    ["byte count", readRegisters(17, 3, 107, [1, 2])],
  ] as const) {
    const { counters, registers } = play([request!, answer]);
    assert.equal(counters["orphans"], 1, what);
    assert.deepEqual(registers, [], what);
  }
});

test("a stray 00 behind a request makes no answer of both", () => {
  const [request] = readRegisters(17, 3, 107, [1, 2]); // awaits four octets
  const [next, answer] = readRegisters(17, 3, 0x400, [5, 6]); // reads as an answer of four octets
  const { counters, registers } = play([request, Uint8Array.of(...next, 0), answer]);
  assert.deepEqual(registers, []);
  assert.deepEqual([counters["pairs"], counters["junk_bytes"]], [1, 1]);
});

test("the answer to a damaged request is not taken for that to an older one", () => {
  const [request, answer] = readRegisters(17, 3, 107, [1, 2, 3]);
  const damaged = readRegisters(17, 3, 200, [7, 8, 9])[0].with(4, 0xff);
  const { counters, registers } = play([request, damaged, answer]);
  assert.deepEqual(registers, []);
  assert.deepEqual([counters["orphans"], counters["unanswered"]], [1, 1]);
});

// Deterministic, as good as any: a linear congruential generator.
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

async function checkChunks(file: string): Promise<void> {
  const capture = readCapture(file);
  const wasm = new WebAssembly.Module(
    (await buildLoop(mapRegisters(READ, capture))) as BufferSource,
  );
  const told = (records: LoopRecord[]) =>
    records
      .filter(({ kind }) => kind === KIND_READING)
      .map(({ channel, value }) => [channel, value]);
  const plain = playLine(wasm, capture.octets, capture.timesUs);
  for (const seed of [1, 2, 3, 4]) {
    const dice = createDice(seed);
    const host = playLine(wasm, capture.octets, capture.timesUs, (playing) => {
      playing.tapLimit = 1 + dice(64);
      return 100 + dice(20_000);
    });
    assert.deepEqual(lastCounters(host), lastCounters(plain), `seed ${seed}`);
    assert.deepEqual(told(host.records), told(plain.records), `seed ${seed}`);
  }
}

test("how a line is cut into ticks changes nothing", () =>
  checkChunks(join(FOLDER, "modbus-libmodbus-mbpoll.jsonl")));

const noisy = "taps/modbus/modbus-noisy.jsonl";
test("how a damaged line is cut into ticks changes nothing", need.shared(noisy), () =>
  checkChunks(need.sharedFile(noisy)),
);

test("the counters come in the order of the specification", () => {
  assert.deepEqual(Object.keys(play(exchange(GOOD)).counters), COUNTER_KEYS);
});
