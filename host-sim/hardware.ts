// SPDX-License-Identifier: MIT
// The hardware of one node: ring, flash, taps, outputs, radio side, host counters.
//
// The two sets of host functions work on this and on nothing else. Flash outlives a power cut,
// everything else starts anew with power. Times are absolute µs of the run; a module sees its node's
// own clock, which starts at 0 with power.

import type { Device, TapSink } from "./devices/device.ts";
import { createFlash, type Flash } from "./flash.ts";
import { createInbox, createPeers, type Inbox, type Peers } from "./peers.ts";
import type { NodePlan } from "./plan.ts";
import type { Prng } from "./prng.ts";
import { createRing, type Ring } from "./ring.ts";
import { createTapQueue, type TapQueue } from "./tap-queue.ts";
import type { Trace } from "./trace.ts";

/** Group address of SEARCHGW: the key that `send` gets instead of an endpoint. */
export const GROUP = "group";

/** What a node needs from the world around it. */
export interface NodePorts {
  /** Sends a datagram to "host:port" or GROUP; false: not now, it is lost. */
  send(to: string, bytes: Uint8Array): boolean;
  /** Microseconds of real time, to tell how long a tick took. Virtual time has no such thing. */
  stopwatchUs(): number;
  trace: Trace;
}

export interface NodeSetup {
  plan: NodePlan;
  device: Device;
  gateways: string[]; // addresses of the configured gateways
  host: string; // what runs the modules, ASCII, 1..32
  entropy: Prng;
  overrunUs: number; // a tick that took longer is an overrun
}

/** Counters of the host since power-on, in the order of info item 7. */
export interface HostCounters {
  ringDropped: number;
  loopTraps: number;
  loopOverruns: number;
  linkTraps: number;
}

export interface Hardware {
  readonly setup: NodeSetup;
  readonly ports: NodePorts;
  readonly flash: Flash;
  readonly ring: Ring;
  readonly taps: TapQueue[];
  readonly inbox: Inbox;
  readonly peers: Peers;
  readonly outputs: { output: number; duty: number; safeDuty: number }[];
  readonly counters: HostCounters;
  readonly hear: TapSink; // puts what a machine says into the taps, unless there is no power
  powered: boolean;
  nowUs: number; // of the event that is being worked on
  poweredAtUs: number;
  datagramsDropped: number; // did not fit the inbox or link's buffer; kept for the whole run
}

export function createHardware(setup: NodeSetup, ports: NodePorts): Hardware {
  const hardware: Hardware = {
    setup,
    ports,
    flash: createFlash(),
    ring: createRing(),
    taps: setup.plan.taps.map(() => createTapQueue()),
    inbox: createInbox(),
    peers: createPeers(setup.gateways),
    outputs: setup.plan.outputs.map(({ output, safeDuty }) => ({ output, safeDuty, duty: -1 })),
    counters: { ringDropped: 0, loopTraps: 0, loopOverruns: 0, linkTraps: 0 },
    hear(tap, endUs, byte, flags) {
      if (hardware.powered) hardware.taps[tap]?.put(endUs - hardware.poweredAtUs, byte, flags);
    },
    powered: false,
    nowUs: 0,
    poweredAtUs: 0,
    datagramsDropped: 0,
  };
  return hardware;
}

/** The node's now_us(): a u32 that wraps, as the i32 that crosses the border. */
export function nodeTimeUs(hardware: Hardware): number {
  return (hardware.nowUs - hardware.poweredAtUs) | 0;
}

/** Lets the machine live on to the present. */
export function advanceDevice(hardware: Hardware): void {
  hardware.setup.device.advance(hardware.nowUs, hardware.hear);
}

/** Sets one output; 0 done, -1: there is no such output. */
export function setOutput(hardware: Hardware, output: number, duty: number): number {
  for (const entry of hardware.outputs) {
    if (entry.output !== output) continue;
    if (entry.duty !== duty) {
      entry.duty = duty;
      hardware.setup.device.pwm(output, duty);
      traceNode(hardware, "pwm", { m: "loop", output, duty });
    }
    return 0;
  }
  return -1;
}

/** Drives every output to its declared safe value. */
export function outputsToSafe(hardware: Hardware): void {
  for (const { output, safeDuty } of hardware.outputs) setOutput(hardware, output, safeDuty);
}

/** What is gone without power. */
export function clearVolatile(hardware: Hardware): void {
  hardware.ring.clear();
  hardware.inbox.clear();
  hardware.peers.clear();
  for (const tap of hardware.taps) tap.clear();
  Object.assign(hardware.counters, { ringDropped: 0, loopTraps: 0, loopOverruns: 0, linkTraps: 0 });
}

/** A trace line of this node. */
export function traceNode(
  hardware: Hardware,
  event: string,
  fields: Record<string, string | number | boolean>,
): void {
  const { trace } = hardware.ports;
  if (trace.on) trace.write(hardware.nowUs, event, { n: hardware.setup.plan.id, ...fields });
}
