// SPDX-License-Identifier: MIT
// The whole road in virtual time, from machines to the hub, on one seed.
//
// Phase 1: until `forMs` nodes sample and faults strike. Phase 2: sampling stops, faults heal, and the
// run goes on until nothing waits, at most DRAIN_US_MAX; LIVENESS_US_MAX is what it should take. The same plan and options give the same trace,
// byte for byte.
// (S1) finished: queued = ingested + dropped + lost; each is counted where it happens.

import { COUNTER_WAITING } from "../firmware/wire/counters.ts";
import { createClock, type Clock } from "./clock.ts";
import { faultDomains, type World } from "./faults/domains.ts";
import { createSchedule } from "./faults/schedule.ts";
import type { Device } from "./devices/device.ts";
import {
  createFleet,
  GATEWAY_ADDRESS,
  GROUP_ADDRESS,
  VIRTUAL,
  type Fleet,
  type Member,
} from "./fleet.ts";
import type { Hub } from "../hub/hub.ts";
import type { Compile } from "./engine.ts";
import { newestBoot } from "./flash.ts";
import { GROUP, type HostCounters } from "./hardware.ts";
import type { Totals } from "./ledger.ts";
import { DRAIN_STEP_US, DRAIN_US_MAX } from "./limits.ts";
import { createNetwork, type NetworkCounts, type Tamper } from "./network/link.ts";
import { encodePcapDatagram, encodePcapHeader, parseEndpoint } from "./pcap.ts";
import { strangersCommand } from "./commands.ts";
import type { CommandPlan, NodePlan, PlantPlan } from "./plan.ts";
import { createPrng } from "./prng.ts";
import { createRoad, WALL_START_MS } from "./road.ts";
import { createTrace, hex, type Trace } from "./trace.ts";

export interface SimulationOptions {
  seed: number;
  forMs: number; // nodes sample for so long
  loss: number; // 0..1, of datagrams, both ways
  duplicate: number;
  reorder: number;
  /** One JSON line at a time, without its line end. */
  trace?: (line: string) => void;
  /** The octets of a pcap file, piece by piece: what passes at the gateway. */
  pcap?: (bytes: Uint8Array) => void;
  /** Set-points that are written meanwhile. */
  commands?: readonly CommandPlan[];
  /** What runs the modules, in place of WebAssembly. */
  compile?: Compile | undefined;
  /** Once a virtual second. */
  progress?: (virtualMs: number) => void;
  /** Decides the fate of each datagram instead of chance. */
  tamper?: Tamper;
  /** In place of the machine of a plan; undefined: that one. */
  machine?: (plan: NodePlan) => Device | undefined;
  /** Looks at the hub WATCH_US after WATCH_US, and once more at the end. */
  watch?: (hub: Hub, virtualMs: number) => void;
}

export interface NodeResult extends Totals, HostCounters {
  id: string;
  lost: number;
  waiting: number;
  boot: number; // newest boot number in its flash
  beyondLimits: number; // duties and effective set-points outside node.json's limits: always 0
}

export interface SimulationResult {
  seed: number;
  nodes: number;
  queued: number; // QoS 1 readings and events accepted into an outbox: link's counters
  sent: number; // the same, as the last line of a run calls it
  acknowledged: number; // link's counters
  ingested: number; // hub
  duplicates: number; // seen again by the hub and refused
  dropped: number; // pushed out of an outbox or refused by the gateway: link's counters
  lost: number; // with the RAM of a node or a life of its link
  waiting: number; // 0 when finished
  finished: boolean; // nothing waits any more
  virtualMs: number;
  drainMs: number; // from heal until nothing waited any more
  unconfirmed: number; // QoS 0 readings sent
  network: NetworkCounts;
  writes: Record<string, number>; // set-points written at the hub: the newest steps in its audit, by outcome
  perNode: NodeResult[];
}

const SECOND_US = 1_000_000;
const WRITES_COUNTED_MAX = 1000; // rows of the audit
const WATCH_US = 100_000; // the hub's ring of changes holds far more than comes in this time

/** Runs a plant; returns when nothing waits or after DRAIN_US_MAX more. */
export function runSimulation(plan: PlantPlan, options: SimulationOptions): SimulationResult {
  const trace = createTrace(options.trace);
  const world = createWorld(plan, options, trace);
  traceStart(trace, plan, options);
  const nodes = plan.nodes.map(({ id }) => id);
  const begin = faultDomains(world);
  const { clock } = world;
  const schedule = createSchedule({ clock, trace, nodes, faults: plan.faults, begin });
  planCommands(world, trace, plan, options.commands ?? []);
  runSampling(world, options);
  world.fleet.stopSampling();
  world.network.heal();
  schedule.heal();
  const healUs = clock.nowUs();
  trace.write(healUs, "heal", {});
  const finished = drain(world, options);
  const drainMs = (clock.nowUs() - healUs) / 1000;
  const result = { ...sumUp(world, options.seed, finished), drainMs };
  const { queued, ingested, dropped, lost } = result;
  trace.write(world.clock.nowUs(), "end", { finished, queued, ingested, dropped, lost });
  return result;
}

function planCommands(
  { clock, road }: World,
  trace: Trace,
  { nodes }: PlantPlan,
  commands: readonly CommandPlan[],
): void {
  commands.forEach((command, index) => {
    const { node, setpoint, value, by } = command;
    clock.at(Math.round(command.atMs * 1000), () => {
      trace.write(clock.nowUs(), "command", { n: node, setpoint, value, by });
      if (by === "hub") return road.writeSetpoint(node, setpoint, value);
      const { topic, payload } = strangersCommand(command, nodes, index);
      road.publish(topic, payload);
    });
  });
}

function createWorld(plan: PlantPlan, options: SimulationOptions, trace: Trace): World {
  const clock = createClock();
  const prng = createPrng(options.seed);
  const record = createRecorder(clock, options.pcap);

  const network = createNetwork(
    { loss: options.loss, duplicate: options.duplicate, reorder: options.reorder },
    {
      clock,
      prng: prng.fork("network"),
      trace,
      deliver(from, to, bytes) {
        if (to !== GATEWAY_ADDRESS && to !== GROUP_ADDRESS) return fleet.datagram(from, to, bytes);
        record(from, to, bytes);
        road.datagram(from, bytes);
      },
    },
    options.tamper,
  );
  const road = createRoad({
    clock,
    trace,
    hub: plan.hub,
    seed: prng.fork("gateway").nextU32(),
    sendDatagram(peer, bytes) {
      const copy = Uint8Array.from(bytes);
      record(GATEWAY_ADDRESS, peer, copy);
      network.send(GATEWAY_ADDRESS, peer, copy);
    },
  });
  const send = (from: string, to: string, bytes: Uint8Array): void =>
    network.send(from, to === GROUP ? GROUP_ADDRESS : to, bytes);
  const { machine } = options;
  const surroundings = machine && { surroundings: { ...VIRTUAL, machine } };
  const { compile } = options;
  const fleet: Fleet = createFleet({ clock, prng, trace, plan, send, compile, ...surroundings });
  return { clock, fleet, network, road };
}

// What a capture at the gateway shows: what reached it, and what it sent.
function createRecorder(
  clock: Clock,
  pcap: ((bytes: Uint8Array) => void) | undefined,
): (from: string, to: string, bytes: Uint8Array) => void {
  if (pcap === undefined) return () => undefined;
  pcap(encodePcapHeader());
  return (from, to, bytes) => {
    const wallUs = WALL_START_MS * 1000 + clock.nowUs();
    pcap(encodePcapDatagram(wallUs, parseEndpoint(from), parseEndpoint(to), bytes));
  };
}

function traceStart(trace: Trace, plan: PlantPlan, options: SimulationOptions): void {
  const { seed, forMs, loss, duplicate, reorder } = options;
  trace.write(0, "run", { seed, forMs, loss, duplicate, reorder });
  for (const node of plan.nodes) {
    const { id, loopHash, linkHash, periodUs, chip } = node;
    const modules = { loop: hex(loopHash), link: hex(linkHash), periodUs };
    trace.write(0, "node", { n: id, ...modules, ...(chip && { board: chip.board }) });
  }
}

function runSampling(world: World, options: SimulationOptions): void {
  const endUs = Math.round(options.forMs * 1000);
  for (let nowUs = 0; nowUs < endUs;) {
    nowUs = Math.min(nowUs + SECOND_US, endUs);
    runOn(world, nowUs, options);
    settle(world);
    options.progress?.(nowUs / 1000);
  }
}

// In one go, or with a look at the hub now and then; what happens is the same.
function runOn(world: World, endUs: number, { watch }: SimulationOptions): void {
  const { clock, road } = world;
  while (watch !== undefined && clock.nowUs() + WATCH_US < endUs) {
    clock.runUntil(clock.nowUs() + WATCH_US);
    watch(road.hub, clock.nowUs() / 1000);
  }
  clock.runUntil(endUs);
  watch?.(road.hub, endUs / 1000);
}

// True: nothing waits in a node and nothing is under way.
function drain(world: World, options: SimulationOptions): boolean {
  const { clock, fleet, network } = world;
  const endUs = clock.nowUs() + DRAIN_US_MAX;
  const idle = (): boolean =>
    network.inFlight() === 0 && fleet.members.every(({ node }) => node.waiting() === 0);
  while (!idle()) {
    if (clock.nowUs() >= endUs) return false;
    runOn(world, clock.nowUs() + DRAIN_STEP_US, options);
    settle(world);
    options.progress?.(clock.nowUs() / 1000);
  }
  runOn(world, clock.nowUs() + DRAIN_STEP_US, options); // from the broker to the hub
  return true;
}

function settle(world: World): void {
  for (const { node } of world.fleet.members) {
    if (node.ledger.openCount() === 0) continue;
    node.ledger.settle(
      (boot, sequence) => world.road.hub.has(node.id, boot, sequence),
      world.clock.nowUs(),
    );
  }
}

function sumUp(world: World, seed: number, finished: boolean): Omit<SimulationResult, "drainMs"> {
  const { hub } = world.road;
  const perNode = world.fleet.members.map((member) => nodeResult(world, member));
  const sum = (key: keyof Totals | "lost" | "waiting"): number =>
    perNode.reduce((total, node) => total + node[key], 0);
  const { ingested, duplicates } = hub.totals();
  return {
    seed,
    nodes: perNode.length,
    queued: sum("queued"),
    sent: sum("queued"),
    acknowledged: sum("acknowledged"),
    ingested,
    duplicates,
    dropped: sum("dropped"),
    lost: sum("lost"),
    waiting: sum("waiting"),
    finished,
    virtualMs: Math.floor(world.clock.nowUs() / 1000),
    unconfirmed: sum("unconfirmed"),
    network: { ...world.network.counts() },
    writes: countWrites(hub),
    perNode,
  };
}

/** Set-points written at a hub: the newest steps in its audit, by outcome. */
export function countWrites(hub: Hub): Record<string, number> {
  const writes: Record<string, number> = {};
  for (const { outcome } of hub.audit(WRITES_COUNTED_MAX))
    writes[outcome] = (writes[outcome] ?? 0) + 1;
  return writes;
}

function nodeResult(world: World, { node }: Member): NodeResult {
  const counters = node.linkCounters();
  const lost = node.ledger.lost((boot, sequence) => world.road.hub.has(node.id, boot, sequence));
  return {
    id: node.id,
    ...node.ledger.totals(counters),
    ...node.hostCounters(),
    lost,
    waiting: counters[COUNTER_WAITING]!,
    boot: newestBoot(node.flash),
    beyondLimits: node.beyondLimits(),
  };
}
