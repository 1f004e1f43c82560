// SPDX-License-Identifier: MIT
// Goal: channels have what their meters say, exact, and are bad when they do not.
// Method: release modules of nodes with a tap of each protocol hear telegrams of our own; node.json files with
// mistakes are refused with their field.

import assert from "node:assert/strict";
import test from "node:test";
import { KIND_READING } from "../../firmware/wire/record.ts";
import { lastCounters } from "../support/capture.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import * as make from "../support/telegrams.ts";

const CHARACTER_US = 1042;
const [GOOD, BAD] = [0, 2];
const [OVER_RANGE, UNDER_RANGE, STALE, NOT_A_NUMBER] = [2, 3, 4, 5];

const energy = { kind: "object", tap: "meter", object: "1-0:1.8.0", unit: "J", scale: 3600 };
const power = { kind: "object", tap: "meter", object: "1-0:1.7.0", unit: "W" };
const gas = { kind: "object", tap: "meter", object: "0-1:24.2.1", unit: "m3", decimals: 3 };

function nodeOf(protocol: string, channels: Record<string, unknown>, tap: object = {}) {
  const meter = { uart: 0, protocol, baud: 9600, format: "8N1", ...tap };
  return parseNode({ type: "metered", taps: { meter }, channels });
}

async function start(node: ReturnType<typeof parseNode>): Promise<LoopHost> {
  const host = createLoopHost(await buildLoop(node));
  host.init();
  return host;
}

/** Octets that follow each other, and all ticks until they are heard. */
function say(host: LoopHost, octets: ArrayLike<number>, tap = 0): void {
  const startUs = host.nowUs + 100_000;
  const times = Float64Array.from(octets, (_, i) => startUs + (i + 1) * CHARACTER_US);
  host.put(tap, Uint8Array.from(octets), times);
  while (host.waiting(tap) > 0) host.tick(host.nowUs + 10_000);
  for (let i = 0; i < 20; i++) host.tick(host.nowUs + 10_000);
}

function heard(host: LoopHost): (number | null)[][] {
  return host.records
    .filter(({ kind }) => kind === KIND_READING)
    .map(({ channel, value, quality, cause }) => [channel, value, quality, cause]);
}

test("P1: exact steps, of several values the measured one, of a wrong CRC none", async () => {
  const host = await start(
    nodeOf("dsmr-p1", {
      energy,
      power,
      gas,
      tariff: { ...power, unit: undefined, object: "0-0:96.14.0" },
    }),
  );
  const lines = [
    "0-0:96.14.0(0002)",
    "1-0:1.8.0(008048.3755*kWh)",
    "1-0:1.7.0(-00.0005*kW)",
    "0-1:24.2.1(250101110000W)(00012.3456*m3)",
    "0-2:24.2.1(250101110000W)(99999.999*m3)",
  ];
  say(
    host,
    make.p1Telegram(lines, () => "0000"),
  );
  assert.deepEqual(heard(host), []);
  say(host, make.p1Telegram(lines));
  assert.deepEqual(heard(host), [
    [0, 8_048_376, GOOD, 0],
    [1, -1, GOOD, 0], // half a step away from 0
    [2, 12_346, GOOD, 0],
    [3, 2, GOOD, 0],
  ]);
});

test("an object without a number, and one beyond 32 bits, are bad with their cause", async () => {
  const host = await start(nodeOf("dsmr-p1", { energy, power, gas }));
  const lines = [
    "1-0:1.8.0(9000000000*kWh)",
    "1-0:1.7.0(-9000000*MW)",
    "0-1:24.2.1(250101110000W)()",
  ];
  say(host, make.p1Telegram(lines));
  assert.deepEqual(heard(host), [
    [0, null, BAD, OVER_RANGE],
    [1, null, BAD, UNDER_RANGE],
    [2, null, BAD, NOT_A_NUMBER],
  ]);
});

test("IEC 62056-21, modes B, C, D: letters in codes, a value by its place, thousands", async () => {
  const host = await start(
    nodeOf(
      "iec62056-21",
      {
        fault: { ...power, unit: undefined, object: "F.F" },
        energy: { ...energy, object: "1.8.0", decimals: -3 },
        peak: { ...power, object: "1.6.0*01", value: 1 },
        at: { ...power, unit: undefined, object: "1.6.0*01", value: 2, decimals: -2 },
      },
      { format: "7E1" },
    ),
  );
  const lines = [
    "F.F(00000000)",
    "C.1.0(63355730)",
    "1-0:1.8.0*255(0012345678*kWh)",
    "1.6.0(9.9*kW)",
    "1.6.0&01(02.468*kW)(1703100930)",
  ];
  const wanted = [
    [0, 0, GOOD, 0],
    [1, 12_345_678, GOOD, 0],
    [2, 2468, GOOD, 0],
    [3, 17_031_009, GOOD, 0],
  ];
  for (const telegram of [
    make.readOut(lines), // C
    make.readOut(lines, "E", ""), // B
    make.pushedTelegram(lines), // D
  ]) {
    host.records.length = 0;
    say(host, telegram);
    assert.deepEqual(heard(host), wanted);
  }
  const wrong = make.readOut(lines);
  wrong[wrong.length - 1]! ^= 1;
  host.records.length = 0;
  say(host, wrong);
  assert.deepEqual(heard(host), []);
  const { frames, exceptions } = lastStates(host);
  assert.deepEqual([frames, exceptions], [4 + 3 + 1 + 3, 1]);
});

test("a tap that follows sets its UART to the rate that was agreed, and back", async () => {
  const fault = { kind: "object", tap: "meter", object: "F.F" };
  const node = nodeOf("iec62056-21", { fault }, { baud: 300, format: "7E1", follow: true });
  const host = await start(node);
  const telegram = make.readOut(["F.F(00000017)"]);
  const stx = telegram.indexOf(2);
  say(host, telegram.subarray(0, stx - 1));
  assert.deepEqual(host.opened, []);
  say(host, telegram.subarray(stx - 1, stx));
  assert.deepEqual(host.opened, [[0, 9600, 1]]);
  say(host, telegram.subarray(stx));
  assert.deepEqual(heard(host), [[0, 17, GOOD, 0]]);
  assert.deepEqual(host.opened, [
    [0, 9600, 1],
    [0, 300, 1],
  ]);
  // Mode B: the meter changes by itself, and here is cut off.
  say(host, make.readOut([], "E", "").subarray(0, 22));
  assert.deepEqual(host.opened.slice(2), [[0, 9600, 1]]);
  for (let i = 0; i < 300; i++) host.tick(host.nowUs + 10_000);
  assert.deepEqual(host.opened.slice(3), [[0, 300, 1]]);
  // Programming mode keeps its rate from block to block.
  say(host, make.readOut(["F.F(00000018)"], "6", "\x06061\r\n"));
  assert.deepEqual(host.opened.slice(4), [[0, 19_200, 1]]);
});

/** Counters as they are told within the next ten seconds. */
function lastStates(host: LoopHost): Record<string, number> {
  for (let i = 0; i < 1100; i++) host.tick(host.nowUs + 10_000);
  return lastCounters(host);
}

test("SML: 64 bits, both CRCs, escapes and scalers", async () => {
  const host = await start(
    nodeOf("sml", { energy, power, id: { ...power, unit: undefined, object: "1-0:0.0.9" } }),
  );
  const entries = (value: bigint, watts: bigint): make.SmlEntry[] => [
    { obis: [1, 0, 0, 0, 9, 255], value: "\x1b\x1b\x1b\x1b\x1b\x1b" },
    { obis: [1, 0, 1, 8, 0, 255], value, unit: 30, scaler: -1 },
    { obis: [1, 0, 1, 7, 0, 255], value: watts, bytes: 3, unit: 27, scaler: 0 },
  ];
  const id = [2, null, BAD, NOT_A_NUMBER];
  say(host, make.smlTelegram(entries(123_456_785n, -2n)));
  assert.deepEqual(heard(host), [[0, 12_345_679, GOOD, 0], [1, -2, GOOD, 0], id]);
  host.records.length = 0;
  say(host, make.smlTelegram(entries(10n, 8_000_000n), make.crcKermit));
  assert.deepEqual(heard(host), [[0, 1, GOOD, 0], [1, 8_000_000, GOOD, 0], id]);
  host.records.length = 0;
  say(host, make.smlTelegram(entries(1n << 62n, 0n)));
  assert.deepEqual(heard(host), [[0, null, BAD, OVER_RANGE], [1, 0, GOOD, 0], id]);
});

test("SML: a right CRC around what is no SML says nothing", async () => {
  const host = await start(nodeOf("sml", { power }));
  const deep = Array<number>(12).fill(0x71);
  for (const [i, raw] of [
    [0x76, 0x71, ...deep, 0x00], // lists without end
    [0x75, 1, 1, 1, 1, 0x00], // no message
    [0x76, 0x8f, 0x0f, 0x0f, 0x0f, 0x0f], // a length beyond the telegram
    [0x76, 0x31, 1, 1, 1, 1, 0], // a type that is none
    [0x01], // no list
  ].entries()) {
    say(host, make.smlTelegram([], make.crcX25, raw));
    const { frames, orphans } = lastStates(host);
    assert.deepEqual([frames, orphans], [0, i + 1], `case ${i}`);
  }
  const entry = { obis: [1, 0, 1, 7, 0, 255], value: 7n, bytes: 1, unit: 27 };
  say(host, make.smlTelegram([entry]));
  assert.deepEqual(heard(host), [[0, 7, GOOD, 0]]);
});

test("M-Bus: meters by address or number, records by DIB and VIB, fixed structure", async () => {
  const record = { kind: "object", tap: "meter" };
  const host = await start(
    nodeOf("m-bus", {
      heat: { ...record, unitId: 5, object: "0406", unit: "J", scale: 3600, decimals: -3 },
      volume: { ...record, meterId: "12345678", object: "0C13", unit: "m3", decimals: 3 },
      tariff: { ...record, unitId: 5, object: "8c1004" },
      flow: { ...record, unitId: 5, object: "053b", decimals: 3 },
      error: { ...record, unitId: 5, object: "3c2b", unit: "W" },
      fixed: { ...record, unitId: 6, object: "counter2" },
      text: { ...record, unitId: 5, object: "02fc0348522574", decimals: 1 },
    }),
  );
  const records =
    "04062a000000" +
    "0c1315310000" +
    "8c100409040000" +
    "053b00000041" +
    "3c2bbdebdddd" +
    "02fc03485225742215";
  say(host, [
    ...make.shortFrame(0x7b, 5),
    ...make.longFrame(8, 5, 0x72, make.meterData("12345678", records)),
  ]);
  assert.deepEqual(heard(host), [
    [0, 42, GOOD, 0], // 42 kWh in steps of 1,000 Wh
    [1, 3115, GOOD, 0],
    [2, 4090, GOOD, 0],
    [3, 8, GOOD, 0], // 8.0 x 10^-3 m3/h
    [4, null, BAD, NOT_A_NUMBER],
    [6, 541, GOOD, 0],
  ]);
  host.records.length = 0;
  say(host, make.longFrame(8, 9, 0x72, make.meterData("87654321", records)));
  assert.deepEqual(heard(host), [], "another meter");
  const fixed = Buffer.from("785634120a00e97e0100000035010000", "hex");
  say(host, [...make.shortFrame(0x5b, 6), ...make.longFrame(8, 6, 0x73, [...fixed])]);
  assert.deepEqual(heard(host), [[5, 135, GOOD, 0]]);
  const { pairs, orphans, requests } = lastStates(host);
  assert.deepEqual([pairs, orphans, requests], [2, 1, 2]);
});

test("a meter that falls silent goes stale, and comes back", async () => {
  const host = await start(nodeOf("dsmr-p1", { power: { ...power, staleMs: 5000 } }));
  say(host, make.p1Telegram(["1-0:1.7.0(01.000*kW)"]));
  for (let i = 0; i < 600; i++) host.tick(host.nowUs + 10_000);
  assert.deepEqual(heard(host).at(-1), [0, null, BAD, STALE]);
  say(host, make.p1Telegram(["1-0:1.7.0(02.000*kW)"]));
  assert.deepEqual(heard(host).at(-1), [0, 2000, GOOD, 0]);
});

test("two meters of one node, of two protocols, are kept apart", async () => {
  const taps = {
    grid: { uart: 0, protocol: "sml" },
    heat: { uart: 1, protocol: "m-bus", baud: 2400, format: "8E1" },
  };
  const node = parseNode({
    type: "two",
    taps,
    channels: {
      heat: { kind: "object", tap: "heat", unitId: 1, object: "0406" },
      power: { ...power, tap: "grid" },
    },
  });
  const host = await start(node);
  say(host, make.smlTelegram([{ obis: [1, 0, 1, 7, 0, 255], value: 230n, bytes: 2, unit: 27 }]));
  say(host, make.longFrame(8, 1, 0x72, make.meterData("00000001", "040607000000")), 1);
  assert.deepEqual(heard(host), [
    [1, 230, GOOD, 0],
    [0, 7000, GOOD, 0],
  ]);
});

const base = (): Record<string, unknown> => ({ ...power });
const mistakes: [string, string, Record<string, unknown>, RegExp][] = [
  ["a text that is no OBIS code", "sml", { object: "1.2" + ".3.4" }, /OBIS code/],
  ["an OBIS code beyond 255", "dsmr-p1", { object: "1-0:1.8.256" }, /OBIS code/],
  ["a value of SML", "sml", { value: 2 }, /has one value/],
  ["an address of P1", "dsmr-p1", { unitId: 1 }, /only M-Bus/],
  ["M-Bus without a meter", "m-bus", { object: "0413" }, /"unitId"/],
  ["half an octet of M-Bus", "m-bus", { object: "041", unitId: 1 }, /hexadecimal/],
  ["a VIB that is cut", "m-bus", { object: "0493", unitId: 1 }, /hexadecimal/],
  ["a DIB alone", "m-bus", { object: "04", unitId: 1 }, /hexadecimal/],
  ["octets behind a VIB", "m-bus", { object: "041300", unitId: 1 }, /hexadecimal/],
  ["a Modbus tap", "modbus-rtu", {}, /an object needs a tap of dsmr-p1, iec62056-21, sml, m-bus/],
  ["a scale of five digits", "sml", { scale: 1.2345 }, /four significant digits/],
];
for (const [name, protocol, change, says] of mistakes)
  test(`refused: ${name}`, () => {
    assert.throws(() => nodeOf(protocol, { it: { ...base(), ...change } }), says);
  });
