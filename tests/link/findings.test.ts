// SPDX-License-Identifier: MIT
// Goal: what taps find out arrives field by field, their notices exactly once.
// Method: ring records of kinds 5, 6 and 7 through the release module; strict reader, cbor-x and python3 cbor2.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { before, test } from "node:test";
import { Decoder } from "cbor-x";
import { DATAGRAM_BYTES_MAX, FINDINGS_MAX } from "../../firmware/limits.ts";
import * as finding from "../../firmware/wire/finding.ts";
import { NOTICE_NAMES } from "../../firmware/wire/notice-names.ts";
import { KIND_FINDING, KIND_LINE, KIND_NOTICE } from "../../firmware/wire/record.ts";
import { buildLink, parseNode } from "../support/link-host.ts";
import { decodeStrict, type Item } from "../support/link-pack.ts";
import { assertAccounted, delivered, put, startLink, type Rig } from "../support/link-rig.ts";
import { debianPython } from "../support/need.ts";

const PUBLISH_BYTES = 9; // long Length, MsgType, flags, topic id, MsgId
const CBOR2 =
  "import sys, json, cbor2; print(json.dumps(list(cbor2.loads(sys.stdin.buffer.read()).items())))";

const node = parseNode({
  type: "tapped",
  taps: {
    "a-tap-of-thirty-two-characters--": { uart: 0, protocol: "modbus-rtu", notices: true },
    bus: { uart: 1, protocol: "modbus-rtu", learn: true, notices: true },
  },
  channels: { mean: { kind: "computed", decimals: 0 } },
});

let module: WebAssembly.Module;
before(async () => {
  module = await buildLink(node);
});

/** Octets of fields by width, little-endian. */
function row(...fields: [width: number, value: number][]): number[] {
  return fields.flatMap(([width, value]) =>
    Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** i) & 255),
  );
}

// Each with its ring record and the item that must come of it.
const LINE = {
  fields: { kind: KIND_LINE, channel: 1 },
  rows: [
    row(
      [4, 921600],
      [1, 4],
      [1, 1],
      [1, 1],
      [1, 99],
      [1, 100],
      [1, 2],
      [2, 65535],
      [4, 2 ** 32 - 1],
    ),
  ],
  items: [[0, 1, 921600, 4, 1, 1, 99, 100, 2, 65535, 2 ** 32 - 1]],
};
const registers = (count: number, address: number) => ({
  fields: { kind: KIND_FINDING, channel: 1, alarm: finding.FORM_REGISTERS },
  rows: Array.from({ length: count }, (_, i) =>
    row(
      [1, 247],
      [1, 3],
      [2, address + i],
      [2, 1000 + i],
      [2, 0],
      [2, 65535],
      [2, 7],
      [4, 2 ** 31],
      [4, 2 ** 32 - 1],
    ),
  ),
  items: Array.from({ length: count }, (_, i) => [
    1,
    1,
    247,
    3,
    address + i,
    1000 + i,
    0,
    65535,
    7,
    2 ** 31,
    2 ** 32 - 1,
  ]),
});
const POLLS = {
  fields: { kind: KIND_FINDING, channel: 0, alarm: finding.FORM_POLLS },
  rows: [
    row(
      [1, 1],
      [1, 23],
      [2, 65535],
      [2, 125],
      [2, 2],
      [4, 1],
      [4, 2],
      [4, 3],
      [4, 1000],
      [4, 4321],
      [4, 70000],
    ),
    row([1, 0], [1, 16], [2, 0], [2, 0], [2, 0], [4, 0], [4, 0], [4, 0], [4, 0], [4, 0], [4, 0]),
  ],
  items: [
    [2, 0, 1, 23, 65535, 125, 2, 1, 2, 3, 1000, 4321, 70000],
    [2, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ],
};
const TOTALS = {
  fields: { kind: KIND_FINDING, channel: 1, alarm: finding.FORM_TOTALS },
  rows: [row([2, 256], [2, 64], [4, 5], [4, 2 ** 32 - 1])],
  items: [[3, 1, 256, 64, 5, 2 ** 32 - 1]],
};

function putRows(rig: Rig, { fields, rows }: Pick<typeof LINE, "fields" | "rows">): void {
  put(rig.host, { ...fields, bytes: Uint8Array.from(rows.flat()) });
}

function messages(rig: Rig): { payload: Uint8Array; map: Map<number, Item> }[] {
  return rig.gateway.publications
    .filter(({ topic }) => topic === "tap")
    .map(({ payload }) => ({ payload, map: decodeStrict(payload) as Map<number, Item> }));
}

const items = (rig: Rig): Item[] => messages(rig).flatMap(({ map }) => map.get(2) as Item[]);

function notice(fields: Partial<Record<string, number>> = {}): Uint8Array {
  const {
    number = 1,
    unit = 17,
    code = 6,
    address = 40,
    quantity = 1,
    value = 9,
    times = 1,
  } = fields;
  return Uint8Array.from(
    row(
      [1, number],
      [1, unit],
      [1, code],
      [1, 0],
      [2, address],
      [2, quantity],
      [4, value],
      [2, times],
      [2, 0],
    ),
  );
}

test("rows arrive field by field, in the order in which they were found", async () => {
  const rig = startLink(module);
  rig.host.run(5000);
  for (const one of [LINE, registers(3, 100), POLLS, TOTALS]) putRows(rig, one);
  rig.host.run(2000);
  const wanted = [LINE, registers(3, 100), POLLS, TOTALS].flatMap((one) => one.items);
  assert.deepEqual(items(rig), wanted);
  const sent = rig.gateway.publications.filter(({ topic }) => topic === "tap");
  assert.ok(sent.every(({ qos, retain }) => qos === 0 && !retain));
  assert.equal(messages(rig)[0]!.map.get(0), 1, "the boot");
  assert.ok(!messages(rig)[0]!.map.has(1), "nothing was lost");
});

function readBy(decode: (payload: Uint8Array) => unknown): void {
  const rig = startLink(module);
  rig.host.run(5000);
  for (const one of [LINE, registers(3, 9), POLLS, TOTALS]) putRows(rig, one);
  rig.host.run(2000);
  assert.ok(messages(rig).length > 0);
  for (const { payload, map } of messages(rig)) assert.deepEqual(decode(payload), [...map]);
}

test("cbor-x reads the same", () => {
  const decoder = new Decoder({ mapsAsObjects: false });
  readBy((payload) => [...(decoder.decode(payload) as Map<number, Item>)]);
});

test("python3 cbor2 reads the same", debianPython("/usr/lib/python3/dist-packages/cbor2"), () => {
  readBy((input) =>
    JSON.parse(execFileSync("/usr/bin/python3", ["-c", CBOR2], { input, encoding: "utf8" })),
  );
});

test("a message fits a datagram, and what a full queue pushes out is counted in it", async () => {
  const rig = startLink(module);
  const count = FINDINGS_MAX + 5;
  for (let i = 0; i < count; i++) putRows(rig, registers(3, 3 * i)); // before it is connected
  rig.host.run(10_000);
  const all = messages(rig);
  assert.deepEqual(
    items(rig),
    Array.from({ length: FINDINGS_MAX }, (_, i) => registers(3, 3 * (5 + i)).items).flat(),
  );
  for (const { payload, map } of all) {
    assert.ok(payload.length + PUBLISH_BYTES <= DATAGRAM_BYTES_MAX);
    assert.equal(map.get(1), 5);
  }
  assert.ok(all[0]!.payload.length > 400, "datagrams are used");
});

test("findings that the host does not take now stay, and readings go on", async () => {
  const rig = startLink(module);
  rig.host.run(5000);
  rig.host.netDown = true;
  putRows(rig, TOTALS);
  for (let i = 0; i < 10; i++) put(rig.host, { i32: i });
  rig.host.run(3000);
  rig.host.netDown = false;
  rig.host.run(20_000);
  assert.deepEqual(items(rig), TOTALS.items);
  assert.equal(delivered(rig.gateway).filter(({ name }) => name === "mean").length, 10);
  assertAccounted(rig);
});

test("records that are not what the table says are counted and dropped", async () => {
  const rig = startLink(module);
  rig.host.run(5000);
  const before = rig.host.counters()["recordsBad"]!;
  const whole = registers(3, 0);
  const bad = [
    { ...LINE.fields, bytes: Uint8Array.from(LINE.rows.flat().slice(1)) },
    { ...LINE.fields, channel: 2, bytes: Uint8Array.from(LINE.rows.flat()) },
    { ...LINE.fields, alarm: 4, bytes: Uint8Array.from(LINE.rows.flat()), kind: KIND_FINDING },
    { ...whole.fields, alarm: 0, bytes: Uint8Array.from(whole.rows.flat()) },
    { ...whole.fields, bytes: Uint8Array.from(whole.rows.flat().slice(0, 59)) },
    { ...whole.fields, bytes: new Uint8Array(0) },
    { kind: KIND_NOTICE, channel: 1, bytes: notice({ number: 0 }) },
    { kind: KIND_NOTICE, channel: 1, bytes: notice({ number: finding.NOTICE_LAST + 1 }) },
    { kind: KIND_NOTICE, channel: 1, bytes: notice({ times: 0 }) },
    { kind: KIND_NOTICE, channel: 2, bytes: notice() },
    { kind: KIND_NOTICE, channel: 1, bytes: notice().slice(0, 15) },
  ];
  for (const fields of bad) put(rig.host, fields);
  rig.host.run(2000);
  assert.equal(rig.host.counters()["recordsBad"], before + bad.length);
  assert.deepEqual(items(rig), []);
  assert.deepEqual(delivered(rig.gateway), []);
});

test("each notice is an event with its tap, its word and what it is about", async () => {
  const rig = startLink(module);
  rig.host.run(5000);
  const words = NOTICE_NAMES.slice(0, finding.NOTICE_LAST);
  words.forEach((_, i) => {
    put(rig.host, {
      kind: KIND_NOTICE,
      channel: i % 2,
      bytes: notice({ number: i + 1, times: i + 1 }),
    });
  });
  const extremes = {
    unit: 255,
    code: 127,
    address: 65535,
    quantity: 65535,
    value: 2 ** 32 - 1,
    times: 65535,
  };
  put(rig.host, { kind: KIND_NOTICE, channel: 0, bytes: notice(extremes) });
  rig.host.run(5000);
  const taps = Object.keys(node.taps);
  const seen = delivered(rig.gateway);
  assert.deepEqual(
    seen.map(({ name, active, notice: detail }) => [name, active, detail]),
    [
      ...words.map((word, i) => [`${taps[i % 2]}/${word}`, true, [17, 6, 40, 1, 9, i + 1]]),
      [`${taps[0]}/write`, true, [-1, 127, 65535, 65535, 2 ** 32 - 1, 65535]],
    ],
  );
  for (const { topic, qos } of rig.gateway.publications)
    if (topic === "event") assert.equal(qos, 1);
  assertAccounted(rig);
});

test("a second master is a notice of a node that polls, and of no other", async () => {
  const bytes = notice({ number: finding.NOTICE_SECOND_MASTER });
  const told = async (link: WebAssembly.Module): Promise<[string[], number]> => {
    const rig = startLink(link);
    rig.host.run(5000);
    put(rig.host, { kind: KIND_NOTICE, channel: 0, bytes });
    rig.host.run(5000);
    const names = delivered(rig.gateway).map(({ name }) => name);
    return [names, rig.host.counters()["recordsBad"]!];
  };
  assert.deepEqual(await told(module), [[], 1]);
  const bus = { uart: 0, protocol: "modbus-rtu", mode: "poll" };
  const speed = { kind: "register", tap: "bus", unitId: 1, table: "holding", address: 1 };
  const asker = parseNode({ type: "asker", taps: { bus }, channels: { speed } });
  assert.deepEqual(await told(await buildLink(asker)), [["bus/second-master"], 0]);
});

test("notices among readings and alarms: each once, through loss either way", async () => {
  const rig = startLink(module, {
    down: (index) => (index % 5 === 0 ? [] : undefined),
    loseUp: (index) => index % 7 === 0,
  });
  for (let i = 0; i < 60; i++) {
    put(rig.host, { i32: i });
    if (i % 3 === 0)
      put(rig.host, { kind: KIND_NOTICE, channel: 1, bytes: notice({ address: i }) });
    rig.host.run(700);
  }
  rig.host.run(60_000);
  const first = new Map(delivered(rig.gateway).map((one) => [one.sequence, one]));
  const addresses = [...first.values()].flatMap(({ notice: detail }) => detail?.[2] ?? []);
  assert.deepEqual(
    addresses.sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i * 3),
  );
  assertAccounted(rig);
  assert.equal(rig.host.counters()["queued"], 80);
  assert.equal(rig.host.counters()["waiting"], 0);
});
