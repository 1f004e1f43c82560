// SPDX-License-Identifier: MIT
// What each word of the vocabulary does to the fleet, the network and the road.

import type { Clock } from "../clock.ts";
import type { Fleet, Place } from "../fleet.ts";
import type { Network } from "../network/link.ts";
import type { FaultPlan } from "../plan.ts";
import type { Road } from "../road.ts";
import type { LineFault } from "./line.ts";
import type { NetworkFault } from "./network.ts";
import type { Begin } from "./schedule.ts";
import type { SensorFault } from "./sensor.ts";
import { amountOf, type FaultName } from "./vocabulary.ts";

export interface World {
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly network: Network;
  readonly road: Road;
}

/** What all nodes share, as far as faults strike it. */
export type Shared = Pick<Road, "stopGateway" | "stopBroker" | "slowBroker" | "stepWall">;

/** A world in virtual or in real time. */
export type Stage = Omit<World, "road"> & { readonly road: Shared };

/** How each fault begins in this world. */
export function faultDomains(world: Stage): Record<FaultName, Begin> {
  return {
    ...networkFaults(world),
    ...nodeFaults(world),
    ...sensorFaults(world),
    ...lineFaults(world),
    "clock-step": (fault) => world.road.stepWall(amountOf(fault)),
    "broker-down": () => world.road.stopBroker(),
    "broker-slow": (fault) => world.road.slowBroker(amountOf(fault)),
    "gateway-restart": () => world.road.stopGateway(),
  };
}

function networkFaults({ fleet, network }: Stage): Record<NetworkFault["kind"], Begin> {
  const begin =
    (kind: NetworkFault["kind"]): Begin =>
    (fault) =>
      network.begin({
        kind,
        amount: amountOf(fault),
        ...(fault.node !== undefined && { address: fleet.place(fault.node).address }),
      });
  return {
    loss: begin("loss"),
    duplicate: begin("duplicate"),
    reorder: begin("reorder"),
    truncate: begin("truncate"),
    corrupt: begin("corrupt"),
    delay: begin("delay"),
    partition: begin("partition"),
  };
}

type NodeFault = "power-cut" | "flash-torn" | "clock-drift" | "overrun" | "mailbox-garbled";

function nodeFaults({ clock, fleet }: Stage): Record<NodeFault, Begin> {
  const placeOf = (fault: FaultPlan): Place => fleet.place(fault.node ?? "");
  return {
    "power-cut": (fault) => fleet.cutPower(placeOf(fault)),
    "flash-torn": (fault) => fleet.tearFlash(placeOf(fault), amountOf(fault)),
    "clock-drift"(fault) {
      const { node } = placeOf(fault);
      const ppm = amountOf(fault);
      node.addDrift(ppm, clock.nowUs());
      return () => node.addDrift(-ppm, clock.nowUs());
    },
    overrun(fault) {
      const place = placeOf(fault);
      place.overruns++;
      return () => {
        place.overruns--;
      };
    },
    "mailbox-garbled"(fault) {
      const place = placeOf(fault);
      place.garbles++;
      return () => {
        place.garbles--;
      };
    },
  };
}

function sensorFaults({ fleet }: Stage): Record<`sensor-${SensorFault["kind"]}`, Begin> {
  const begin =
    (kind: SensorFault["kind"]): Begin =>
    (fault) =>
      fleet
        .place(fault.node ?? "")
        .sensors.begin({ kind, input: fault.input ?? 0, amount: amountOf(fault) });
  return {
    "sensor-stuck": begin("stuck"),
    "sensor-noise": begin("noise"),
    "sensor-drift": begin("drift"),
    "sensor-open-wire": begin("open-wire"),
    "sensor-spike": begin("spike"),
  };
}

function lineFaults({ fleet }: Stage): Record<`line-${LineFault["kind"]}`, Begin> {
  const begin =
    (kind: LineFault["kind"]): Begin =>
    (fault) =>
      fleet.place(fault.node ?? "").lines.begin({ kind, amount: amountOf(fault) });
  return {
    "line-rate": begin("rate"),
    "line-jitter": begin("jitter"),
    "line-glitch": begin("glitch"),
    "line-dropout": begin("dropout"),
    "line-inverted": begin("inverted"),
    "line-echo": begin("echo"),
    "line-collision": begin("collision"),
    "line-stray": begin("stray"),
  };
}
