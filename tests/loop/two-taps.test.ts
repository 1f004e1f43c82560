// SPDX-License-Identifier: MIT
// A node with a Modbus tap and a tap of lines: each channel hears its own.
//
// Goal: the numbering of taps, fields and registers. Method: the release module of the scale beside a bus, in both
// orders of the taps; the scale's lines on one tap, a response on the other.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { KIND_READING } from "../../firmware/wire/record.ts";
import { readRegisters } from "../support/modbus.ts";
import { buildLoop, createLoopHost, NO_CODE, parseNode } from "../support/loop-host.ts";

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
