// SPDX-License-Identifier: MIT
// The machines of the page's fixture, and their values as functions of time.

import type { AlarmView, ChannelView, NodeView } from "../../hub/api.ts";

/** Two numbers in a wave and its noise: the same time gives the same value, always. */
export function valueAt(node: NodeView, channel: ChannelView, wallMs: number): number {
  const seconds = wallMs / 1000;
  const noise = Math.sin(seconds * 12.9898) * 43758.5453;
  const jitter = noise - Math.floor(noise) - 0.5;
  switch (channel.name) {
    case "temperature":
      return round(181 + 14 * Math.sin(seconds / 34) + 6 * Math.sin(seconds / 9) + jitter, 2);
    case "heater":
      return round(0.45 - 0.3 * Math.sin(seconds / 34) - 0.12 * Math.sin(seconds / 9), 3);
    case "voltage":
      return round(187.2 + 1.4 * Math.sin(seconds / 51) + jitter, 1);
    case "current":
      return round(4.2 + 1.1 * Math.sin(seconds / 23) + jitter / 10, 2);
    case "power":
      return round(784 + 190 * Math.sin(seconds / 23) + jitter * 4, 1);
    case "energy":
      return 44_435_520 + 360 * Math.floor((seconds % 100_000) / 4);
    case "motor-current":
      return round(14 + 6 * Math.sin(seconds / 3) + jitter, 2);
    case "bearing-velocity":
      return round(0.0021 + 0.0004 * Math.sin(seconds / 40) + jitter / 20_000, 6);
    case "weight":
      return round(12.4 + 0.3 * Math.sin(seconds / 8) + jitter / 100, 3);
    case "state":
      return 2;
    case "parts":
    case "rejects":
      return Math.floor((seconds % 100_000) / (channel.name === "parts" ? 3 : 150));
    default:
      // Each at another place of its wave, so that their order changes all the time.
      return round(20 + node.id.length + 3 * Math.sin(seconds / 2 + phaseOf(node, channel)), 1);
  }
}

function phaseOf(node: NodeView, channel: ChannelView): number {
  return [...`${node.id}/${channel.name}`].reduce((sum, sign) => sum * 7 + sign.charCodeAt(0), 0);
}

export function ovenNode(startMs: number): NodeView {
  const limits = [alarm("too-hot", true, 200, 3), alarm("too-cold", false, 160, 3)];
  const temperature = { unit: "Cel", decimals: 2, periodMs: 100, alarms: limits };
  return {
    ...baseNode("oven-1", "oven", startMs),
    cell: "cell-1",
    outputs: [{ name: "heater", min: 0, max: 0.95, safe: 0 }],
    channels: [
      channel("temperature", temperature),
      channel("heater", { kind: "computed", unit: "/", decimals: 3, periodMs: 100 }),
    ],
  };
}

export function meterNode(startMs: number): NodeView {
  const low = alarm("low", false, 190, 5);
  return {
    ...baseNode("meter-1", "meter", startMs),
    cell: "cell-2",
    taps: [
      {
        name: "bus",
        protocol: "modbus-rtu",
        baud: 9600,
        format: "8E1",
        line: null,
        learned: 0,
        counters: {
          bytes: 48_211,
          frames: 4_020,
          requests: 2_012,
          responses: 2_008,
          exceptions: 3,
          pairs: 2_005,
          orphans: 1,
          unanswered: 4,
          broadcasts: 0,
          junkBytes: 96,
        },
      },
    ],
    channels: [
      register("voltage", 4, 8, "u16", { unit: "V", decimals: 1, alarms: [low] }),
      register("current", 3, 107, "u16", { unit: "A", decimals: 2 }),
      register("power", 3, 204, "i32", { unit: "W", decimals: 1 }),
      register("energy", 3, 206, "u32", { unit: "J", decimals: 0 }),
    ],
  };
}

/** A press that says what it does, and counts. */
export function pressNode(number: number, startMs: number): NodeView {
  const count = { kind: "counter", unit: "count", periodMs: 1_000 } as const;
  const worn = [alarm("warning", true, 0.0045, 0.0005), alarm("danger", true, 0.0071, 0.0005)];
  const vibration = { kind: "vibration", unit: "m/s", decimals: 6, periodMs: 5_000 } as const;
  return {
    ...baseNode(`press-${number}`, "press", startMs),
    cell: "cell-4",
    machine: { state: "run", sinceMs: startMs + 20_000 },
    totals: {
      stateMs: { run: 9_412_000, idle: 1_304_000, stopped: 380_000, fault: 21_000 },
      counts: { parts: 3_137, rejects: 63 },
    },
    channels: [
      channel("state", { kind: "state", periodMs: 10 }),
      channel("parts", count),
      channel("rejects", count),
      channel("motor-current", {
        unit: "A",
        decimals: 2,
        periodMs: 50,
        alarms: [alarm("overload", true, 40, 2)],
      }),
      channel("bearing-velocity", { ...vibration, alarms: worn }),
    ],
  };
}

/** A scale that speaks on a line. */
export function scaleNode(startMs: number): NodeView {
  const field = { tap: "line", pattern: "result", field: "gross" };
  const words = { unit: "kg", decimals: 3, heartbeatMs: 0, field };
  const counters = { bytes: 30_870, frames: 1_980, exceptions: 6, orphans: 14, junkBytes: 90 };
  return {
    ...baseNode("scale-1", "scale", startMs),
    cell: "cell-4",
    taps: [
      {
        name: "line",
        protocol: "ascii-line",
        baud: 9600,
        format: "8N1",
        counters,
        line: null,
        learned: 0,
      },
    ],
    channels: [channel("weight", { kind: "field", ...words })],
  };
}

/** One of many: plain thermometers, each with an alarm. */
export function crowdNode(index: number, startMs: number, channels = 1): NodeView {
  const id = `sensor-${String(index + 1).padStart(3, "0")}`;
  const levels = Array.from({ length: channels }, (_, at) =>
    channel(at === 0 ? "level" : `level-${at + 1}`, {
      unit: "mm",
      decimals: 1,
      periodMs: 1_000,
      alarms: [alarm("high", true, 60, 2)],
    }),
  );
  return { ...baseNode(id, "thermometer", startMs), channels: levels };
}

function baseNode(id: string, type: string, startMs: number): NodeView {
  return {
    id,
    type,
    state: "online",
    sinceMs: startMs,
    boot: 3,
    lastSeenMs: startMs,
    eui64: "02fe0a00000000a1",
    loopHash: "3f9a1c77d2".padEnd(64, "5e"),
    linkHash: "b04417e6aa".padEnd(64, "c1"),
    firmware: "0.1.0",
    host: "simulator",
    periodUs: 10_000,
    line: "line-1",
    cell: "cell-3",
    counters: {
      queued: 4_102,
      acknowledged: 4_100,
      droppedTelemetry: 0,
      droppedAlarm: 0,
      droppedRefused: 0,
      waiting: 2,
      retransmissions: 7,
      connects: 2,
      datagramsMalformed: 0,
      loopTraps: 0,
      loopOverruns: 0,
      linkTraps: 0,
    },
    uptimeMs: 240_000,
    statusAtMs: startMs,
    taps: [],
    outputs: [],
    setpoints: [],
    machine: null,
    totals: { stateMs: null, counts: {} },
    oee: null,
    link: { roundTripMs: 12, sent: 9_312, retransmissions: 7 },
    channels: [],
  };
}

function channel(name: string, words: Partial<ChannelView>): ChannelView {
  return {
    name,
    unit: null,
    kind: "analog",
    decimals: 0,
    value: null,
    text: null,
    quality: "good",
    cause: null,
    atMs: null,
    periodMs: 0,
    heartbeatMs: 5_000,
    alarms: [],
    register: null,
    field: null,
    object: null,
    ...words,
  };
}

function register(
  name: string,
  functionCode: number,
  address: number,
  type: string,
  words: Partial<ChannelView>,
): ChannelView {
  const where = { tap: "bus", unitId: 17, functionCode, address, type, order: "ABCD" };
  return channel(name, { kind: "register", heartbeatMs: 0, register: where, ...words });
}

function alarm(name: string, above: boolean, limit: number, hysteresis: number): AlarmView {
  const none = { sinceMs: null, returnedMs: null, raises: 0, acknowledgedBy: null };
  const standing = { ...none, active: false, acknowledged: false };
  return { name, above, limit, hysteresis, delayMs: 1_000, latch: false, ...standing };
}

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
