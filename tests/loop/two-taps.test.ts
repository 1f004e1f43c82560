// SPDX-License-Identifier: MIT
// A node with taps of two protocols: each channel and each counter hears its own.
//
// Goal: the numbering of taps, fields, objects and registers. Method: the release module of the scale beside a bus, and of
// each two of a meter, Modbus RTU and ASCII, in both orders of the taps, with octets on both.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { KIND_READING } from "../../firmware/wire/record.ts";
import { lastCounters } from "../support/capture.ts";
import { readRegisters } from "../support/modbus.ts";
import { buildLoop, createLoopHost, NO_CODE, parseNode } from "../support/loop-host.ts";
import { smlTelegram } from "../support/telegrams.ts";

const NODES = join(import.meta.dirname, "../../firmware/nodes");
const scale = JSON.parse(readFileSync(join(NODES, "scale/node.json"), "utf8"));
const BUS = { uart: 1, protocol: "modbus-rtu", baud: 9600, format: "8E1" };
const BUS_CHANNEL = { kind: "register", tap: "bus", unitId: 17, table: "input", address: 8 };
const CHARACTER_US = 1146; // 11 bits at 9,600 baud

for (const [name, busTap] of [
  ["lines, bus", 1],
  ["bus, lines", 0],
] as const)
  test(`taps in the order ${name}: a line and a register arrive each on its channel`, async () => {
    const { line } = scale.taps;
    const taps = busTap === 0 ? { bus: BUS, line } : { line, bus: BUS };
    const channels = { voltage: BUS_CHANNEL, ...scale.channels };
    const { simulate: _, ...rest } = scale;
    const host = createLoopHost(await buildLoop(parseNode({ ...rest, taps, channels }), NO_CODE));
    host.init();
    const put = (tap: number, octets: Uint8Array, fromUs: number): void =>
      host.put(
        tap,
        octets,
        Array.from(octets, (_, i) => fromUs + (i + 1) * CHARACTER_US),
      );
    const run = (untilUs: number): void => {
      while (host.nowUs < untilUs) host.tick(host.nowUs + 10_000);
    };
    run(200_000);
    put(1 - busTap, Buffer.from("   12.34 G S\r\n   12.34 G S\r\n", "latin1"), 200_000);
    let fromUs = 200_000;
    for (const frame of readRegisters(17, 4, 8, [2301])) {
      run(fromUs);
      put(busTap, frame, fromUs);
      fromUs += 60_000;
    }
    while (host.waiting(0) + host.waiting(1) > 0) host.tick(host.nowUs + 10_000);
    run(1_500_000);
    const told = host.records.filter((r) => r.kind === KIND_READING && r.quality === 0);
    const first = (channel: number) => told.find((one) => one.channel === channel)?.value;
    assert.deepEqual([first(0), first(1)], [2301, 1234], JSON.stringify(host.records));
  });

const GRID = { uart: 0, protocol: "sml" };
const TEXT = { uart: 1, protocol: "modbus-ascii", baud: 9600, format: "7E1" };
const SEVERAL: Record<string, object> = { grid: GRID, bus: { ...BUS, uart: 0 }, text: TEXT };
const ORDERS = [
  ["grid", "bus"],
  ["bus", "grid"],
  ["grid", "text"],
  ["text", "grid"],
  ["text", "bus"],
  ["bus", "text"],
];

function ascii(rtu: Uint8Array): Uint8Array {
  const octets = [...rtu.subarray(0, -2)];
  const lrc = -octets.reduce((sum, octet) => sum + octet, 0) & 0xff;
  const hex = Buffer.from([...octets, lrc])
    .toString("hex")
    .toUpperCase();
  return Buffer.from(`:${hex}\r\n`, "latin1");
}

for (const order of ORDERS)
  test(`taps in the order ${order.join(", ")}: readings and counters stay apart`, async () => {
    const power = { kind: "object", tap: "grid", object: "1-0:1.7.0", unit: "W" };
    const ofBus = (tap: string) => ({ ...BUS_CHANNEL, tap });
    const all = { power, voltage: ofBus("bus"), level: ofBus("text") };
    const channels = Object.fromEntries(
      Object.entries(all).filter(([, { tap }]) => order.includes(tap)),
    );
    const taps = Object.fromEntries(order.map((tap, i) => [tap, { ...SEVERAL[tap], uart: i }]));
    const host = createLoopHost(await buildLoop(parseNode({ type: "several", taps, channels })));
    host.init();
    const said: Record<string, Uint8Array[]> = {
      grid: [smlTelegram([{ obis: [1, 0, 1, 7, 0, 255], value: 230n, bytes: 2, unit: 27 }])],
      bus: readRegisters(17, 4, 8, [2301]),
      text: [...readRegisters(17, 4, 8, [2302]), ...readRegisters(17, 4, 8, [2302])].map(ascii),
    };
    order.forEach((name, tap) => {
      const frames = said[name]!;
      const times = frames.flatMap((frame, i) =>
        Array.from(frame, (_, at) => 200_000 + i * 100_000 + (at + 1) * CHARACTER_US),
      );
      host.put(tap, Buffer.concat(frames), times);
    });
    while (host.nowUs < 12_000_000) host.tick(host.nowUs + 10_000);
    const told = new Map(
      host.records
        .filter(({ kind, quality }) => kind === KIND_READING && quality === 0)
        .map(({ channel, value }) => [Object.keys(channels)[channel], value]),
    );
    const values: Record<string, number> = { power: 230, voltage: 2301, level: 2302 };
    assert.deepEqual(
      Object.fromEntries(told),
      Object.fromEntries(Object.keys(channels).map((key) => [key, values[key]])),
    );
    order.forEach((name, tap) => {
      const { bytes, pairs, junk_bytes: junk } = lastCounters(host, tap);
      const octets = said[name]!.reduce((sum, frame) => sum + frame.length, 0);
      assert.deepEqual([bytes, pairs, junk], [octets, { grid: 0, bus: 1, text: 2 }[name], 0], name);
    });
  });
