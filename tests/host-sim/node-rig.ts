// SPDX-License-Identifier: MIT
// One node on a bench for tests: device, datagrams and trace kept.

import type { Device } from "../../host-sim/devices/device.ts";
import { createNothing } from "../../host-sim/devices/device.ts";
import { createNode, type Node } from "../../host-sim/node.ts";
import type { NodePlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { createTrace } from "../../host-sim/trace.ts";

export interface Bench {
  node: Node;
  lines: string[];
  sent: { to: string; bytes: Uint8Array }[];
  /** Runs on to this time, event by event, as a driver in virtual time does. */
  runTo(nowUs: number): void;
  /** Trace lines that contain all of these texts. */
  linesWith(...texts: string[]): string[];
  /** Ticks seem to take so long from now on. */
  setTickUs(us: number): void;
}

export function nodePlan(changes: Partial<NodePlan>): NodePlan {
  return {
    id: "bench-1",
    eui64: Uint8Array.of(2, 0, 0, 255, 254, 0, 0, 1),
    loopWasm: new Uint8Array(0),
    linkWasm: new Uint8Array(0),
    loopHash: new Uint8Array(32).fill(1),
    linkHash: new Uint8Array(32).fill(2),
    periodUs: 10_000,
    outputs: [{ name: "heater", output: 0, safeDuty: 777 }],
    taps: [{ name: "bus", uart: 0, baud: 9600, format: "8E1" }],
    machine: { kind: "none" },
    gateways: 1,
    ...changes,
  };
}

export function createBench(changes: Partial<NodePlan>, device: Device = createNothing()): Bench {
  const plan = nodePlan(changes);
  const lines: string[] = [];
  const sent: Bench["sent"] = [];
  let stopwatchUs = 0;
  let stallUs = 0; // what each look at the stopwatch finds gone since the last one
  const node = createNode(
    {
      plan,
      device,
      gateways: Array.from({ length: plan.gateways }, () => "192.0.2.1:10000"),
      host: "bench",
      entropy: createPrng(1),
      overrunUs: plan.periodUs,
    },
    {
      send(to, bytes) {
        sent.push({ to, bytes });
        return true;
      },
      stopwatchUs: () => (stopwatchUs += stallUs),
      trace: createTrace((line) => lines.push(line)),
    },
  );
  return {
    node,
    lines,
    sent,
    runTo: (nowUs) => node.run(nowUs),
    linesWith: (...texts) => lines.filter((line) => texts.every((text) => line.includes(text))),
    setTickUs(us) {
      stallUs = us;
    },
  };
}

/** An input 0 that counts its reads, and an output that remembers all it was set to. */
export function countingDevice(): Device & { duties: number[] } {
  const duties: number[] = [];
  let reads = 0;
  return {
    duties,
    advance: () => undefined,
    adc: (input) => (input === 0 ? ++reads : -1),
    pwm: (_output, duty) => duties.push(duty),
  };
}
