// SPDX-License-Identifier: MIT
// A real hub core behind its real HTTP server, fed by a script.
//
// Two nodes as the shipped ones: an oven with an alarm, a meter with a tap. `step` moves the plant on.

import { Buffer } from "node:buffer";
import { createHub, type Hub, type HubConfig } from "../../hub/hub.ts";
import { type PageFiles, startPageServer } from "../../hub/http.ts";
import { createMetrics } from "../../hub/outputs/metrics.ts";
import { birth, Decimal, pack, status } from "./pack.ts";

export const PLANT: HubConfig = {
  root: "umh/v1",
  enterprise: "acme",
  site: "north",
  area: "hall-1",
  line: "line-2",
  cell: "cell-3",
};

export const START_MS = 1_767_225_600_000; // 2026-01-01

/** A page that is no page. */
export const PLAIN_PAGE: PageFiles = {
  html: "<!doctype html><title>plain</title>",
  js: Buffer.from("export {};"),
  css: "body { margin: 0; }",
  icon: "<svg xmlns='http://www.w3.org/2000/svg'/>",
};

/** Who has it may write set-points. */
export const TOKEN = "a-token-for-tests";

export interface FixtureHub {
  hub: Hub;
  port: number;
  url: string;
  /** Plays one more second: 10 temperatures, one of each register; tells open pages. */
  step(): void;
  /** A message as the broker would bring it; tells open pages. */
  say(topic: string, payload: Uint8Array | string, retain?: boolean): void;
  /** Tells open pages what changed. */
  flush(): void;
  nowMs(): number;
  close(): Promise<void>;
}

/** Starts on a free loopback port; both nodes are born and online. */
export async function startFixtureHub(page: PageFiles = PLAIN_PAGE): Promise<FixtureHub> {
  const hub = createHub(PLANT);
  let seconds = 0;
  const nowMs = (): number => START_MS + seconds * 1000;
  const server = await startPageServer({
    hub,
    host: "127.0.0.1",
    port: 0,
    page,
    wallMs: nowMs,
    metrics: createMetrics(hub, nowMs),
    token: TOKEN,
    health: () => ({
      ok: true,
      broker: "connected",
      awaySinceMs: null,
      nodes: hub.nodeCount(),
      history: "memory",
      reason: null,
    }),
  });
  const say = (topic: string, payload: Uint8Array | string, retain = false): void => {
    hub.message({ topic, payload: Buffer.from(payload), qos: 1, retain }, nowMs());
    server.flush();
  };
  for (const [id, parts] of [
    ["oven-1", ovenBirth()],
    ["meter-1", meterBirth()],
  ] as const) {
    parts.forEach((part, index) => say(`ferrule/${id}/birth/${index}`, part, true));
    say(`ferrule/${id}/presence`, "online");
  }
  return {
    hub,
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    step: () => {
      seconds++;
      for (const [topic, payload] of second(seconds, nowMs())) say(topic, payload);
    },
    say,
    flush: () => server.flush(),
    nowMs,
    close: () => server.close(),
  };
}

/** What the oven announces. */
export function ovenBirth(boot = 1): Buffer[] {
  return birth({
    boot,
    type: "oven",
    channels: [
      [
        {
          name: "temperature",
          unit: "Cel",
          heartbeatMs: 5000,
          alarms: [["too-hot", 1, new Decimal(0, 200), new Decimal(0, 3), 1000]],
        },
      ],
      [{ name: "heater", unit: "/", kind: 2, scale: new Decimal(-3, 1), heartbeatMs: 5000 }],
    ],
    outputs: [["heater", 0, 9500, 0]],
  });
}

/** What the meter announces. */
export function meterBirth(boot = 1): Buffer[] {
  const eui64 = "0024befffe804ff2";
  const common = { kind: 1, periodMs: 0, heartbeatMs: 0 };
  return birth({
    boot,
    eui64,
    type: "meter",
    channels: [
      [
        {
          ...common,
          name: "voltage",
          unit: "V",
          scale: new Decimal(-1, 1),
          register: [0, 17, 4, 8, 0, 0],
        },
        {
          ...common,
          name: "energy",
          unit: "J",
          scale: new Decimal(1, 36),
          register: [0, 17, 3, 206, 2, 0],
        },
      ],
    ],
    taps: [["bus", "modbus-rtu", 9600, "8E1"]],
  });
}

function second(seconds: number, nowMs: number): [string, Buffer][] {
  const centi = (tenth: number): number =>
    18_000 + Math.round(1500 * Math.sin(seconds + tenth / 10));
  const temperatures = Array.from({ length: 10 }, (_, tenth) => ({
    n: "temperature",
    v: new Decimal(-2, centi(tenth)),
    ...(tenth > 0 ? { t: tenth * 100 } : {}),
  }));
  const registers = [
    { n: "voltage", v: new Decimal(-1, 2300 + (seconds % 10)) },
    { n: "energy", v: new Decimal(1, 36 * seconds) },
  ];
  const bt = nowMs - 1000;
  return [
    ["ferrule/oven-1/data", pack({ bt, q: seconds * 10, records: temperatures })],
    [
      "ferrule/meter-1/data",
      pack({ eui64: "0024befffe804ff2", bt, q: seconds * 2, records: registers }),
    ],
    ["ferrule/oven-1/status", status({ uptimeMs: seconds * 1000 })],
    [
      "ferrule/meter-1/status",
      status({ uptimeMs: seconds * 1000, taps: [[seconds * 8, seconds, 1, 1, 0, 1, 0, 0, 0, 0]] }),
    ],
  ];
}
