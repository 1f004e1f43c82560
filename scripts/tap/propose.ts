// SPDX-License-Identifier: MIT
// A node.json of what was found on a line.
//
// A channel for each register that changed, in order of unit, table and address; where none did, for each that was
// read. Types are the likeliest ones. Of a meter its objects, of text its lines. Where the line is a capture file, the node replays
// it: it runs at once.

import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { addChannel, isUnit, periodMsOf } from "../../hub/propose.ts";
import { makeFolders, writeWhole } from "../build/cache.ts";
import { readNode } from "../build/node.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { METER_PROTOCOLS } from "../build/object-taps.ts";
import { isCapture } from "./capture.ts";
import { registerKey, type Inventory, type Register } from "./inventory.ts";
import { proposeLines } from "./propose-lines.ts";
import { proposeObjects } from "./propose-objects.ts";
import { lineEndName } from "./peek.ts";
import type { Heard } from "./report.ts";
import { wordsOf, type Order, type ValueType } from "./value.ts";

export interface Written extends Proposal {
  file: string;
}

interface Proposal {
  node: Record<string, unknown>;
  channels: number;
  still: boolean; // no register changed: all of them are there
  left: number; // registers, objects or shapes of lines that found no place
}

/** A tap and the channels of what is heard on it. */
interface Found {
  tap: Record<string, unknown>;
  channels: Record<string, unknown>;
  still?: boolean;
  left: number;
}

const TAP = "bus";
const SIGN_ON_BAUD = 300; // IEC 62056-21: a reader and a meter agree on another rate

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
    throw new Failure(EXIT_FAILED, `${source} told no value`, `look: ferrule tap listen ${source}`);
  const file = join(folder, "node.json");
  makeFolders(folder);
  writeWhole(file, `${JSON.stringify(proposal.node, null, 2)}\n`);
  readNode(folder);
  return { file, ...proposal };
}

function propose(heard: Heard, folder: string): Proposal {
  const { source, line, protocol } = heard;
  const trace = isCapture(source) && source !== "-" ? relative(folder, source) : undefined;
  const { tap, channels, still = false, left } = found(heard);
  const { baud, format, inverted } = line;
  const wire = { uart: 0, protocol, baud, format, ...(inverted && { inverted }), ...tap };
  const replay = trace && { machine: "replay", tap: TAP, trace };
  return {
    node: {
      ...{ type: "tap", periodMs: periodMsOf(line), taps: { [TAP]: wire }, channels },
      ...(replay && { simulate: replay }),
    },
    ...{ channels: Object.keys(channels).length, still, left },
  };
}

function found(heard: Heard): Found {
  const { protocol, inventory } = heard;
  if ((METER_PROTOCOLS as readonly string[]).includes(protocol)) return foundObjects(heard);
  return inventory.texts.size > 0 ? foundLines(heard) : foundRegisters(inventory);
}

function foundObjects({ protocol, line, inventory }: Heard): Found {
  const follow = protocol === "iec62056-21" && line.baud === SIGN_ON_BAUD;
  return { tap: follow ? { follow } : {}, ...proposeObjects(inventory.readings.values(), TAP) };
}

function foundLines({ end, inventory }: Heard): Found {
  const { patterns, words, channels, left } = proposeLines(inventory.texts.values(), TAP);
  const ends = end === undefined ? {} : { end: lineEndName(end) };
  const lists = Object.keys(words).length > 0 && { words };
  return { tap: { protocol: "ascii-line", ...ends, patterns, ...lists }, channels, left };
}

function foundRegisters(inventory: Inventory): Found {
  const read = [...inventory.registers.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, register]) => register)
    .filter(isMappable);
  const moved = read.filter(({ changes }) => changes > 0);
  const still = moved.length === 0;
  return { tap: {}, still, ...channelsOf(inventory, still ? read : moved) };
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
    const value = { tap: TAP, unit, table, type, order, periodMs: periodOf(register) };
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
