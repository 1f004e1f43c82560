// SPDX-License-Identifier: MIT
// What a run is made of: nodes, their machines, faults and the plant.
//
// Plain data; whoever builds modules and reads files makes it.

import type { HubConfig } from "../hub/hub.ts";

/** One character on a recorded line: the end of it in µs since the start, and TAP_FLAG_* of wire/tap.ts. */
export interface TraceByte {
  tUs: number;
  byte: number;
  flags: number;
}

export type MachinePlan =
  | { kind: "oven" }
  | { kind: "replay"; tap: number; trace: TraceByte[]; repeat: boolean }
  | { kind: "none" };

export interface OutputPlan {
  name: string;
  output: number; // 0..15, as loop numbers it
  safeDuty: number; // 0..65535
}

export interface TapPlan {
  name: string;
  uart: number;
  baud: number;
  format: string; // such as 8E1
}

export interface NodePlan {
  id: string; // 1..23 of [A-Za-z0-9_-]
  eui64: Uint8Array; // 8
  loopWasm: Uint8Array;
  linkWasm: Uint8Array; // empty: the node runs without its IT side
  loopHash: Uint8Array; // SHA-256
  linkHash: Uint8Array;
  periodUs: number;
  outputs: OutputPlan[];
  taps: TapPlan[]; // in the order of node.json, which is how loop numbers them
  machine: MachinePlan;
  gateways: number; // configured gateways; 0: the node must search
}

export interface FaultPlan {
  atMs: number;
  node: string;
  fault: "power-cut";
  forMs: number;
}

export interface PlantPlan {
  hub: HubConfig;
  nodes: NodePlan[];
  faults: FaultPlan[];
}
