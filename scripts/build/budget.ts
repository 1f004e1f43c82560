// SPDX-License-Identifier: MIT
// What an image may take: from node.json, else from the board.
//
// DESIGN D10. Octets are known when it is linked, cycles when it has run in the chip's model.

import type { Rp2040Board } from "./rp2040-board.ts";
import type { NodeType } from "./schema.ts";

export const CLOCK_HZ = 125_000_000; // boards/rp2040/clocks.c

export interface Budget {
  flashBytes: number;
  sramBytes: number;
  tickCycles: number; // of the worst tick
}

/** The budget of a node type on a board. */
export function budgetOf({ budget }: Rp2040Board, { budgets, periodMs }: NodeType): Budget {
  const period = (periodMs / 1000) * CLOCK_HZ;
  return {
    flashBytes: budgets.flashBytes ?? budget.flashBytes,
    sramBytes: budgets.sramBytes ?? budget.sramBytes,
    tickCycles: budgets.tickCycles ?? Math.floor(budget.tickShare * period),
  };
}
