// SPDX-License-Identifier: MIT
// Goal: programs nobody here wrote read what the road carries, value for value.
//
// Method: packs recorded in the simulator go through python3-cbor2 and are compared with what loop put into the
// ring; a road on mosquitto is watched by mosquitto_sub.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  RECORD_CHANNEL,
  RECORD_KIND,
  RECORD_TYPE,
  RECORD_VALUE,
} from "../../firmware/wire/record.ts";
import { KIND_READING, TYPE_I32, TYPE_NONE, TYPE_U32 } from "../../firmware/wire/record.ts";
import { decode } from "../../gateway/packet.ts";
import { readNode } from "../../scripts/build/node.ts";
import { allChannels, channelScale, type NodeType } from "../../scripts/build/schema.ts";
import { ferrule, PROJECT, startUp } from "../support/ferrule.ts";
import { startMosquitto, subscribe } from "../support/mosquitto.ts";
import { debianPython, program } from "../support/need.ts";
import { asShown, dissectFile, usedFields } from "../support/tshark.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-oracles-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const CBOR2 = debianPython("/usr/lib/python3/dist-packages/cbor2");
const MOSQUITTO = program("mosquitto", "mosquitto_sub");

interface TraceLine {
  e: string;
  n?: string;
  taken?: boolean;
  record?: string;
  topic?: string;
  hex?: string;
}

test("python3-cbor2 reads from the packs what loop put into the ring", CBOR2, async () => {
  const trace = join(folder, "values.jsonl");
  const run = await ferrule(["sim", "--seed", "3", "--for", "2m", "--trace", trace]);
  assert.equal(run.code, 0, run.stderr);
  const lines = readFileSync(trace, "utf8")
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as TraceLine);
  for (const [id, type] of [
    ["oven-1", "oven"],
    ["meter-1", "meter"],
  ] as const) {
    const node = readNode(join(PROJECT, "firmware/nodes", type)).type;
    const put = lines.filter((l) => l.e === "ring-put" && l.n === id && l.taken === true);
    const packs = lines.filter((l) => l.e === "broker" && l.topic === `ferrule/${id}/data`);
    const sent = valuesInPacks(packs.map((l) => l.hex!));
    assert.ok(sent.size >= 2, `${id} sent ${sent.size} channels`);
    for (const [channel, values] of valuesInRing(
      put.map((l) => l.record!),
      node,
    ))
      assert.deepEqual(sent.get(channel), values, `${id} ${channel}`);
  }
});

test("tshark reads every field of a recorded session as we do", program("tshark"), async () => {
  const file = join(folder, "session.pcap");
  const run = await ferrule(["sim", "--seed", "2", "--for", "1m", "--loss", "0.1", "--pcap", file]);
  assert.equal(run.code, 0, run.stderr);
  const datagrams = readPcap(readFileSync(file));
  const dissected = dissectFile(file);
  assert.equal(dissected.length, datagrams.length);
  const seen = new Set<string>();
  for (const [i, bytes] of datagrams.entries()) {
    const packet = decode(bytes);
    assert.ok(typeof packet === "object", `datagram ${i}: ${String(packet)}`);
    seen.add(packet.type);
    const ours = asShown(packet);
    assert.deepEqual(usedFields(dissected[i]!, ours), ours, `datagram ${i}`);
  }
  for (const type of ["CONNECT", "WILLTOPIC", "REGISTER", "PUBLISH", "PUBACK", "SUBSCRIBE"])
    assert.ok(seen.has(type), `no ${type} in the session`);
});

test("mosquitto_sub sees raw packs and flat JSON of a road on mosquitto", MOSQUITTO, async (t) => {
  const broker = await startMosquitto();
  const watch = await subscribe(broker.port, "#");
  t.after(async () => {
    watch.stop();
    await broker.stop();
  });
  const road = await startUp(["--broker", broker.url, "--page", "0", "--for", "12"]);
  t.after(() => road.end());
  const { code, stdout, stderr } = await road.ended();
  assert.equal(code, 0, stderr);
  assert.match(stdout.trim().split("\n").at(-1)!, /^\d+ nodes, \d+ readings sent, /);
  const raw = watch.messages.filter(({ topic }) => topic === "ferrule/meter-1/data");
  const flat = watch.messages.filter(({ topic }) => topic.endsWith("/_raw/meter-1/voltage"));
  assert.ok(raw.length > 0 && flat.length > 0, `${raw.length} packs, ${flat.length} values`);
  for (const { hex } of flat) {
    const message = JSON.parse(Buffer.from(hex, "hex").toString()) as Record<string, number>;
    assert.deepEqual(Object.keys(message), ["timestamp_ms", "value"]);
    assert.equal(message["value"], 200.8); // the line was recorded: input register 8 holds 2008
    assert.ok(Math.abs(message["timestamp_ms"]! - Date.now()) < 60_000);
  }
  if (CBOR2.skip === false)
    assert.deepEqual(
      new Set(valuesInPacks(raw.map((m) => m.hex)).get("voltage")),
      new Set(["200.8"]),
    );
});

/** UDP payloads of a classic pcap of raw IPv4: 24 octets of head, then 16 a packet, 28 of IP and UDP. */
function readPcap(file: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let at = 24; at < file.length;) {
    const length = file.readUInt32LE(at + 8);
    payloads.push(file.subarray(at + 16 + 28, at + 16 + length));
    at += 16 + length;
  }
  return payloads;
}

/** Channel name -> decimal texts in order of sequence, each sequence once; bad readings are "bad". */
function valuesInPacks(packs: string[]): Map<string, string[]> {
  const python = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "decode_packs.py")], {
    input: packs.join("\n"),
    encoding: "utf8",
  });
  assert.equal(python.status, 0, python.stderr);
  const bySequence = new Map<number, { name: string; value: string }>();
  for (const line of python.stdout.trim().split("\n")) {
    let sequence = 0;
    for (const record of JSON.parse(line) as Record<string, string | number>[]) {
      sequence = record["q"] === undefined ? sequence + 1 : Number(record["q"]);
      const value = record["g"] === 2 ? "bad" : String(Number(record["2"]));
      bySequence.set(sequence, { name: String(record["0"]), value });
    }
  }
  const values = new Map<string, string[]>();
  for (const [, { name, value }] of [...bySequence].sort(([a], [b]) => a - b))
    values.set(name, [...(values.get(name) ?? []), value]);
  return values;
}

/** The same from ring records: mantissa times the channel's scale. */
function valuesInRing(records: string[], node: NodeType): Map<string, string[]> {
  const channels = allChannels(node);
  const values = new Map<string, string[]>();
  for (const record of records) {
    const bytes = Buffer.from(record, "hex");
    if (bytes[RECORD_KIND] !== KIND_READING) continue;
    const [name, channel] = channels[bytes[RECORD_CHANNEL]!]!;
    const { mantissa, exponent } = channelScale(channel);
    const kind = bytes[RECORD_TYPE]!;
    let value = "bad";
    if (kind === TYPE_I32)
      value = String(Number(`${bytes.readInt32LE(RECORD_VALUE) * mantissa}e${exponent}`));
    else if (kind === TYPE_U32)
      value = String(Number(`${bytes.readUInt32LE(RECORD_VALUE) * mantissa}e${exponent}`));
    else assert.equal(kind, TYPE_NONE);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}
