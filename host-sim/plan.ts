// SPDX-License-Identifier: MIT
// What a run is made of: nodes, their machines, faults and the plant.
//
// Plain data; whoever builds modules and reads files makes it.

import type { HubConfig } from "../hub/hub.ts";
import type { W5500Pins } from "./chips/w5500/attach.ts";
import type { FaultName } from "./faults/vocabulary.ts";
import type { SlaveRegister } from "./devices/slaves.ts";
import type { Wave } from "./line/wave.ts";

/** One character on a recorded line: the end of it in µs since the start, and TAP_FLAG_* of wire/tap.ts. */
export interface TraceByte {
  tUs: number;
  byte: number;
  flags: number;
}

export type MachinePlan =
  | { kind: "oven" }
  | { kind: "press" }
  | { kind: "scale"; tap: number }
  | { kind: "slaves"; tap: number; ascii: boolean; registers: SlaveRegister[] }
  | { kind: "replay"; tap: number; trace: TraceByte[]; repeat: boolean }
  | { kind: "wave"; tap: number; wave: Wave }
  | { kind: "none" };

export interface OutputPlan {
  name: string;
  output: number; // 0..15, as loop numbers it
  safeDuty: number; // 0..65535
  minDuty?: number; // limits of node.json; absent: none
  maxDuty?: number;
}

/** A set-point that the hub may write; values in steps of 10^-decimals. */
export interface SetpointPlan {
  name: string;
  channel: number; // that tells the effective value, as loop numbers it
  decimals: number;
  min: number;
  max: number;
}

export interface DigitalOutputPlan {
  name: string;
  pin: number; // 0..31
  safe: 0 | 1;
}

/** An accelerometer of one axis that samples for itself into a FIFO. */
export interface AccelerometerPlan {
  device: number; // 0..3
  rateHz: number; // 25..3,200
  rangeG: number; // a count of 32,768 would be this many g
}

export interface TapPlan {
  name: string;
  uart: number;
  baud: number;
  format: string; // such as 8E1
  inverted?: boolean; // the line rests low
  polls?: boolean; // the node asks on it; absent: it never sends
}

/** How a board speaks to its gateway. */
export interface SerialPlan {
  kind: "serial";
  tx: number; // GPIOs
  rx: number;
  baud: number; // 8N1
}

/** GPIOs of a W5500 on SPI 0. */
export interface EthernetPlan extends W5500Pins {
  kind: "ethernet";
}

/** GPIOs of an accelerometer on SPI or I2C. */
export type SensorPlan =
  | { spi: 0 | 1; sck: number; tx: number; rx: number; cs: number }
  | { i2c: 0 | 1; sda: number; scl: number; address: number };

/** A flash image and the board it is for: the node then runs on the emulated chip. */
export interface ChipPlan {
  board: string;
  uf2: Uint8Array;
  identity: Uint8Array; // the last sector of its flash
  flashBytes: number;
  transport: SerialPlan | EthernetPlan;
  /** GPIOs by the numbers of node.json; of a tap by its place in the plan. */
  analog: number[];
  digital: number[];
  pulses: number[];
  pwm: number[];
  taps: number[];
  sends?: (number | undefined)[]; // of taps that poll, by place: where they send
  accelerometers: SensorPlan[]; // by device
  wideCodes: boolean; // the ADC has those of erratum RP2040-E11
  /** Where a debugger finds what the ledger counts. */
  symbols: Record<ChipSymbol, ChipPlace>;
  /** And what the ADC measured by each tick, for the trace; absent: the node has no analog input. */
  means?: ChipPlace;
}

export type ChipSymbol = "link_memory" | "ring" | "host_counters";

export interface ChipPlace {
  address: number; // in SRAM
  size: number;
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
  setpoints?: SetpointPlan[];
  digitalOutputs?: DigitalOutputPlan[];
  accelerometers?: AccelerometerPlan[];
  taps: TapPlan[]; // in the order of node.json, which is how loop numbers them
  machine: MachinePlan;
  gateways: number; // configured gateways; 0: the node must search
  chip?: ChipPlan; // absent: the modules run as WebAssembly
}

/** A fault for a time; faults/vocabulary.ts says what each needs and what its amount means. */
export interface FaultPlan {
  atMs: number;
  forMs: number;
  fault: FaultName;
  node?: string; // absent in faults of the network: all nodes
  input?: number; // faults of a sensor: number of the ADC input
  amount?: number; // absent: the default of the vocabulary
}

/** A value for a set-point, written at the hub, or past it by another client of the broker. */
export interface CommandPlan {
  atMs: number;
  node: string;
  setpoint: string;
  value: number;
  by: "hub" | "broker";
}

export interface PlantPlan {
  hub: HubConfig;
  nodes: NodePlan[];
  faults: FaultPlan[];
}
