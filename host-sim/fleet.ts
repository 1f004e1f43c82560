// SPDX-License-Identifier: MIT
// The nodes of a plant on one virtual clock: addresses, power, datagrams.
//
// Node n (from 1) has port 10000 + n on an address of 192.0.2.0/24 (RFC 5737); the gateway is
// 192.0.2.1:10000. Each node starts within START_SPREAD_US, so that ticks do not all fall together.
// In real time the same fleet runs on a clock that follows the machine's, with another Surroundings.

import { MAILBOX_LIFETIME_MS, MAILBOX_MANTISSA } from "../firmware/wire/setpoint.ts";
import { createChipNode } from "./chips/board.ts";
import type { Alarm, Clock } from "./clock.ts";
import { createCompiler, type Compile } from "./engine.ts";
import type { Device } from "./devices/device.ts";
import { createNothing } from "./devices/device.ts";
import { createOven } from "./devices/oven.ts";
import { createPress } from "./devices/press.ts";
import { createReplay } from "./devices/replay.ts";
import { createScale } from "./devices/scale.ts";
import { createSlaves } from "./devices/slaves.ts";
import { createWave } from "./devices/wave.ts";
import type { NodePorts } from "./hardware.ts";
import { createNode, type Node } from "./node.ts";
import { createLines, type Lines } from "./faults/line.ts";
import { createSensors, type Sensors } from "./faults/sensor.ts";
import type { NodePlan, PlantPlan, TapPlan } from "./plan.ts";
import type { Prng } from "./prng.ts";
import type { Trace } from "./trace.ts";

export const GATEWAY_ADDRESS = "192.0.2.1:10000";
export const GROUP_ADDRESS = "239.255.77.78:10000"; // SPEC.md §7
const FIRST_HOST = 2;
const HOSTS = 253; // 192.0.2.2 .. 192.0.2.254
const SCALE_BAUD = 9600; // where its tap is missing, nobody hears it
const START_SPREAD_US = 100_000;

export interface Member {
  readonly node: Node;
  readonly address: string;
}

export interface Fleet {
  readonly members: readonly Member[];
  /** A datagram reached the address of a node. */
  datagram(from: string, to: string, bytes: Uint8Array): void;
  /** No node samples any more. */
  stopSampling(): void;
  /** Gives up the ticks due before this time; how many. */
  skipTicks(nowUs: number): number;
  /** The node of an id; throws RangeError when there is none. */
  place(id: string): Place;
  /** Power is away until as many ends as beginnings came. */
  cutPower(place: Place): () => void;
  /** The first flash write from now stops after so many octets; the power comes back with the end. */
  tearFlash(place: Place, octets: number): () => void;
  /** Puts other modules on a node, which starts with a new boot; flash, address and machine stay. */
  program(place: Place, plan: NodePlan): void;
}

export interface FleetSetup {
  clock: Clock;
  prng: Prng;
  trace: Trace;
  plan: PlantPlan;
  /** Sends a datagram to "host:port" or GROUP; false: not now, it is lost. */
  send(from: string, to: string, bytes: Uint8Array): boolean | void;
  /** What is not as in virtual time. */
  surroundings?: Surroundings;
  /** In place of WebAssembly. */
  compile?: Compile | undefined;
}

export interface Surroundings {
  host: string; // what runs the modules
  gateway: string; // "host:port"
  overrunUsMin: number; // shorter ticks are never overruns
  stopwatchUs(): number;
  /** In place of the machine of the plan; undefined: that one. */
  machine(plan: NodePlan): Device | undefined;
}

/** Of virtual time: a tick takes none. */
export const VIRTUAL: Surroundings = {
  host: "ferrule-sim",
  gateway: GATEWAY_ADDRESS,
  overrunUsMin: 0,
  stopwatchUs: () => 0,
  machine: () => undefined,
};

/** A node with what can befall it. */
export interface Place extends Member {
  node: Node; // another one once it is programmed anew
  /** Makes the node of a plan at this place, `before` being the one that was there. */
  make(plan: NodePlan, before?: Node): Node;
  readonly sensors: Sensors;
  readonly lines: Lines;
  readonly alarm: Alarm;
  started: boolean;
  cuts: number; // power cuts that go on
  tears: number; // flash faults that go on
  torn: boolean; // the power went inside a flash write and waits for the end of that fault
  overruns: number; // faults that make ticks too long
  garbles: number; // faults that change what link hands to loop
}

/** Makes all nodes; each starts by itself. */
export function createFleet(setup: FleetSetup): Fleet {
  const { clock } = setup;
  const places = createPlaces(setup);
  const byAddress = new Map(places.map((place) => [place.address, place]));
  for (const place of places) {
    const start = setup.prng.fork(`start ${place.node.id}`).below(START_SPREAD_US);
    clock.at(start, () => {
      place.started = true;
      powerOn(clock, place);
    });
  }

  return {
    members: places,
    datagram(from, to, bytes) {
      const place = byAddress.get(to);
      if (place === undefined) return; // nobody there
      place.node.datagram(from, bytes, clock.nowUs());
      wake(clock, place);
    },
    stopSampling() {
      for (const place of places) {
        place.node.stopSampling();
        place.alarm.armAt(place.node.nextDueUs());
      }
    },
    skipTicks(nowUs) {
      return places.reduce((sum, place) => {
        const count = place.node.skipTicks(nowUs);
        if (count > 0) place.alarm.armAt(place.node.nextDueUs());
        return sum + count;
      }, 0);
    },
    place(id) {
      const place = places.find(({ node }) => node.id === id);
      if (place === undefined) throw new RangeError(`there is no node ${id}`);
      return place;
    },
    cutPower(place) {
      place.cuts++;
      place.node.powerCut(clock.nowUs());
      place.alarm.armAt(place.node.nextDueUs());
      return () => {
        place.cuts--;
        powerOn(clock, place);
      };
    },
    tearFlash(place, octets) {
      place.tears++;
      place.node.flash.planCut(1, octets);
      return () => {
        if (--place.tears > 0) return;
        place.node.flash.planCut(Infinity, 0);
        place.torn = false;
        powerOn(clock, place);
      };
    },
    program: (place, nodePlan) => program(clock, place, nodePlan),
  };
}

function program(clock: Clock, place: Place, plan: NodePlan): void {
  const node = place.make(plan, place.node); // what is refused leaves the old one running
  place.node.powerCut(clock.nowUs());
  place.node = node;
  powerOn(clock, place);
}

function powerOn(clock: Clock, place: Place): void {
  if (!place.started || place.cuts > 0 || place.torn) return;
  place.node.powerOn(clock.nowUs());
  wake(clock, place);
}

function wake(clock: Clock, place: Place): void {
  place.node.run(clock.nowUs());
  if (place.cuts === 0 && place.started && !place.node.powered()) place.torn = true;
  place.alarm.armAt(place.node.nextDueUs());
}

// A tap that finds its line has no rate yet.
const setLine = (tap: TapPlan | undefined): TapPlan | undefined =>
  tap !== undefined && tap.baud > 0 ? tap : undefined;

/** The machine of a plan, its chance drawn from a generator of its own. */
export function createMachine(plan: NodePlan, prng: Prng): Device {
  const { machine } = plan;
  switch (machine.kind) {
    case "oven":
      return createOven(prng);
    case "press":
      return createPress(prng);
    case "scale":
      return createScale(machine.tap, plan.taps[machine.tap]?.baud ?? SCALE_BAUD, prng);
    case "slaves":
      return createSlaves({ ...machine, ...plan.taps[machine.tap]! }, prng);
    case "replay":
      return createReplay(machine.tap, machine.trace, machine.repeat);
    case "wave":
      return createWave(machine.tap, machine.wave, setLine(plan.taps[machine.tap]));
    case "none":
      return createNothing();
  }
}

function createPlaces(setup: FleetSetup): Place[] {
  const compile = setup.compile ?? createCompiler();
  return setup.plan.nodes.map((node, i) => createPlace(setup, compile, node, i + 1));
}

function createPlace(setup: FleetSetup, compile: Compile, plan: NodePlan, number: number): Place {
  const { clock, surroundings = VIRTUAL } = setup;
  const prng = setup.prng.fork(`node ${plan.id}`);
  const host = `192.0.2.${FIRST_HOST + ((number - 1) % HOSTS)}`;
  const address = `${host}:${10_000 + number}`;
  const machine = surroundings.machine(plan) ?? createMachine(plan, prng.fork("machine"));
  const sensors = createSensors(machine, prng.fork("sensors"));
  const lines = createLines(sensors, plan.taps, prng.fork("lines"));
  const chance = prng.fork("mailbox");
  let overrunsUs = 0; // what ticks that are to overrun took
  let lives = 0; // each program draws its own chance
  const overrunUs = ({ periodUs }: NodePlan): number =>
    Math.max(periodUs, surroundings.overrunUsMin);
  const ports: NodePorts = {
    send: (to, bytes) => setup.send(address, to, bytes) !== false,
    stopwatchUs() {
      if (place.overruns > 0) overrunsUs += 2 * overrunUs(plan);
      return surroundings.stopwatchUs() + overrunsUs;
    },
    garble(record) {
      if (place.garbles > 0) chance.fill(record.subarray(MAILBOX_MANTISSA, MAILBOX_LIFETIME_MS));
    },
    trace: setup.trace,
  };
  const make = (program: NodePlan, before?: Node): Node =>
    (program.chip === undefined ? createNode : createChipNode)(
      {
        plan: program,
        device: lines,
        gateways: Array.from({ length: program.gateways }, () => surroundings.gateway),
        host: surroundings.host,
        compile,
        entropy: prng.fork(lives++ === 0 ? "entropy" : `entropy ${lives}`),
        overrunUs: overrunUs(program),
        ...(before && { flash: before.flash }),
      },
      ports,
      before?.ledger,
    );
  const place: Place = {
    node: make(plan),
    make,
    address,
    ...{ sensors, lines },
    alarm: clock.createAlarm(() => wake(clock, place)),
    started: false,
    cuts: 0,
    tears: 0,
    torn: false,
    overruns: 0,
    garbles: 0,
  };
  return place;
}
