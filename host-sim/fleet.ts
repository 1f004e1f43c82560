// SPDX-License-Identifier: MIT
// The nodes of a plant on one virtual clock: addresses, power faults, datagrams.
//
// Node n (from 1) has port 10000 + n on an address of 192.0.2.0/24 (RFC 5737); the gateway is
// 192.0.2.1:10000. Each node starts within START_SPREAD_US, so that ticks do not all fall together.

import type { Alarm, Clock } from "./clock.ts";
import type { Device } from "./devices/device.ts";
import { createNothing } from "./devices/device.ts";
import { createOven } from "./devices/oven.ts";
import { createReplay } from "./devices/replay.ts";
import { createNode, type Node } from "./node.ts";
import type { FaultPlan, NodePlan, PlantPlan } from "./plan.ts";
import type { Prng } from "./prng.ts";
import type { Trace } from "./trace.ts";

export const GATEWAY_ADDRESS = "192.0.2.1:10000";
export const GROUP_ADDRESS = "239.255.77.78:10000"; // SPEC.md §7
const FIRST_HOST = 2;
const HOSTS = 253; // 192.0.2.2 .. 192.0.2.254
const START_SPREAD_US = 100_000;

export interface Member {
  readonly node: Node;
  readonly address: string;
}

export interface Fleet {
  readonly members: readonly Member[];
  /** A datagram reached the address of a node. */
  datagram(from: string, to: string, bytes: Uint8Array): void;
  /** No node samples any more; every power fault is over, now and for ever. */
  stopAndHeal(): void;
}

export interface FleetSetup {
  clock: Clock;
  prng: Prng;
  trace: Trace;
  plan: PlantPlan;
  /** Sends a datagram to "host:port" or GROUP. */
  send(from: string, to: string, bytes: Uint8Array): void;
}

interface Place extends Member {
  readonly alarm: Alarm;
  offUntilUs: number;
}

/** Makes all nodes and plans their power. Throws RangeError when a fault names no node. */
export function createFleet(setup: FleetSetup): Fleet {
  const { clock, trace, plan } = setup;
  const places = plan.nodes.map((node, i) => createPlace(setup, node, i + 1));
  const byAddress = new Map(places.map((place) => [place.address, place]));
  let healed = false;

  function wake(place: Place): void {
    place.node.run(clock.nowUs());
    place.alarm.armAt(place.node.nextDueUs());
  }

  function powerOn(place: Place): void {
    if (clock.nowUs() < place.offUntilUs) return; // another cut lasts longer
    place.node.powerOn(clock.nowUs());
    wake(place);
  }

  function strike(place: Place, fault: FaultPlan): void {
    if (healed) return;
    const endUs = clock.nowUs() + fault.forMs * 1000;
    place.offUntilUs = Math.max(place.offUntilUs, endUs);
    trace.write(clock.nowUs(), "fault", { n: fault.node, fault: fault.fault, forMs: fault.forMs });
    place.node.powerCut(clock.nowUs());
    place.alarm.armAt(place.node.nextDueUs());
    clock.at(endUs, () => powerOn(place));
  }

  for (const place of places) {
    const start = setup.prng.fork(`start ${place.node.id}`).below(START_SPREAD_US);
    clock.at(start, () => powerOn(place));
  }
  for (const fault of plan.faults) {
    const place = places.find(({ node }) => node.id === fault.node);
    if (place === undefined) throw new RangeError(`a fault names no node: ${fault.node}`);
    clock.at(fault.atMs * 1000, () => strike(place, fault));
  }

  return {
    members: places,
    datagram(from, to, bytes) {
      const place = byAddress.get(to);
      if (place === undefined) return; // nobody there
      place.node.datagram(from, bytes, clock.nowUs());
      wake(place);
    },
    stopAndHeal() {
      healed = true;
      for (const place of places) {
        place.node.stopSampling();
        place.offUntilUs = 0;
        powerOn(place);
      }
    },
  };
}

/** The machine of a plan, its chance drawn from a generator of its own. */
export function createMachine(plan: NodePlan, prng: Prng): Device {
  const { machine } = plan;
  switch (machine.kind) {
    case "oven":
      return createOven(prng);
    case "replay":
      return createReplay(machine.tap, machine.trace, machine.repeat);
    case "none":
      return createNothing();
  }
}

function createPlace(setup: FleetSetup, plan: NodePlan, number: number): Place {
  const { clock } = setup;
  const prng = setup.prng.fork(`node ${plan.id}`);
  const host = `192.0.2.${FIRST_HOST + ((number - 1) % HOSTS)}`;
  const address = `${host}:${10_000 + number}`;
  const node = createNode(
    {
      plan,
      device: createMachine(plan, prng.fork("machine")),
      gateways: Array.from({ length: plan.gateways }, () => GATEWAY_ADDRESS),
      host: "ferrule-sim",
      entropy: prng.fork("entropy"),
      overrunUs: Infinity, // a tick takes no virtual time
    },
    {
      send(to, bytes) {
        setup.send(address, to, bytes);
        return true;
      },
      stopwatchUs: () => 0,
      trace: setup.trace,
    },
  );
  const alarm = clock.createAlarm(() => {
    node.run(clock.nowUs());
    alarm.armAt(node.nextDueUs());
  });
  return { node, address, alarm, offUntilUs: 0 };
}
