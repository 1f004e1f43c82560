// SPDX-License-Identifier: MIT
// One node: power, ticks, polls, traps, for virtual and for real time alike.
//
// Spec: SPEC.md §1.1, §1.2, §6. I/O-free: `run(nowUs)` does what is due, `nextDueUs()` says when to
// come again. Of events due at the same time: restart of link, then tick, then poll.
// (N1) ticks stand at power-on + k × period, k = 1, 2, ...: no drift, whatever link does.
// (N2) every output has its safe value whenever loop is not there: before start, after a trap, without power.
// (N3) counters and outbox of each life of link are read before that life ends.
//
//   off -powerOn()-> on: loop and link start;  on -powerCut()-> off: RAM and ring gone, flash kept
//   link: running -trap-> down -LINK_RESTART_US-> running      loop: running -trap-> down -next tick-> running

import { COUNTER_COUNT, COUNTER_WAITING } from "../firmware/wire/counters.ts";
import { POLL_DELAY_MS_MAX } from "../firmware/limits.ts";
import {
  compileModule,
  createModuleMemory,
  instantiate,
  isTrap,
  type CompiledModule,
  type ModuleExports,
  type ModuleMemory,
} from "./engine.ts";
import { newestBoot, PowerCut, type Flash } from "./flash.ts";
import {
  advanceDevice,
  clearVolatile,
  createHardware,
  outputsToSafe,
  startWithPower,
  traceNode,
  type Hardware,
  type HostCounters,
  type NodePorts,
  type NodeSetup,
} from "./hardware.ts";
import { createLedger, readCounters, readWaiting, type LinkCounters } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import { LINK_RESTART_US, POLL_PITCH_US } from "./limits.ts";
import { createLinkHost } from "./link-host.ts";
import { createLoopHost } from "./loop-host.ts";

export interface Node {
  readonly id: string;
  readonly flash: Flash;
  readonly ledger: Ledger;
  powerOn(nowUs: number): void;
  powerCut(nowUs: number): void;
  powered(): boolean;
  /** A datagram of "host:port" arrived. */
  datagram(from: string, bytes: Uint8Array, nowUs: number): void;
  /** Does everything due up to this time, in order of time. */
  run(nowUs: number): void;
  /** When run() has something to do, Infinity: never. */
  nextDueUs(): number;
  /** No tick from now on; link goes on. */
  stopSampling(): void;
  /** Gives up the ticks due before this time; how many. */
  skipTicks(nowUs: number): number;
  /** Readings in the outbox and records in the ring; while link is down at least 1. */
  waiting(): number;
  /** link's counters of the life that goes on, all 0 without one. */
  linkCounters(): LinkCounters;
  hostCounters(): Readonly<HostCounters>;
  /** Duties and effective set-points that loop put outside the limits of node.json. */
  beyondLimits(): number;
  /** Duties of the outputs, in the order of the plan. */
  duties(): number[];
  /** Its own clock runs fast by so many millionths more; negative: slow. */
  addDrift(ppm: number, nowUs: number): void;
}

interface Running {
  exports: ModuleExports;
  memory: ModuleMemory;
}

interface State {
  readonly hardware: Hardware;
  readonly ledger: Ledger;
  readonly loopModule: CompiledModule;
  readonly linkModule: CompiledModule | undefined; // undefined: the node has no IT side
  loop: Running | undefined;
  link: Running | undefined;
  sampling: boolean;
  tickDueUs: number;
  pollDueUs: number;
  restartDueUs: number;
}

/**
 * A node without power, flash empty unless the setup has one; `ledger` goes on with what earlier modules
 * on the same board counted. Throws ModuleError when a module breaks its table.
 */
export function createNode(setup: NodeSetup, ports: NodePorts, ledger = createLedger()): Node {
  const { plan, compile = compileModule } = setup;
  const state: State = {
    hardware: createHardware(setup, ports),
    ledger,
    loopModule: compile("loop", plan.loopWasm),
    linkModule: plan.linkWasm.length > 0 ? compile("link", plan.linkWasm) : undefined,
    loop: undefined,
    link: undefined,
    sampling: true,
    tickDueUs: Infinity,
    pollDueUs: Infinity,
    restartDueUs: Infinity,
  };
  outputsToSafe(state.hardware);
  return {
    id: plan.id,
    flash: state.hardware.flash,
    ledger: state.ledger,
    ...bindPower(state),
    ...bindRun(state),
    waiting: () => waiting(state),
    linkCounters: () => linkCounters(state),
    hostCounters: () => state.hardware.counters,
    beyondLimits: () => state.hardware.beyondLimits,
    duties: () => state.hardware.outputs.map((entry) => entry.duty),
    addDrift: (ppm, nowUs) => state.hardware.clock.addDrift(ppm, nowUs),
  };
}

function bindPower(state: State): Pick<Node, "powerOn" | "powerCut" | "powered"> {
  return {
    powerOn(nowUs) {
      state.hardware.nowUs = nowUs;
      if (!state.hardware.powered) startPower(state);
    },
    powerCut(nowUs) {
      state.hardware.nowUs = nowUs;
      if (state.hardware.powered) endPower(state);
    },
    powered: () => state.hardware.powered,
  };
}

function bindRun(
  state: State,
): Pick<Node, "datagram" | "run" | "nextDueUs" | "stopSampling" | "skipTicks"> {
  const { hardware } = state;
  const periodUs = hardware.setup.plan.periodUs;
  return {
    datagram(from, bytes, nowUs) {
      if (!hardware.powered || state.link === undefined) return; // nobody listens
      hardware.nowUs = nowUs;
      if (!hardware.inbox.put(hardware.peers.numberOf(from), bytes)) {
        hardware.datagramsDropped++;
        traceNode(hardware, "datagram-drop", { m: "link", from });
      }
      state.pollDueUs = Math.min(state.pollDueUs, nowUs);
    },
    run(nowUs) {
      for (let due = nextDueUs(state); due <= nowUs; due = nextDueUs(state)) step(state, due);
    },
    nextDueUs: () => nextDueUs(state),
    stopSampling() {
      state.sampling = false;
      state.tickDueUs = Infinity;
    },
    skipTicks(nowUs) {
      const count = Math.max(0, Math.ceil((nowUs - state.tickDueUs) / periodUs));
      if (!Number.isFinite(count) || count === 0) return 0;
      state.tickDueUs += count * periodUs;
      return count;
    },
  };
}

function nextDueUs(state: State): number {
  return Math.min(state.restartDueUs, state.tickDueUs, state.pollDueUs);
}

function step(state: State, dueUs: number): void {
  state.hardware.nowUs = dueUs;
  if (state.restartDueUs === dueUs) startLink(state);
  else if (state.tickDueUs === dueUs) tick(state);
  else poll(state);
}

// ---- power

function startPower(state: State): void {
  const { hardware } = state;
  advanceDevice(hardware); // what the machine did meanwhile, nobody heard
  startWithPower(hardware);
  hardware.powered = true;
  traceNode(hardware, "power", { on: true });
  outputsToSafe(hardware);
  startLoop(state);
  if (state.sampling) state.tickDueUs = hardware.nowUs + hardware.setup.plan.periodUs;
  startLink(state);
}

function endPower(state: State): void {
  const { hardware } = state;
  closeLink(state);
  state.loop = undefined;
  hardware.powered = false;
  state.tickDueUs = state.pollDueUs = state.restartDueUs = Infinity;
  clearVolatile(hardware);
  outputsToSafe(hardware);
  traceNode(hardware, "power", { on: false });
}

// ---- loop

function startLoop(state: State): void {
  const { hardware } = state;
  enterLoop(state, () => {
    const memory = createModuleMemory();
    const exports = instantiate(state.loopModule, createLoopHost(hardware, memory), memory);
    state.loop = { exports, memory };
    exports["init"]!();
    traceNode(hardware, "start", { m: "loop" });
  });
}

function tick(state: State): void {
  const { hardware } = state;
  const { setup, ports, counters, ring } = hardware;
  state.tickDueUs += setup.plan.periodUs; // (N1)
  advanceDevice(hardware);
  if (state.loop === undefined) startLoop(state);
  if (state.loop === undefined) return; // it trapped again
  const startUs = ports.stopwatchUs();
  enterLoop(state, state.loop.exports["tick"]!);
  if (ports.stopwatchUs() - startUs > setup.overrunUs && state.loop !== undefined) {
    counters.loopOverruns++;
    stopLoop(state, "overrun", "longer than its period");
  }
  if (ring.count() > 0 && state.link !== undefined) state.pollDueUs = hardware.nowUs;
}

// The action is an export of the module itself: a tick and a poll allocate nothing here.
function enterLoop(state: State, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!isTrap(error)) throw error;
    state.hardware.counters.loopTraps++;
    stopLoop(state, "trap", error.message);
  }
}

function stopLoop(state: State, event: string, reason: string): void {
  state.loop = undefined; // tick() starts it again at the next period
  traceNode(state.hardware, event, { m: "loop", reason });
  outputsToSafe(state.hardware); // (N2)
}

// ---- link

function startLink(state: State): void {
  const { hardware, linkModule } = state;
  state.restartDueUs = Infinity;
  if (linkModule === undefined) return;
  enterLink(state, () => {
    const memory = createModuleMemory();
    const exports = instantiate(linkModule, createLinkHost(hardware, memory), memory);
    state.link = { exports, memory };
    exports["init"]!();
    traceNode(hardware, "start", { m: "link" });
    state.pollDueUs = hardware.nowUs;
    return 0;
  });
}

function poll(state: State): void {
  const { hardware, link } = state;
  state.pollDueUs = Infinity;
  if (link === undefined) return;
  const wantedMs = enterLink(state, link.exports["poll"]!);
  if (state.link !== link) return; // it trapped, or the power went
  const delayMs = wantedMs >= 0 && wantedMs < POLL_DELAY_MS_MAX ? wantedMs : POLL_DELAY_MS_MAX;
  state.pollDueUs = hardware.nowUs + Math.max(delayMs * 1000, POLL_PITCH_US);
}

// What the action returned; after a trap or a power cut state.link is gone.
function enterLink(state: State, action: () => number): number {
  try {
    return action();
  } catch (error) {
    if (error instanceof PowerCut) endPower(state);
    else if (isTrap(error)) trapLink(state, error.message);
    else throw error;
    return 0;
  }
}

function trapLink(state: State, reason: string): void {
  const { hardware } = state;
  hardware.counters.linkTraps++;
  traceNode(hardware, "trap", { m: "link", reason });
  closeLink(state);
  state.restartDueUs = hardware.nowUs + LINK_RESTART_US;
}

// (N3) The instance is entered once more to account for what it held; if even that traps, what it
// counted is unknown and the life is closed with what could be read.
function closeLink(state: State): void {
  const { link, hardware } = state;
  state.link = undefined;
  state.pollDueUs = Infinity;
  hardware.inbox.clear();
  if (link === undefined) return;
  let counters: LinkCounters = new Uint32Array(COUNTER_COUNT);
  let outstanding: number[] = [];
  try {
    counters = readCounters(link.exports, link.memory);
    outstanding = readWaiting(link.exports, link.memory);
  } catch (error) {
    if (!isTrap(error)) throw error;
    traceNode(hardware, "unaccounted", { m: "link", reason: error.message });
  }
  const boot = newestBoot(hardware.flash);
  state.ledger.closeLife(counters, boot, outstanding, hardware.nowUs);
  if (hardware.ports.trace.on)
    traceNode(hardware, "outstanding", { m: "link", boot, sequences: outstanding.join(" ") });
}

function linkCounters(state: State): LinkCounters {
  const { link } = state;
  return link === undefined
    ? new Uint32Array(COUNTER_COUNT)
    : readCounters(link.exports, link.memory);
}

function waiting(state: State): number {
  if (!state.hardware.powered || state.linkModule === undefined) return 0;
  const inRing = state.hardware.ring.count();
  if (state.link === undefined) return inRing + 1; // its next life may still have something to say
  return inRing + linkCounters(state)[COUNTER_WAITING]!;
}
