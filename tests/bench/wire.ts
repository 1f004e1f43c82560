// SPDX-License-Identifier: MIT
// Octets a reading on the wire: SenML packs beside JSON and Sparkplug B.
//
// Packs of 1, 4 and 16 readings come from the release link.wasm of the example meter: its four channels,
// a new round of them each 50 ms, values that wander. What each pack says is then said in the other
// formats. Counted twice: the payload alone, and all that passes on an IPv4 network for its delivery
// at QoS 1. Nothing here is timed, so every run prints the same.
//
// Transport: PUBLISH and PUBACK, each in a datagram of its own (MQTT-SN: 28 octets of UDP and IPv4) or in
// a segment of its own (MQTT: 52 octets of TCP with time stamps, and IPv4). No further segments are
// counted for MQTT, as if each acknowledgement of TCP rode on one of these.

import { generate } from "mqtt-packet";
import sparkplug from "sparkplug-payload";
import { encode } from "../../gateway/encode.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { QUICK, report, type Figure, type Goal } from "../../scripts/bench/report.ts";
import { BASE_NAME } from "../support/link-host.ts";
import { readPack, type PackRecord } from "../support/link-pack.ts";
import { buildLinkOf, put, startLink } from "../support/link-rig.ts";

const METER = "firmware/nodes/meter/node.json";
const SIZES = [1, 4, 16];
const PACKS = QUICK ? 2 : 200; // of each size
const ROUND_MS = 50;
const UDP_IP_BYTES = 8 + 20;
const TCP_IP_BYTES = 20 + 12 + 20;
const SETTLE_MS = 5000; // connected, registered, births sent
const PAUSE_MS = 2000; // between packs: the one before was acknowledged
const GOAL_JSON: Goal = { of: "ratio", atMost: 1 / 6 };
const GOAL_SPARKPLUG: Goal = { of: "ratio", atMost: 1 / 3 };

// The meter's channels: how a Sparkplug client would type them, where their mantissas start.
const CHANNELS = [
  { name: "voltage", type: "Float", start: 2312, step: 9, ring: "u32" },
  { name: "current", type: "Float", start: 1873, step: 40, ring: "u32" },
  { name: "power", type: "Float", start: 43_250, step: 300, ring: "i32" },
  { name: "energy", type: "Int64", start: 81_400, step: 2, ring: "u32" },
] as const;

/** Packs of so many readings, as the node sends them. */
function takePacks(module: WebAssembly.Module, size: number): Uint8Array[] {
  const { host, gateway } = startLink(module, {}, { nodeId: "meter-1" });
  const prng = createPrng(size);
  const mantissas: number[] = CHANNELS.map(({ start }) => start);
  host.run(SETTLE_MS);
  for (let pack = 0; pack < PACKS; pack++) {
    for (let reading = 0; reading < size; reading++) {
      const channel = reading % CHANNELS.length;
      if (reading > 0 && channel === 0) host.run(ROUND_MS);
      const { step, ring } = CHANNELS[channel]!;
      mantissas[channel]! += prng.below(2 * step + 1) - (channel === 3 ? 0 : step);
      put(host, { channel, [ring]: mantissas[channel]! });
    }
    host.run(PAUSE_MS);
  }
  const packs = gateway.publications.filter(({ topic }) => topic === "data");
  return packs.map(({ payload }) => payload);
}

interface Reading {
  name: string;
  value: number;
  timeMs: number;
}

function toReading({ name, value, timeMs }: PackRecord): Reading {
  if (value === undefined) throw new Error(`${name} has no value`);
  if (typeof value === "number") return { name, value, timeMs };
  const exact = (value.m * 10 ** value.e).toFixed(Math.max(0, -value.e));
  return { name, value: Number(exact), timeMs };
}

interface Octets {
  payload: number;
  transport: number; // payload included
}

function overMqttSn(payload: Uint8Array): Octets {
  const publish = encode({
    ...{ type: "PUBLISH", dup: false, qos: 1, retain: false, topicIdType: "normal" },
    ...{ topicId: 1, msgId: 1, data: Buffer.from(payload) },
  });
  const puback = encode({ type: "PUBACK", topicId: 1, msgId: 1, returnCode: 0 });
  const transport = publish.length + puback.length + 2 * UDP_IP_BYTES;
  return { payload: payload.length, transport };
}

function overMqtt(topic: string, payload: Uint8Array): Octets {
  const flags = { qos: 1, retain: false, dup: false, messageId: 1 } as const;
  const publish = generate({ cmd: "publish", topic, payload: Buffer.from(payload), ...flags });
  const puback = generate({ cmd: "puback", messageId: 1 });
  const transport = publish.length + puback.length + 2 * TCP_IP_BYTES;
  return { payload: payload.length, transport };
}

function sum(all: readonly Octets[]): Octets {
  const of = (key: keyof Octets): number => all.reduce((total, one) => total + one[key], 0);
  return { payload: of("payload"), transport: of("transport") };
}

/** Each reading a message of its own, as the unified namespace has it. */
function asFlatJson(readings: readonly Reading[]): Octets {
  const place = "umh/v1/example/workshop/heat-treatment/line-1/supply/_raw/meter-1";
  return sum(
    readings.map(({ name, value, timeMs }) =>
      overMqtt(`${place}/${name}`, Buffer.from(JSON.stringify({ timestamp_ms: timeMs, value }))),
    ),
  );
}

/** RFC 8428 §5: base fields in the first record, the same as in the CBOR, without boot and sequence. */
function asSenmlJson(readings: readonly Reading[]): Octets {
  const baseMs = readings[0]!.timeMs;
  const records = readings.map(({ name, value, timeMs }, index) => ({
    ...(index === 0 && { bn: BASE_NAME, bt: baseMs / 1000 }),
    ...{ n: name, v: value },
    ...(timeMs !== baseMs && { t: (timeMs - baseMs) / 1000 }),
  }));
  return overMqtt("ferrule/meter-1/data", Buffer.from(JSON.stringify(records)));
}

/** One NDATA: aliases for names, since the NBIRTH told them; time stamps in each metric. */
function asSparkplug(readings: readonly Reading[], seq: number): Octets {
  const metrics = readings.map(({ name, value, timeMs }) => {
    const alias = CHANNELS.findIndex((channel) => channel.name === name);
    return { alias, timestamp: timeMs, type: CHANNELS[alias]!.type, value };
  });
  const codec = sparkplug.get("spBv1.0");
  if (codec === null) throw new Error("sparkplug-payload knows no spBv1.0");
  const payload = codec.encodePayload({ timestamp: readings[0]!.timeMs, metrics, seq: seq % 256 });
  return overMqtt("spBv1.0/workshop/NDATA/meter-1", payload);
}

function figuresOf(size: number, packs: readonly Uint8Array[]): Figure[] {
  const said = packs.map((payload) => readPack(payload, BASE_NAME).map(toReading));
  const other = said.find((readings) => readings.length !== size);
  if (packs.length !== PACKS || other !== undefined)
    throw new Error(`${packs.length} packs, one of ${other?.length ?? size}, instead of ${size}`);
  const all = {
    "flat JSON": sum(said.map(asFlatJson)),
    "SenML JSON": sum(said.map(asSenmlJson)),
    "Sparkplug B": sum(said.map(asSparkplug)),
    ours: sum(packs.map(overMqttSn)),
  };
  const of = (name: keyof typeof all, key: keyof Octets): Figure => ({
    name: `${size} ${name}, ${key}`,
    value: all[name][key] / (size * PACKS),
    unit: "octets",
  });
  const beside = (key: keyof Octets, name: keyof typeof all, goal: Goal): Figure => ({
    ...of("ours", key),
    name: `${size} ours, ${key}, to ${name}`,
    beside: `${size} ${name}, ${key}`,
    ...(size === 16 && { goal }),
  });
  return (["payload", "transport"] as const).flatMap((key) => [
    of("flat JSON", key),
    of("SenML JSON", key),
    of("Sparkplug B", key),
    beside(key, "flat JSON", GOAL_JSON),
    beside(key, "SenML JSON", GOAL_JSON),
    beside(key, "Sparkplug B", GOAL_SPARKPLUG),
  ]);
}

const module = await buildLinkOf(METER);
report({
  bench: "wire",
  notes: [
    `octets a reading, mean of ${PACKS} packs of link.wasm for each size; the size stands first`,
    "payload: SenML in CBOR with boot and sequence, against payloads without",
    "transport: PUBLISH and PUBACK with their UDP or TCP and IPv4 headers",
  ],
  figures: SIZES.flatMap((size) => figuresOf(size, takePacks(module, size))),
});
