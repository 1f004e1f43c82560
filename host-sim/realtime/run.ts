// SPDX-License-Identifier: MIT
// The nodes of a plant in real time on real UDP sockets.
//
// The node code is that of virtual time; here a timer and the machine's clock drive it. Ticks stand at
// multiples of the period: a late wake-up runs all that are due, in order, without drift. Ticks later
// than CATCH_UP_US_MAX (a suspended laptop) are given up and counted. Never waits busily.

import { COUNTER_WAITING } from "../../firmware/wire/counters.ts";
import type { Device } from "../devices/device.ts";
import { createWire, type Wire } from "../devices/wire.ts";
import { createMachine } from "../fleet.ts";
import { programBoot } from "../flash.ts";
import type { HostCounters } from "../hardware.ts";
import type { Totals } from "../ledger.ts";
import { CATCH_UP_US_MAX, REALTIME_OVERRUN_US_MIN } from "../limits.ts";
import { createNode, type Node } from "../node.ts";
import type { NodePlan, PlantPlan } from "../plan.ts";
import { createPrng, type Prng } from "../prng.ts";
import { createTrace } from "../trace.ts";
import { openPtyLine } from "./pty.ts";
import { openNodeSocket, type NodeSocket } from "./socket.ts";

const TIMER_MS_MAX = 1000; // a node is looked at this often whatever it said

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
}

export interface RealtimeTotals extends Totals {
  nodes: number;
  lost: number;
  waiting: number;
  ticksSkipped: number;
  perNode: RealtimeNode[];
}

export interface RealtimeNode extends Totals, HostCounters {
  id: string;
  powered: boolean;
  lost: number;
  waiting: number;
}

export interface Realtime {
  /** No node ticks any more; outboxes drain. */
  stopSampling(): void;
  /** Readings and records that still wait in all nodes. */
  waiting(): number;
  totals(): RealtimeTotals;
  /** Takes a node's power away for a while; unknown ids are a RangeError. */
  cutPower(id: string, forMs: number): void;
  /** Stops all nodes and closes their sockets. */
  close(): Promise<void>;
}

interface Runner {
  readonly node: Node;
  readonly socket: NodeSocket;
  timer: NodeJS.Timeout | undefined;
  offUntilUs: number;
  ticksSkipped: number;
}

/** Starts every node of the plan at once. */
export function startRealtime(plan: PlantPlan, options: RealtimeOptions): Realtime {
  const prng = createPrng(options.seed);
  const startMs = performance.now();
  const nowUs = (): number => Math.floor((performance.now() - startMs) * 1000);
  const line = options.pty === undefined ? undefined : createLine(plan, options.pty);
  const runners = plan.nodes.map((node) => {
    const own = prng.fork(`node ${node.id}`);
    const heard = node.id === options.pty?.node ? line?.device : undefined;
    const device = heard ?? createMachine(node, own.fork("machine"));
    return createRunner({ plan: node, prng: own, device, options, nowUs });
  });
  const ptys =
    line === undefined || options.pty === undefined
      ? undefined
      : openPtyLine({ paths: options.pty.paths, wire: line, nowUs, log: options.log });
  const faults = plan.faults.flatMap(({ fault, node, atMs, forMs }) => {
    if (fault === "power-cut" && node !== undefined)
      return [setTimeout(() => cutPower(node, forMs), atMs)];
    options.log(`the fault ${fault} is for virtual time only: left out`);
    return [];
  });

  function cutPower(id: string, forMs: number): void {
    const runner = runners.find(({ node }) => node.id === id);
    if (runner === undefined) throw new RangeError(`no node is called ${id}`);
    runner.offUntilUs = Math.max(runner.offUntilUs, nowUs() + forMs * 1000);
    runner.node.powerCut(nowUs());
    options.log(`${id}: power cut for ${forMs} ms`);
    schedule(runner, nowUs);
  }

  return {
    stopSampling() {
      for (const fault of faults) clearTimeout(fault);
      for (const { node } of runners) node.stopSampling();
    },
    waiting: () => runners.reduce((sum, { node }) => sum + node.waiting(), 0),
    totals: () => sumUp(runners, options, nowUs()),
    cutPower,
    async close() {
      for (const fault of faults) clearTimeout(fault);
      for (const runner of runners) clearTimeout(runner.timer);
      ptys?.close();
      await Promise.all(runners.map(({ socket }) => socket.close()));
    },
  };
}

// The wire that a node's tap hears in place of its machine's line; throws RangeError without such a tap.
function createLine(plan: PlantPlan, wanted: NonNullable<RealtimeOptions["pty"]>): Wire {
  const node = plan.nodes.find(({ id }) => id === wanted.node);
  const index = node?.taps.findIndex(({ name }) => name === wanted.tap) ?? -1;
  const tap = node?.taps[index];
  if (tap === undefined) throw new RangeError(`no tap ${wanted.tap} on a node ${wanted.node}`);
  return createWire(index, tap.baud, tap.format);
}

interface RunnerSetup {
  plan: NodePlan;
  prng: Prng;
  device: Device;
  options: RealtimeOptions;
  nowUs: () => number;
}

function createRunner({ plan, prng, device, options, nowUs }: RunnerSetup): Runner {
  const { host, port } = options.gateway;
  const address = `${host}:${port}`;
  const socket = openNodeSocket({
    gateway: options.gateway,
    heard(from, bytes) {
      runner.node.datagram(from, bytes, nowUs());
      schedule(runner, nowUs);
    },
    failed: (reason) => options.log(`${plan.id}: ${reason}`),
  });
  const node = createNode(
    {
      plan,
      device,
      gateways: Array.from({ length: plan.gateways }, () => address),
      host: "ferrule-realtime",
      entropy: prng.fork("entropy"),
      overrunUs: Math.max(plan.periodUs, REALTIME_OVERRUN_US_MIN),
    },
    { send: socket.send, stopwatchUs: nowUs, trace: createTrace() },
  );
  if (options.bootsBefore !== undefined) programBoot(node.flash, options.bootsBefore);
  const runner: Runner = { node, socket, timer: undefined, offUntilUs: 0, ticksSkipped: 0 };
  schedule(runner, nowUs);
  return runner;
}

// Sleeps until the node is due; a timer of Node.js never fires early by more than it rounds, 1 ms.
function schedule(runner: Runner, nowUs: () => number): void {
  clearTimeout(runner.timer);
  const dueUs = runner.node.powered() ? runner.node.nextDueUs() : runner.offUntilUs;
  const delayMs = Math.min(Math.max(0, Math.ceil((dueUs - nowUs()) / 1000)), TIMER_MS_MAX);
  runner.timer = setTimeout(() => wake(runner, nowUs), delayMs);
}

function wake(runner: Runner, nowUs: () => number): void {
  const { node } = runner;
  const now = nowUs();
  if (!node.powered() && now >= runner.offUntilUs) node.powerOn(now);
  runner.ticksSkipped += node.skipTicks(now - CATCH_UP_US_MAX);
  node.run(now);
  schedule(runner, nowUs);
}

function sumUp(runners: Runner[], options: RealtimeOptions, nowUs: number): RealtimeTotals {
  const perNode = runners.map(({ node }) => {
    const counters = node.linkCounters();
    const has = (boot: number, sequence: number): boolean =>
      options.has?.(node.id, boot, sequence) ?? false;
    node.ledger.settle(has, nowUs);
    return {
      id: node.id,
      powered: node.powered(),
      waiting: counters[COUNTER_WAITING]!,
      lost: node.ledger.lost(has),
      ...node.ledger.totals(counters),
      ...node.hostCounters(),
    };
  });
  const sum = (key: keyof Totals | "lost" | "waiting"): number =>
    perNode.reduce((total, node) => total + node[key], 0);
  return {
    nodes: runners.length,
    queued: sum("queued"),
    acknowledged: sum("acknowledged"),
    dropped: sum("dropped"),
    unconfirmed: sum("unconfirmed"),
    waiting: sum("waiting"),
    lost: sum("lost"),
    ticksSkipped: runners.reduce((total, { ticksSkipped }) => total + ticksSkipped, 0),
    perNode,
  };
}
