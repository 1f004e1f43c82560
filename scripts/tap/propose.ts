// SPDX-License-Identifier: MIT
// A node.json of what was found on a line.
//
// A channel for each register that changed, in order of unit, table and address; where none did, for each that was
// read. Types are the likeliest ones. Where the line is a capture file, the node replays it: it runs at once.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { addChannel, isUnit } from "../../hub/propose.ts";
import { makeFolders, writeWhole } from "../build/cache.ts";
import { readNode } from "../build/node.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { isCapture } from "./capture.ts";
import { registerKey, type Inventory, type Register } from "./inventory.ts";
import type { Heard } from "./report.ts";
import { wordsOf, type Order, type ValueType } from "./value.ts";

export interface Written extends Proposal {
  file: string;
}

interface Proposal {
  node: Record<string, unknown>;
  channels: number;
  still: boolean; // no register changed: all of them are there
  left: number; // registers that found no place
}

/** Throws a Failure where the folder has a node.json that is to stay. */
export function requireFree(folder: string, force: boolean): void {
  const file = join(folder, "node.json");
  if (existsSync(file) && !force)
    throw new Failure(EXIT_FAILED, `${file} is there already`, "give another --out, or --force");
}

/** Writes the proposal whole, and checks it as a build does; throws a Failure where nothing was heard. */
export function writeProposal(heard: Heard, folder: string): Written {
  const { source } = heard;
  const proposal = propose(heard, folder);
  if (proposal.channels === 0)
    throw new Failure(
      EXIT_FAILED,
      `${source} told no register`,
      `look: ferrule tap listen ${source}`,
    );
  const file = join(folder, "node.json");
  makeFolders(folder);
  writeWhole(file, `${JSON.stringify(proposal.node, null, 2)}\n`);
  readNode(folder);
  return { file, ...proposal };
}

function propose(heard: Heard, folder: string): Proposal {
  const { source, line, protocol, inventory } = heard;
  const trace = isCapture(source) && source !== "-" ? relative(folder, source) : undefined;
  const read = [...inventory.registers.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, register]) => register)
    .filter(isMappable);
  const moved = read.filter(({ changes }) => changes > 0);
  const still = moved.length === 0;
  const { channels, left } = channelsOf(inventory, still ? read : moved);
  const tap = { uart: 0, protocol, baud: line.baud, format: line.format };
  const replay = trace && { machine: "replay", tap: "bus", trace };
  return {
    node: {
      ...{ type: "tap", periodMs: 10, taps: { bus: tap }, channels },
      ...(replay && { simulate: replay }),
    },
    ...{ channels: Object.keys(channels).length, still, left },
  };
}

function isMappable({ unit, table, reads }: Register): boolean {
  return isUnit(unit) && reads > 0 && (table === "holding" || table === "input");
}

function channelsOf(
  inventory: Inventory,
  registers: readonly Register[],
): { channels: Record<string, unknown>; left: number } {
  const channels: Record<string, unknown> = {};
  let left = 0;
  let takenUntil = -1; // key of the last register of the value before
  for (const register of registers) {
    const { unit, table, address } = register;
    const key = registerKey(unit, table, address);
    if (key <= takenUntil) continue;
    const { first, type, order } = placeOf(inventory, key, takenUntil);
    const value = { tap: "bus", unit, table, type, order, periodMs: periodOf(register) };
    if (addChannel(channels, { ...value, address: address + first - key }))
      takenUntil = first + wordsOf(type) - 1;
    else left++;
  }
  return { channels, left };
}

// The value that a register is a part of. The low word of one moves first: its high word may stand before it.
function placeOf(
  { types, registers }: Inventory,
  key: number,
  takenUntil: number,
): { first: number; type: ValueType; order: Order } {
  const [own] = types.guess(key);
  if (
    own !== undefined &&
    wordsOf(own.type) === 1 &&
    key - 1 > takenUntil &&
    registers.has(key - 1)
  ) {
    const [before] = types.guess(key - 1);
    if (before !== undefined && wordsOf(before.type) === 2) return { first: key - 1, ...before };
  }
  return { first: key, ...(own ?? { type: "u16", order: "ABCD" }) };
}

function periodOf({ reads, firstUs, lastUs }: Register): number {
  return reads < 2 ? 0 : (lastUs - firstUs) / (reads - 1) / 1000;
}
