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
    default:
      return round(20 + node.id.length + 3 * Math.sin(seconds / 20) + jitter, 1);
  }
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

/** One of many: a plain thermometer. */
export function crowdNode(index: number, startMs: number): NodeView {
  const id = `sensor-${String(index + 1).padStart(3, "0")}`;
  const temperature = channel("level", { unit: "mm", decimals: 1, periodMs: 1_000 });
  return { ...baseNode(id, "thermometer", startMs), channels: [temperature] };
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
    totals: { stateMs: null, counts: {} },
    link: { roundTripMs: null, sent: 0, retransmissions: 0 },
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
    quality: "good",
    cause: null,
    atMs: null,
    periodMs: 0,
    heartbeatMs: 5_000,
    alarms: [],
    register: null,
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
