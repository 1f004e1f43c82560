// SPDX-License-Identifier: MIT
// The lossy network does what its probabilities say, and nothing once healed.
//
// Goal: faults are real, bounded and end. Method: thousands of datagrams by seed, counted; a pcap file
// of them read back by tshark.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClock } from "../../host-sim/clock.ts";
import { DELAY_US_MAX, IN_FLIGHT_MAX, REORDER_US_MAX } from "../../host-sim/limits.ts";
import {
  createNetwork,
  type Network,
  type NetworkFaults,
  type Tamper,
} from "../../host-sim/network/link.ts";
import { encodePcapDatagram, encodePcapHeader, parseEndpoint } from "../../host-sim/pcap.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { createTrace } from "../../host-sim/trace.ts";
import * as need from "../support/need.ts";

const NONE = { loss: 0, duplicate: 0, reorder: 0 };
const A = "192.0.2.2:10001";
const B = "192.0.2.1:10000";

interface Rig {
  network: Network;
  heard: { number: number; nowUs: number }[];
  sendMany(count: number): void;
}

function createRig(faults: NetworkFaults, seed = 1, tamper?: Tamper): Rig {
  const clock = createClock();
  const heard: Rig["heard"] = [];
  const network = createNetwork(
    faults,
    {
      clock,
      prng: createPrng(seed),
      trace: createTrace(),
      deliver: (_from, _to, bytes) =>
        heard.push({ number: new DataView(bytes.buffer).getUint32(0), nowUs: clock.nowUs() }),
    },
    tamper,
  );
  let number = 0;
  return {
    network,
    heard,
    sendMany(count) {
      for (let i = 0; i < count; i++) {
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setUint32(0, number++);
        network.send(A, B, bytes);
        clock.runUntil(clock.nowUs() + 1000);
      }
      clock.runUntil(clock.nowUs() + REORDER_US_MAX + DELAY_US_MAX);
    },
  };
}

test("without faults every datagram arrives once, in order, soon", () => {
  const rig = createRig(NONE);
  rig.sendMany(2000);
  assert.deepEqual(
    rig.heard.map(({ number }) => number),
    Array.from({ length: 2000 }, (_, i) => i),
  );
  assert.ok(rig.heard.every(({ number, nowUs }) => nowUs - number * 1000 <= 2 * DELAY_US_MAX));
  assert.equal(rig.network.inFlight(), 0);
});

test("loss, duplicates and stragglers come as often as asked", () => {
  const rig = createRig({ loss: 0.2, duplicate: 0.1, reorder: 0.05 });
  rig.sendMany(10_000);
  const { sent, delivered, lost, duplicated, late } = rig.network.counts();
  assert.equal(sent, 10_000);
  assert.ok(Math.abs(lost - 2000) < 200, `${lost} lost`);
  assert.ok(Math.abs(duplicated - 800) < 120, `${duplicated} duplicated`);
  assert.ok(Math.abs(late - 440) < 100, `${late} late`);
  assert.equal(delivered, sent - lost + duplicated);
  assert.equal(rig.heard.length, delivered);
  const overtaken = rig.heard.filter(({ number }, i) => number < (rig.heard[i - 1]?.number ?? 0));
  assert.ok(overtaken.length > 100);
});

test("the same seed has the same fate, another seed another", () => {
  const fate = (seed: number): unknown => {
    const rig = createRig({ loss: 0.2, duplicate: 0.1, reorder: 0.1 }, seed);
    rig.sendMany(500);
    return rig.heard;
  };
  assert.deepEqual(fate(5), fate(5));
  assert.notDeepEqual(fate(5), fate(6));
});

test("healed, nothing is lost any more", () => {
  const rig = createRig({ loss: 1, duplicate: 1, reorder: 1 });
  rig.sendMany(50);
  assert.equal(rig.heard.length, 0);
  rig.network.heal();
  rig.sendMany(50);
  assert.deepEqual(
    rig.heard.map(({ number }) => number),
    Array.from({ length: 50 }, (_, i) => 50 + i),
  );
});

test("a planned fault decides each datagram until the network heals", () => {
  const rig = createRig({ loss: 1, duplicate: 0, reorder: 0 }, 1, (bytes, index) =>
    index === 1 ? [] : index === 2 ? [bytes, bytes] : [bytes],
  );
  rig.sendMany(4);
  assert.deepEqual(
    rig.heard.map(({ number }) => number),
    [0, 2, 2, 3],
  );
  const deaf = createRig(NONE, 1, () => []);
  deaf.sendMany(3);
  deaf.network.heal();
  deaf.sendMany(2);
  assert.deepEqual(
    deaf.heard.map(({ number }) => number),
    [3, 4],
  );
});

test("more than the network holds is lost and counted", () => {
  const clock = createClock();
  const network = createNetwork(NONE, {
    clock,
    prng: createPrng(1),
    trace: createTrace(),
    deliver: () => undefined,
  });
  for (let i = 0; i < IN_FLIGHT_MAX + 7; i++) network.send(A, B, Uint8Array.of(1));
  assert.equal(network.counts().overflowed, 7);
  assert.equal(network.inFlight(), IN_FLIGHT_MAX);
  clock.runUntil(1_000_000);
  assert.equal(network.counts().delivered, IN_FLIGHT_MAX);
});

test(
  "a pcap file of both directions and the group is read by tshark",
  need.program("tshark"),
  () => {
    const folder = mkdtempSync(join(tmpdir(), "ferrule-"));
    const file = join(folder, "run.pcap");
    const wallUs = 1_767_225_600_123_456;
    const packet = (from: string, to: string, hex: string): Uint8Array =>
      encodePcapDatagram(wallUs, parseEndpoint(from), parseEndpoint(to), Buffer.from(hex, "hex"));
    const records = [
      packet(A, "239.255.77.78:10000", "030101"),
      packet(B, A, "030201"),
      packet(A, B, "0d0404 01003c 6f76656e2d3031".replaceAll(" ", "")),
      packet(B, A, "030500"),
      packet(A, B, "00"), // odd length in the checksum
    ];
    writeFileSync(file, Buffer.concat([encodePcapHeader(), ...records]));
    const fields =
      "frame.time_epoch ip.src ip.dst udp.srcport udp.dstport ip.checksum.status".split(" ");
    const text = execFileSync("tshark", [
      ...["-r", file, "-d", "udp.port==10000,mqttsn", "-T", "fields", "-E", "separator=|"],
      ...["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"],
      ...[...fields, "udp.checksum.status", "mqttsn.msg.type"].flatMap((field) => ["-e", field]),
    ]).toString();
    rmSync(folder, { recursive: true });
    const at = "1767225600.123456000";
    assert.deepEqual(text.trim().split("\n").slice(0, 4), [
      `${at}|192.0.2.2|239.255.77.78|10001|10000|1|1|0x01`,
      `${at}|192.0.2.1|192.0.2.2|10000|10001|1|1|0x02`,
      `${at}|192.0.2.2|192.0.2.1|10001|10000|1|1|0x04`,
      `${at}|192.0.2.1|192.0.2.2|10000|10001|1|1|0x05`,
    ]);
    assert.match(text.trim().split("\n")[4]!, /\|10001\|10000\|1\|1\|/);
  },
);
