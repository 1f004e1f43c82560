// SPDX-License-Identifier: MIT
// The hardware of one node: ring, flash, taps, outputs, radio side, host counters.
//
// The two sets of host functions work on this and on nothing else. Flash outlives a power cut,
// everything else starts anew with power. Times are absolute µs of the run; a module sees its node's
// own clock, which starts at 0 with power.

import { createAccelerometer, type Accelerometer } from "./accelerometer.ts";
import type { Compile } from "./engine.ts";
import type { Device, TapSink } from "./devices/device.ts";
import { characterUs } from "./devices/wire.ts";
import { createNodeClock, type NodeClock } from "./faults/clock.ts";
import { createFlash, type Flash } from "./flash.ts";
import { createMailbox, type Mailbox } from "./mailbox.ts";
import { createInbox, createPeers, type Inbox, type Peers } from "./peers.ts";
import type { NodePlan } from "./plan.ts";
import type { Prng } from "./prng.ts";
import { createRing, type Ring } from "./ring.ts";
import { createTapQueue, type TapQueue } from "./tap-queue.ts";
import { hex, type Trace } from "./trace.ts";

const PULSE_INPUTS = 16; // as many as analog inputs

/** Group address of SEARCHGW: the key that `send` gets instead of an endpoint. */
export const GROUP = "group";

/** What a node needs from the world around it. */
export interface NodePorts {
  /** Sends a datagram to "host:port" or GROUP; false: not now, it is lost. */
  send(to: string, bytes: Uint8Array): boolean;
  /** Microseconds of real time, to tell how long a tick took. Virtual time has no such thing. */
  stopwatchUs(): number;
  /** May change a command on its way from link to loop. */
  garble?(record: Uint8Array): void;
  trace: Trace;
}

export interface NodeSetup {
  plan: NodePlan;
  device: Device;
  gateways: string[]; // addresses of the configured gateways
  host: string; // what runs the modules, ASCII, 1..32
  entropy: Prng;
  overrunUs: number; // a tick that took longer is an overrun
  compile?: Compile; // shared by nodes of one image; absent: each compiles its own
  flash?: Flash; // of the node that was here before; absent: an empty one
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
  readonly mailbox: Mailbox;
  readonly clock: NodeClock;
  readonly taps: TapQueue[];
  readonly tapFreeUs: number[]; // by tap: until then it still sends
  readonly inbox: Inbox;
  readonly peers: Peers;
  readonly outputs: { output: number; duty: number; safeDuty: number }[];
  readonly digitalOutputs: { pin: number; level: number; safe: number }[];
  readonly accelerometers: ReadonlyMap<number, Accelerometer>;
  readonly pulsesAtPower: Map<number, number>; // pulses of the machine when the input first counted
  readonly counters: HostCounters;
  readonly hear: TapSink; // puts what a machine says into the taps, unless there is no power
  powered: boolean;
  nowUs: number; // of the event that is being worked on
  datagramsDropped: number; // did not fit the inbox or link's buffer; kept for the whole run
  beyondLimits: number; // duties and effective set-points outside node.json's limits; of the whole run
}

export function createHardware(setup: NodeSetup, ports: NodePorts): Hardware {
  const hardware: Hardware = {
    setup,
    ports,
    flash: setup.flash ?? createFlash(),
    ring: createRing(),
    mailbox: createMailbox(),
    clock: createNodeClock(),
    taps: setup.plan.taps.map(() => createTapQueue()),
    tapFreeUs: setup.plan.taps.map(() => 0),
    inbox: createInbox(),
    peers: createPeers(setup.gateways),
    outputs: setup.plan.outputs.map(({ output, safeDuty }) => ({ output, safeDuty, duty: -1 })),
    digitalOutputs: (setup.plan.digitalOutputs ?? []).map(({ pin, safe }) => ({
      pin,
      safe,
      level: -1,
    })),
    accelerometers: new Map(
      (setup.plan.accelerometers ?? []).map((plan) => [
        plan.device,
        createAccelerometer(plan, setup.device.vibration),
      ]),
    ),
    pulsesAtPower: new Map(),
    counters: { ringDropped: 0, loopTraps: 0, loopOverruns: 0, linkTraps: 0 },
    hear(tap, endUs, byte, flags) {
      const timeUs = hardware.clock.at(endUs);
      // One that a faulty line gives late may have ended before the power came.
      if (hardware.powered && timeUs >= 0) hardware.taps[tap]?.put(timeUs, byte, flags);
    },
    powered: false,
    nowUs: 0,
    datagramsDropped: 0,
    beyondLimits: 0,
  };
  return hardware;
}

/** The node's now_us(): a u32 that wraps, as the i32 that crosses the border. */
export function nodeTimeUs(hardware: Hardware): number {
  return hardware.clock.at(hardware.nowUs) | 0;
}

/** Lets the machine live on to the present. */
export function advanceDevice(hardware: Hardware): void {
  hardware.setup.device.advance(hardware.nowUs, hardware.hear);
}

/** Octets on the line of a tap; 1 they go out, 0 it still sends, -1: it only listens. */
export function sendOnTap(hardware: Hardware, tap: number, octets: Uint8Array): number {
  const { setup, tapFreeUs, nowUs, ports } = hardware;
  const plan = setup.plan.taps[tap];
  if (plan?.polls !== true) return -1;
  if (tapFreeUs[tap]! > nowUs) return 0;
  const perCharacterUs = characterUs(plan.baud, plan.format);
  octets.forEach((octet, i) => {
    const endUs = Math.round(nowUs + (i + 1) * perCharacterUs);
    setup.device.hear?.(tap, endUs, octet, 0);
    tapFreeUs[tap] = endUs;
  });
  if (ports.trace.on) traceNode(hardware, "tap-put", { m: "loop", tap, octets: hex(octets) });
  return 1;
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

/** Sets one digital output; 0 done, -1: there is no such output. */
export function setDigitalOutput(hardware: Hardware, pin: number, level: number): number {
  for (const entry of hardware.digitalOutputs) {
    if (entry.pin !== pin) continue;
    if (entry.level !== level) {
      entry.level = level;
      hardware.setup.device.setDigital?.(pin, level);
      traceNode(hardware, "digital", { m: "loop", pin, level });
    }
    return 0;
  }
  return -1;
}

/** Drives every output to its declared safe value. */
export function outputsToSafe(hardware: Hardware): void {
  for (const { output, safeDuty } of hardware.outputs) setOutput(hardware, output, safeDuty);
  for (const { pin, safe } of hardware.digitalOutputs) setDigitalOutput(hardware, pin, safe);
}

/** Everything that counts from power-on counts from now. */
export function startWithPower(hardware: Hardware): void {
  hardware.clock.start(hardware.nowUs);
  for (const [, accelerometer] of hardware.accelerometers) accelerometer.start(hardware.nowUs);
  hardware.pulsesAtPower.clear();
  for (let input = 0; input < PULSE_INPUTS; input++) {
    const pulses = hardware.setup.device.pulses?.(input) ?? -1;
    if (pulses >= 0) hardware.pulsesAtPower.set(input, pulses);
  }
}

/** Pulses of an input since power-on as the i32 that crosses the border; 0: no such input. */
export function pulseCount(hardware: Hardware, input: number): number {
  const before = hardware.pulsesAtPower.get(input);
  if (before === undefined) return 0;
  return ((hardware.setup.device.pulses?.(input) ?? before) - before) | 0;
}

/** What is gone without power. */
export function clearVolatile(hardware: Hardware): void {
  hardware.ring.clear();
  hardware.mailbox.clear();
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
