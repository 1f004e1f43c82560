// SPDX-License-Identifier: MIT
// Goal: what follows a display is found, with type, order of words and scale.
//
// Method: 2,000 registers that wander, count, stand or jump, by seed; 20 values are hidden among them. Each is read ten
// times as a person does: rounded as a display rounds, up to two seconds late. No reading of a register is decoded here.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPrng } from "../../host-sim/prng.ts";
import { createWatcher, LATE_US, rank, type Snapshots } from "../../scripts/tap/find.ts";
import { ORDERS, valueOf, wordsOf, type Order, type ValueType } from "../../scripts/tap/value.ts";

const SEED = Number(process.env["SEED"] ?? 1); // 2 and 3 were tried too
const REGISTERS = 2000;
const HIDDEN = 20;
const READINGS = 10;
const POLL_US = 700_000;
const LENGTH_S = 100;
const TYPES_HIDDEN: readonly ValueType[] = ["u16", "i16", "u32", "i32", "f32", "f64"];
const SCALES_HIDDEN = [1, 0.1, 0.01, 0.001, 10, 0.5, 0.25, 1 / 16, 1 / 3.6];

type Random = () => number; // 0 to 1

interface Hidden {
  address: number;
  type: ValueType;
  order: Order;
  scale: number;
  at(second: number): number; // raw
}

function encode(raw: number, type: ValueType, order: Order): number[] {
  const view = new DataView(new ArrayBuffer(8));
  if (type === "f32") view.setFloat32(0, raw);
  else if (type === "f64") view.setFloat64(0, raw);
  else if (wordsOf(type) === 2) view.setInt32(0, raw | 0);
  else view.setInt16(0, raw);
  const words = Array.from({ length: wordsOf(type) }, (_, i) =>
    view.getUint16(2 * i, order === "BADC" || order === "DCBA"),
  );
  return order === "CDAB" || order === "DCBA" ? words.reverse() : words;
}

// A raw value that wanders over what its type makes different from a plainer one.
function hide(random: Random, address: number): Hidden {
  const type = TYPES_HIDDEN[Math.floor(random() * TYPES_HIDDEN.length)]!;
  const order = ORDERS[Math.floor(random() * 4)]!;
  const isFloat = type.startsWith("f");
  const scale = isFloat ? 1 : SCALES_HIDDEN[Math.floor(random() * SCALES_HIDDEN.length)]!;
  const most = { u16: 40_000, i16: 9000, u32: 3e6, i32: 3e6, f32: 500, f64: 500 }[type as "u16"];
  const centre = type === "i16" || type === "i32" ? 0 : most / 2;
  const phase = random() * 6.28;
  const speed = 0.05 + random() * 0.2;
  const noise = Array.from({ length: 1000 }, () => (random() - 0.5) * most * 0.01);
  return {
    ...{ address, type, scale },
    order: wordsOf(type) === 1 && (order === "CDAB" || order === "DCBA") ? "ABCD" : order,
    at(second) {
      const value = centre + (most / 2) * 0.9 * Math.sin(phase + speed * second);
      const noisy = value + noise[Math.floor(second * 3) % noise.length]!;
      return isFloat ? noisy : Math.round(noisy);
    },
  };
}

// What other registers hold: some stand, some wander, some count, some are anything.
function wander(random: Random): (before: number) => number {
  const kind = Math.floor(random() * 4);
  const pace = 1 + Math.floor(random() * 300);
  if (kind === 0) return (before) => before;
  if (kind === 1) return (before) => (before + Math.round((random() - 0.5) * pace)) & 0xffff;
  if (kind === 2) return (before) => (before + Math.floor(random() * pace)) & 0xffff;
  return () => Math.floor(random() * 65_536);
}

interface Plant {
  hidden: Hidden[];
  frames: { atUs: number; values: Uint16Array }[];
}

function makePlant(random: Random): Plant {
  const pitch = REGISTERS / HIDDEN;
  const hidden = Array.from({ length: HIDDEN }, (_, i) =>
    hide(random, i * pitch + Math.floor(random() * (pitch - 4))),
  );
  const moves = Array.from({ length: REGISTERS }, () => wander(random));
  let values = Uint16Array.from(moves, () => Math.floor(random() * 65_536));
  const frames = [];
  for (let atUs = 0; atUs < LENGTH_S * 1e6; atUs += POLL_US) {
    values = values.map((value, i) => moves[i]!(value));
    for (const each of hidden)
      values.set(encode(each.at(atUs / 1e6), each.type, each.order), each.address);
    frames.push({ atUs, values });
  }
  return { hidden, frames };
}

// The number that a display shows: three or four digits that matter.
function decimalsOf({ type, scale }: Hidden): number {
  if (type === "f32" || type === "f64") return 1;
  return Math.max(0, Math.min(3, Math.round(-Math.log10(scale))));
}

// All that is heard, with a snapshot at each of ten times; what is read then comes later.
function hearPlant({ frames }: Plant, random: Random): Snapshots {
  const { snapshots, note, read } = createWatcher();
  const readUs = Array.from(
    { length: READINGS },
    (_, i) => 5e6 + ((LENGTH_S - 10) * 1e6 * (i + random())) / READINGS,
  );
  let next = 0;
  frames.forEach(({ atUs, values }, k) => {
    values.forEach((value, address) => note({ unit: 1, table: "holding", address, value }, atUs));
    const nextUs = frames[k + 1]?.atUs ?? Infinity;
    while (next < READINGS && readUs[next]! < nextUs)
      read({ atUs: readUs[next++]!, value: 0, decimals: 0 });
  });
  return snapshots;
}

// The display as it was up to two seconds before each note.
function readDisplay({ frames }: Plant, each: Hidden, atUs: number, random: Random) {
  const seenUs = atUs - random() * LATE_US;
  const shown = frames.findLast((frame) => frame.atUs <= seenUs)!;
  const words = [...shown.values.slice(each.address, each.address + 4)];
  const decimals = decimalsOf(each);
  const value = valueOf(words, each.type, each.order) * each.scale;
  return { atUs, value: Number(value.toFixed(decimals)), decimals };
}

test(`20 hidden values among 2,000 registers are found, seed ${SEED}`, () => {
  const prng = createPrng(SEED);
  const random: Random = () => prng.below(1 << 24) / (1 << 24);
  const plant = makePlant(random);
  const heard = hearPlant(plant, random);
  for (const each of plant.hidden) {
    const { address, type, order, scale } = each;
    const readings = heard.readings.map(({ atUs }) => readDisplay(plant, each, atUs, random));
    const [best] = rank({ ...heard, readings }, 5);
    const told = best && [best.address, best.type, best.order, best.scale];
    assert.deepEqual(told, [address, type, order, scale], `seed ${SEED}`);
    assert.equal(best!.fits, READINGS);
  }
});

test("readings that nothing follows find nothing", () => {
  const prng = createPrng(9);
  const random: Random = () => prng.below(1 << 24) / (1 << 24);
  const plant = makePlant(random);
  const { snapshots, note, read } = createWatcher();
  plant.frames.forEach(({ atUs, values }, k) => {
    values.forEach((value, address) => note({ unit: 1, table: "holding", address, value }, atUs));
    if (k % 14 === 13) read({ atUs, value: Number((random() * 400).toFixed(1)), decimals: 1 });
  });
  assert.equal(snapshots.readings.length, 10);
  assert.deepEqual(rank(snapshots, 5), []);
});

test("a display that stands still says nothing, and no readings find nothing", () => {
  const { snapshots, note, read } = createWatcher();
  assert.deepEqual(rank(snapshots, 5), []);
  for (let i = 0; i < 10; i++) {
    note({ unit: 1, table: "input", address: 7, value: 500 }, i * 1e6);
    note({ unit: 1, table: "input", address: 8, value: 500 + i }, i * 1e6);
    read({ atUs: i * 1e6, value: 50, decimals: 1 });
  }
  assert.deepEqual(rank(snapshots, 5), []);
});
