// SPDX-License-Identifier: MIT
// Counters of a board's link, read from its memory as a debugger would.
//
// Spec: SPEC.md §1.6, §6. A life of link begins when its boot number is in flash. Memory of a life that ended
// stays until the next one clears it, tens of ms later: who looks every ms sees its last state. What waited in
// an outbox is asked of the same module, run as WebAssembly on a copy of that memory.
// (L1) counters of a life never fall: lower ones are a memory that is being cleared.

import {
  COUNTER_ACKNOWLEDGED,
  COUNTER_COUNT,
  COUNTER_QUEUED,
  COUNTER_WAITING,
} from "../../firmware/wire/counters.ts";
import {
  createModuleMemory,
  HOST_IMPORTS,
  instantiate,
  isTrap,
  type Compile,
  type HostFunctions,
} from "../engine.ts";
import type { HostCounters } from "../hardware.ts";
import { readWaiting, type Ledger, type LinkCounters } from "../ledger.ts";
import type { ChipPlan, ChipSymbol, NodePlan } from "../plan.ts";
import { SRAM_BASE } from "./rp2040/bus.ts";

export interface Lives {
  /** Power came, with this boot number in flash. */
  start(sram: Uint8Array, boot: number): void;
  /** Looks, with the newest boot number in flash. */
  look(boot: number, nowUs: number): void;
  /** The power goes: the life that goes on is closed. */
  end(nowUs: number): void;
  /** Link has lived since power-on. */
  alive(): boolean;
  /** Of the life that goes on, all 0 without one. */
  counters(): LinkCounters;
  /** Readings in the outbox, and one more while records are in the ring. */
  waiting(): number;
  hostCounters(): HostCounters;
}

interface State {
  readonly chip: ChipPlan;
  readonly ledger: Ledger;
  readonly inquest: Inquest;
  readonly memory: Uint8Array; // of link, as last seen
  sram: Uint8Array;
  counters: LinkCounters;
  boot: number;
  alive: boolean; // link has lived since power-on: SRAM holds what the symbols say
}

export function createLives(
  plan: NodePlan,
  chip: ChipPlan,
  ledger: Ledger,
  compile: Compile,
): Lives {
  const state: State = {
    ...{ chip, ledger },
    inquest: createInquest(plan, compile),
    memory: new Uint8Array(chip.symbols.link_memory.size),
    sram: new Uint8Array(0),
    counters: new Uint32Array(COUNTER_COUNT),
    boot: 0,
    alive: false,
  };
  return {
    start(sram, boot) {
      Object.assign(state, { sram, boot, alive: false });
    },
    look: (boot, nowUs) => look(state, boot, nowUs),
    end(nowUs) {
      close(state, nowUs);
      state.alive = false;
    },
    alive: () => state.alive,
    counters: () => state.counters,
    waiting() {
      const [head = 0, tail = 0] = state.alive ? words(state, "ring", 2) : [];
      return state.counters[COUNTER_WAITING]! + (head === tail ? 0 : 1);
    },
    hostCounters() {
      const [ringDropped = 0, loopTraps = 0, loopOverruns = 0, linkTraps = 0] = state.alive
        ? words(state, "host_counters", 4)
        : [];
      return { ringDropped, loopTraps, loopOverruns, linkTraps };
    },
  };
}

function look(state: State, boot: number, nowUs: number): void {
  if (boot !== state.boot) {
    close(state, nowUs);
    state.boot = boot;
    state.alive = true;
  }
  if (!state.alive) return;
  const seen = state.inquest.counters(memoryOf(state));
  const { counters } = state;
  if (seen[COUNTER_QUEUED]! < counters[COUNTER_QUEUED]!) return; // (L1)
  if (seen[COUNTER_ACKNOWLEDGED]! < counters[COUNTER_ACKNOWLEDGED]!) return;
  if (seen.every((value, i) => value === counters[i])) return;
  state.counters = seen;
  state.memory.set(memoryOf(state));
}

function close(state: State, nowUs: number): void {
  const { counters, boot, ledger, inquest, memory } = state;
  const outstanding = counters[COUNTER_WAITING] === 0 ? [] : inquest.waiting(memory);
  ledger.closeLife(counters, boot, outstanding, nowUs);
  state.counters = new Uint32Array(COUNTER_COUNT);
}

function memoryOf({ sram, chip }: State): Uint8Array {
  const { address, size } = chip.symbols.link_memory;
  return sram.subarray(address - SRAM_BASE, address - SRAM_BASE + size);
}

function words({ sram, chip }: State, symbol: ChipSymbol, count: number): number[] {
  const view = new DataView(
    sram.buffer,
    sram.byteOffset + chip.symbols[symbol].address - SRAM_BASE,
  );
  return Array.from({ length: count }, (_, i) => view.getUint32(4 * i, true));
}

/** An instance of link that is initialised, never polled, and only asked about a memory. */
interface Inquest {
  counters(memory: Uint8Array): LinkCounters;
  waiting(memory: Uint8Array): number[];
}

function createInquest({ linkWasm }: NodePlan, compile: Compile): Inquest {
  const nothing = HOST_IMPORTS.link.map((name) => [name, () => 0] as const);
  const memory = createModuleMemory();
  const functions = Object.fromEntries(nothing) as HostFunctions;
  const exports = instantiate(compile("link", linkWasm), functions, memory);
  exports["init"]!(); // where its slots are is in globals, the same in each life
  const address = exports["counters"]!(); // a constant of the module
  return {
    counters(octets) {
      const view = new DataView(octets.buffer, octets.byteOffset + address);
      return Uint32Array.from({ length: COUNTER_COUNT }, (_, i) => view.getUint32(4 * i, true));
    },
    waiting(octets) {
      memory.octets().set(octets);
      try {
        return readWaiting(exports, memory);
      } catch (error) {
        if (!isTrap(error)) throw error;
        return []; // damaged: what it counted stands
      }
    },
  };
}
