// SPDX-License-Identifier: MIT
// The blocks behind the bus by base address, and what a reset does to one.
//
// A slot makes its peripheral anew whenever its reset is released; alarms, interrupt and request lines of
// the one before end with it. A block that is held answers nobody.

import type { Context, MakePeripheral } from "./context.ts";
import type { ClockScope } from "./clock.ts";
import { createScope } from "./clock.ts";
import type { Peripheral } from "./peripheral.ts";

/** One row of the table of blocks. */
export interface Block {
  name: string;
  base: number;
  resetBit: number; // in RESETS, -1: it has none
  aliased: boolean; // xor, set and clear at +1000, 2000, 3000
  make: MakePeripheral;
}

export interface Slot {
  readonly block: Block;
  /** Undefined while the block is held in reset. */
  peripheral: Peripheral | undefined;
  end: () => void;
}

export function createSlot(block: Block): Slot {
  return { block, peripheral: undefined, end: () => undefined };
}

/** Holds the block, or makes it anew; nothing happens when it is that already. */
export function setHeld(slot: Slot, held: boolean, shared: Context): void {
  if (held === (slot.peripheral === undefined)) return;
  slot.end();
  slot.peripheral = undefined;
  if (held) return;
  const { context, end } = lend(shared);
  slot.end = end;
  slot.peripheral = slot.block.make(context);
}

// The shared context with everything made through it ending together.
function lend(shared: Context): { context: Context; end: () => void } {
  const scope: ClockScope = createScope(shared.clock);
  const raised = new Set<number>();
  const requested = new Set<number>();
  const ends: (() => void)[] = [];
  let open = true;
  const guard = (call: () => void) => (): void => void (open && call());
  const context: Context = {
    clock: scope,
    time: { ...shared.time, atNs: (ns, call) => shared.time.atNs(ns, guard(call)) },
    tree: shared.tree,
    pins: {
      ...shared.pins,
      onInput(pin, call) {
        const stop = shared.pins.onInput(pin, call);
        ends.push(stop);
        return stop;
      },
    },
    interrupt: tracked(raised, shared.interrupt),
    request: tracked(requested, shared.request),
  };
  return {
    context,
    end() {
      open = false;
      scope.close();
      for (const line of raised) shared.interrupt(line, false);
      for (const line of requested) shared.request(line, false);
      for (const stop of ends) stop();
    },
  };
}

type Lines = (line: number, level: boolean) => void;

// Passes on changes only: models may state a level again and again.
function tracked(high: Set<number>, pass: Lines): Lines {
  return (line, level) => {
    if (level === high.has(line)) return;
    if (level) high.add(line);
    else high.delete(line);
    pass(line, level);
  };
}
