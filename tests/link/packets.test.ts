// SPDX-License-Identifier: MIT
// Goal: the codec takes what MQTT-SN 1.2 §5 allows and counts the rest.
// Method: all vectors, their strict prefixes and grown forms to a connected node; packs driven through 245 to 262 octets; tshark reads a session.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { open, packet, u16 } from "../support/link-gateway.ts";
import { buildLink, parseNode } from "../support/link-host.ts";
import { buildLinkOf, delivered, put, startLink, type Rig } from "../support/link-rig.ts";
import { program } from "../support/need.ts";

interface Vector {
  name: string;
  hex: string;
  means: { type: string };
}
const vectors = JSON.parse(
  readFileSync(new URL("../vectors/mqttsn.json", import.meta.url), "utf8"),
) as Vector[];

let module: WebAssembly.Module;
before(async () => {
  module = await buildLinkOf("firmware/nodes/oven/node.json");
});

function connected(): Rig {
  const rig = startLink(module);
  rig.host.run(3000);
  return rig;
}

/** What one datagram did: a name of a counter, or "taken". */
function effect(rig: Rig, bytes: Uint8Array, peer = 1): string {
  const before = rig.host.counters();
  rig.host.deliver(peer, bytes, 0);
  rig.host.run(1);
  const after = rig.host.counters();
  const grown = ["datagramsMalformed", "datagramsUnexpected"].filter((n) => after[n] !== before[n]);
  assert.ok(grown.length <= 1);
  return grown[0] ?? "taken";
}

// What a connected node waits for unasked. The rest is well-formed and nobody waits for it.
const TAKEN = ["pingreq, keep alive", "pingreq of a sleeping client that wakes"].concat([
  "pingreq in the legal long form",
  "disconnect",
  "disconnect, to sleep for 600 s",
]);

test("each vector is taken, unexpected or malformed, as the session says", () => {
  for (const { name, hex, means } of vectors) {
    const rig = connected();
    const got = effect(rig, Buffer.from(hex, "hex"));
    const isForwarded = means.type === "FORWARDER"; // its Length does not cover the message
    const wanted = isForwarded
      ? "datagramsMalformed"
      : TAKEN.includes(name)
        ? "taken"
        : "datagramsUnexpected";
    assert.equal(got, wanted, name);
    rig.host.run(30_000);
    assert.ok(rig.gateway.connected, `${name}: the next good one is accepted`);
  }
});

test("every strict prefix and every grown form of a vector is malformed", () => {
  const rig = connected();
  for (const { name, hex } of vectors) {
    const bytes = Buffer.from(hex, "hex");
    for (let n = 0; n < bytes.length; n++)
      assert.equal(effect(rig, bytes.subarray(0, n)), "datagramsMalformed", `${name}: ${n} octets`);
    assert.equal(effect(rig, Buffer.concat([bytes, Buffer.of(0)])), "datagramsMalformed", name);
  }
  put(rig.host, { i32: 1 });
  rig.host.run(1000);
  assert.equal(delivered(rig.gateway).length, 1);
});

test("malformed datagrams, each for one reason", () => {
  const rig = connected();
  const malformed: Record<string, string> = {
    "an empty datagram": "",
    "one octet": "02",
    "Length 0": "0016",
    "Length 1 in one octet": "0116",
    "3-octet Length below 4": "01000316",
    "3-octet Length cut short": "0100",
    "Length longer than the datagram": "0516",
    "Length shorter than the datagram": "021600",
    "3-octet Length longer": "01000516",
    "a reserved type": "0203",
    "a type beyond all": "021e",
    "PINGRESP with a body": "04170000",
    "DISCONNECT with half a duration": "031805",
    "CONNACK without code": "0205",
    "PUBACK one octet short": "060d00010002",
    "SUBACK one octet long": "0913200000000400ff".slice(0, 18),
    "REGISTER without a name": "060a00050001",
    "PUBLISH without MsgId": "060c00000100",
  };
  for (const [reason, hex] of Object.entries(malformed))
    assert.equal(effect(rig, Buffer.from(hex, "hex")), "datagramsMalformed", reason);
  assert.equal(effect(rig, packet(0x16)), "taken");
});

test("the long form is read at any length", () => {
  const rig = connected();
  assert.equal(effect(rig, Uint8Array.of(1, 0, 4, 0x16)), "taken");
  for (let data = 240; data <= 260; data++) {
    const body = [0, ...u16(0x7777), 0, 0, ...new Uint8Array(data)];
    const short = body.length + 2;
    const long = Uint8Array.of(1, ...u16(body.length + 4), 0x0c, ...body);
    assert.equal(effect(rig, long), "datagramsUnexpected");
    if (short <= 255)
      assert.equal(effect(rig, Uint8Array.of(short, 0x0c, ...body)), "datagramsUnexpected");
    assert.equal(
      effect(rig, Uint8Array.of(short & 0xff, 0x0c, ...body)),
      short <= 255 ? "datagramsUnexpected" : "datagramsMalformed",
    );
  }
});

test("packs of every length around 255 octets are framed in the shortest form", async () => {
  const names = ["a", "ab", "abc", "abcd"];
  const channels = Object.fromEntries(
    names.map((name) => [name, { kind: "computed", decimals: 0 }]),
  );
  const rig = startLink(await buildLink(parseNode({ type: "lengths", channels })));
  rig.host.run(3000);
  const seen = new Set<number>();
  // Widths of a value: 1, 2, 3 and 5 octets; of a name: 1 to 4. A seed mixes them until all lengths came up.
  const values = [1, 100, 300, 100_000];
  let state = 5;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 600; round++) {
    const many = 15 + random(9);
    for (let i = 0; i < many; i++) put(rig.host, { channel: random(4), i32: values[random(4)]! });
    rig.host.run(600);
  }
  for (const { type, bytes } of rig.gateway.heard) {
    if (type !== "PUBLISH") continue;
    open(bytes); // asserts the form
    seen.add(bytes.length);
  }
  for (let length = 245; length <= 262; length++) {
    // 256 and 257 do not exist: 253 octets of body are 255 in all, 254 are 258.
    assert.equal(seen.has(length), length !== 256 && length !== 257, `${length}`);
  }
  assert.equal(rig.host.counters()["acknowledged"], rig.host.counters()["queued"]);
});

test("tshark reads a session field for field", program("tshark"), () => {
  const rig = connected();
  for (let i = 0; i < 30; i++) put(rig.host, { i32: i });
  put(rig.host, { kind: 2, alarm: 1, active: 1, i32: 5 });
  rig.host.run(30_000);
  const folder = mkdtempSync(join(tmpdir(), "ferrule-link-"));
  try {
    const file = join(folder, "session.pcap");
    writeFileSync(file, capture(rig.host.sent.map(({ bytes }) => bytes)));
    const fields = ["msg.type", "msg.len", "msg.id", "topic.id", "qos", "retain", "dup"];
    const args = ["-r", file, "-d", "udp.port==10000,mqttsn", "-T", "fields", "-E", "separator=;"];
    for (const field of fields) args.push("-e", `mqttsn.${field}`);
    const output = execFileSync("tshark", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const lines = output.trim().split("\n");
    assert.equal(lines.length, rig.host.sent.length);
    lines.forEach((line, i) => compareFields(line.split(";"), rig.host.sent[i]!.bytes));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function compareFields(fields: string[], bytes: Uint8Array): void {
  const { type, body } = open(bytes);
  const number = (i: number): number => Number(fields[i]);
  const be16 = (at: number): number => body[at]! * 256 + body[at + 1]!;
  assert.equal(number(0), type);
  assert.equal(number(1), bytes.length);
  if (type === 0x0a) assert.deepEqual([number(2), number(3)], [be16(2), 0]);
  if (type !== 0x0c) return;
  assert.deepEqual([number(2), number(3)], [be16(3), be16(1)]);
  const flags = [(body[0]! >> 5) & 3, (body[0]! >> 4) & 1, body[0]! >> 7];
  assert.deepEqual([number(4), truth(fields[5]!), truth(fields[6]!)], flags);
}

function truth(text: string): number {
  return text === "1" || text === "True" ? 1 : 0;
}

/** Datagrams to UDP port 10000 as a capture of raw IPv4. */
function capture(datagrams: Uint8Array[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65535, 16);
  head.writeUInt32LE(101, 20);
  const parts = datagrams.flatMap((bytes) => {
    const entry = Buffer.alloc(16);
    entry.writeUInt32LE(28 + bytes.length, 8);
    entry.writeUInt32LE(28 + bytes.length, 12);
    const ip = Buffer.alloc(28);
    ip[0] = 0x45;
    ip.writeUInt16BE(28 + bytes.length, 2);
    ip[8] = 64;
    ip[9] = 17;
    ip.writeUInt32BE(0x7f000001, 12);
    ip.writeUInt32BE(0x7f000001, 16);
    ip.writeUInt16BE(20000, 20);
    ip.writeUInt16BE(10000, 22);
    ip.writeUInt16BE(8 + bytes.length, 24);
    return [entry, ip, Buffer.from(bytes)];
  });
  return Buffer.concat([head, ...parts]);
}
