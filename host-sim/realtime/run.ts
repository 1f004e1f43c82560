// SPDX-License-Identifier: MIT
// The nodes of a plant in real time on real UDP sockets.
//
// Fleet, faults and the network between node and socket are those of virtual time, on a clock that follows
// the machine's. Ticks stand at multiples of the period: a late wake-up runs all that are due, in order,
// without drift. Ticks later than CATCH_UP_US_MAX (a suspended laptop) are given up and counted.

import { COUNTER_WAITING } from "../../firmware/wire/counters.ts";
import { createClock, type Clock } from "../clock.ts";
import { createWire, type Wire } from "../devices/wire.ts";
import { faultDomains, type Shared } from "../faults/domains.ts";
import { createSchedule } from "../faults/schedule.ts";
import type { FaultName } from "../faults/vocabulary.ts";
import { createFleet, type Fleet, type Member } from "../fleet.ts";
import { newestBoot, programBoot } from "../flash.ts";
import type { HostCounters } from "../hardware.ts";
import type { Totals } from "../ledger.ts";
import { CATCH_UP_US_MAX, REALTIME_OVERRUN_US_MIN } from "../limits.ts";
import { createNetwork, type NetworkCounts, type NetworkFaults } from "../network/link.ts";
import type { FaultPlan, NodePlan, PlantPlan } from "../plan.ts";
import { createPrng, type Prng } from "../prng.ts";
import { createTrace, type Trace } from "../trace.ts";
import { driveClock, type Drive } from "./drive.ts";
import { openPtyLine } from "./pty.ts";
import { openNodeSocket, type NodeSocket } from "./socket.ts";

export interface RealtimeOptions {
  gateway: { host: string; port: number }; // an IPv4 address, since answers are told apart by it
  seed: number;
  log: (text: string) => void;
  /** Boot numbers that earlier runs used; a hub that remembers them would refuse what comes again. */
  bootsBefore?: number;
  /** A line between two ptys in place of what the tap of a node hears. */
  pty?: { node: string; tap: string; paths: readonly [string, string] };
  /** Whether the hub ingested a reading; without it every candidate of a power cut counts as lost. */
  has?: (node: string, boot: number, sequence: number) => boolean;
  /** What befalls datagrams until sampling stops, both ways. */
  network?: NetworkFaults;
  /** Faults of what the nodes share; one that is absent cannot strike. */
  shared?: Partial<Shared>;
}

export interface RealtimeTotals extends Totals {
  nodes: number;
  lost: number;
  waiting: number;
  ticksSkipped: number;
  network: NetworkCounts;
  unread: number; // octets that found a pty full
  perNode: RealtimeNode[];
}

export interface RealtimeNode extends Totals, HostCounters {
  id: string;
  powered: boolean;
  lost: number;
  waiting: number;
  boot: number; // newest boot number in its flash
  beyondLimits: number;
}

export interface Realtime {
  /** No node ticks any more and all faults heal; outboxes drain. */
  stopSampling(): void;
  /** Readings and records that still wait in all nodes. */
  waiting(): number;
  totals(): RealtimeTotals;
  /** Takes a node's power away for a while; unknown ids are a RangeError. */
  cutPower(id: string, forMs: number): void;
  /** Puts other modules on a node, which starts anew; unknown ids are a RangeError. */
  program(plan: NodePlan): void;
  /** Stops all nodes and closes their sockets. */
  close(): Promise<void>;
}

const SHARED_FAULTS: Partial<Record<FaultName, keyof Shared>> = {
  "clock-step": "stepWall",
  "broker-down": "stopBroker",
  "broker-slow": "slowBroker",
  "gateway-restart": "stopGateway",
};

/** Faults of the plan that cannot strike where only these of the shared ones can, each name once. */
export function impossibleFaults(
  faults: readonly FaultPlan[],
  possible: readonly (keyof Shared)[],
): FaultName[] {
  const names = faults.map(({ fault }) => fault);
  return [...new Set(names)].filter((name) => {
    const needed = SHARED_FAULTS[name];
    return needed !== undefined && !possible.includes(needed);
  });
}

/** Starts every node of the plan. Throws PtyError, and RangeError when a fault cannot strike. */
export function startRealtime(plan: PlantPlan, options: RealtimeOptions): Realtime {
  const shared = checkShared(plan, options);
  const prng = createPrng(options.seed);
  const clock = createClock();
  const wire = options.pty === undefined ? undefined : createLine(plan, options.pty);
  let ticksSkipped = 0;
  let stopped = false;
  const drive = driveClock(clock, CATCH_UP_US_MAX, (beforeUs) => {
    ticksSkipped += fleet.skipTicks(beforeUs);
  });
  const { fleet, network, sockets } = createNodes({ plan, options, clock, prng, drive, wire });
  const line = openLine(options, wire, drive, () => closeAll(drive, sockets));
  const schedule = createSchedule({
    clock,
    trace: tellFaults(options.log),
    nodes: plan.nodes.map(({ id }) => id),
    faults: plan.faults,
    begin: faultDomains({ clock, fleet, network, road: shared }),
  });

  return {
    stopSampling() {
      stopped = true;
      drive.act(() => {
        fleet.stopSampling();
        network.heal();
        schedule.heal();
      });
    },
    waiting: () => fleet.members.reduce((sum, { node }) => sum + node.waiting(), 0),
    totals: () => ({
      ...sumUp(fleet.members, options, drive.nowUs()),
      ticksSkipped,
      network: { ...network.counts() },
      unread: line?.unread() ?? 0,
    }),
    cutPower(id, forMs) {
      const place = fleet.place(id);
      drive.act(() => {
        const end = fleet.cutPower(place);
        clock.at(clock.nowUs() + Math.round(forMs * 1000), end);
      });
    },
    program(nodePlan) {
      const place = fleet.place(nodePlan.id);
      if (!stopped) drive.act(() => fleet.program(place, nodePlan));
    },
    async close() {
      line?.close();
      await closeAll(drive, sockets);
    },
  };
}

type Line = ReturnType<typeof openPtyLine>;

// The wire that a node's tap hears in place of its machine's line; throws RangeError without such a tap.
function createLine(plan: PlantPlan, wanted: NonNullable<RealtimeOptions["pty"]>): Wire {
  const node = plan.nodes.find(({ id }) => id === wanted.node);
  const index = node?.taps.findIndex(({ name }) => name === wanted.tap) ?? -1;
  const tap = node?.taps[index];
  if (tap === undefined) throw new RangeError(`no tap ${wanted.tap} on a node ${wanted.node}`);
  return createWire(index, tap.baud, tap.format);
}

function openLine(
  { pty, log }: RealtimeOptions,
  wire: Wire | undefined,
  drive: Drive,
  giveUp: () => Promise<void>,
): Line | undefined {
  if (pty === undefined || wire === undefined) return undefined;
  try {
    return openPtyLine({ paths: pty.paths, wire, nowUs: drive.nowUs, log });
  } catch (error) {
    void giveUp();
    throw error;
  }
}

// What is absent is never called: its faults were refused.
function checkShared(plan: PlantPlan, { shared = {} }: RealtimeOptions): Shared {
  const impossible = impossibleFaults(plan.faults, Object.keys(shared) as (keyof Shared)[]);
  if (impossible.length > 0) throw new RangeError(`cannot strike here: ${impossible.join(", ")}`);
  const nothing = (): (() => void) => () => undefined;
  return {
    stopGateway: nothing,
    stopBroker: nothing,
    slowBroker: nothing,
    stepWall: nothing,
    ...shared,
  };
}

interface NodesSetup {
  plan: PlantPlan;
  options: RealtimeOptions;
  clock: Clock;
  prng: Prng;
  drive: Drive;
  wire: Wire | undefined;
}

interface Nodes {
  fleet: Fleet;
  network: ReturnType<typeof createNetwork>;
  sockets: ReadonlyMap<string, NodeSocket>; // by the node's address in the fleet
}

function createNodes({ plan, options, clock, prng, drive, wire }: NodesSetup): Nodes {
  const { gateway, pty, log } = options;
  const trace = createTrace();
  const sockets = new Map<string, NodeSocket>();
  // The sockets are a network with its own delays; here only faults are added.
  const network = createNetwork(options.network ?? { loss: 0, duplicate: 0, reorder: 0 }, {
    clock,
    prng: prng.fork("network"),
    trace,
    delayUs: [0, 0],
    deliver(from, to, bytes) {
      const socket = sockets.get(from);
      if (socket === undefined) fleet.datagram(from, to, bytes);
      else socket.send(to, bytes);
    },
  });
  const fleet = createFleet({
    clock,
    prng,
    trace,
    plan,
    send: (from, to, bytes) => network.send(from, to, bytes),
    surroundings: {
      host: "ferrule-realtime",
      gateway: `${gateway.host}:${gateway.port}`,
      overrunUsMin: REALTIME_OVERRUN_US_MIN,
      stopwatchUs: drive.nowUs,
      machine: ({ id }) => (id === pty?.node ? wire?.device : undefined),
    },
  });
  for (const { node, address } of fleet.members) {
    if (options.bootsBefore !== undefined) programBoot(node.flash, options.bootsBefore);
    const heard = (from: string, bytes: Uint8Array): void =>
      drive.act(() => network.send(from, address, bytes));
    const failed = (reason: string): void => log(`${node.id}: ${reason}`);
    sockets.set(address, openNodeSocket({ gateway, heard, failed }));
  }
  return { fleet, network, sockets };
}

async function closeAll(drive: Drive, sockets: Nodes["sockets"]): Promise<void> {
  drive.stop();
  await Promise.all([...sockets.values()].map((socket) => socket.close()));
}

// A trace of faults alone, as sentences.
function tellFaults(log: (text: string) => void): Trace {
  return {
    on: true,
    write(_, event, { n, fault, amount, forMs }) {
      const where = typeof n === "string" ? n : "all";
      const how = amount === undefined ? String(fault) : `${String(fault)} ${String(amount)}`;
      log(`${where}: ${how} ${event === "fault" ? `for ${String(forMs)} ms` : "ended"}`);
    },
  };
}

type Sums = Omit<RealtimeTotals, "ticksSkipped" | "network" | "unread">;

function sumUp(members: readonly Member[], options: RealtimeOptions, nowUs: number): Sums {
  const perNode = members.map(({ node }) => {
    const counters = node.linkCounters();
    const has = (boot: number, sequence: number): boolean =>
      options.has?.(node.id, boot, sequence) ?? false;
    node.ledger.settle(has, nowUs);
    return {
      id: node.id,
      powered: node.powered(),
      waiting: counters[COUNTER_WAITING]!,
      lost: node.ledger.lost(has),
      boot: newestBoot(node.flash),
      beyondLimits: node.beyondLimits(),
      ...node.ledger.totals(counters),
      ...node.hostCounters(),
    };
  });
  const sum = (key: keyof Totals | "lost" | "waiting"): number =>
    perNode.reduce((total, node) => total + node[key], 0);
  return {
    nodes: members.length,
    queued: sum("queued"),
    acknowledged: sum("acknowledged"),
    dropped: sum("dropped"),
    unconfirmed: sum("unconfirmed"),
    waiting: sum("waiting"),
    lost: sum("lost"),
    perNode,
  };
}
