// SPDX-License-Identifier: MIT
// What stands behind a line: units, registers, polls, answer times, health.
//
// Adds up events in the order of the wire; decodes nothing itself. Tables are bounded: what finds one full is counted
// in `left`. Times are µs, as in events.

import type { Character } from "./line.ts";
import { registersOf, tableOf, textOf, type Table, type TapEvent } from "./event.ts";
import {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_READ,
  TAP_EVENT_READING,
  TAP_EVENT_TEXT,
  TAP_EVENT_UNANSWERED,
  TAP_EVENT_WRITE,
} from "../../firmware/wire/tap.ts";
import { createTypeWatch, type TypeWatch } from "./plausible.ts";
import { addLine, createShape, shapeKey, type Shape } from "./shape.ts";

const REGISTERS_MAX = 65_536; // a gateway that polls whole tables of several units
const POLLS_MAX = 4096;
const READINGS_MAX = 4096; // a meter says some dozens, a bus of M-Bus has up to 250 of them
const SHAPES_MAX = 64; // kinds of lines of text
const PERIODS_KEPT = 64; // the median of the latest

export interface Register {
  unit: number;
  table: Table;
  address: number;
  value: number;
  reads: number;
  writes: number;
  changes: number;
  min: number;
  max: number;
  firstUs: number;
  lastUs: number;
}

export interface Poll {
  unit: number;
  code: number;
  address: number;
  quantity: number;
  answered: number;
  unanswered: number;
  broadcasts: number;
  exceptions: Map<number, number>; // by reason
  answerUs: Spread;
  askedUs: number; // latest request
  periodsUs: number[]; // the latest PERIODS_KEPT
  next: number; // place of the next one
}

export interface Spread {
  count: number;
  min: number;
  max: number;
  sum: number;
}

export interface Reading {
  name: string;
  unit: number; // address of the meter; -1: there is one
  meter: number; // its eight digits, as BCD; 0: not said
  unitName: string;
  value: number | undefined; // none: it never was a number
  decimals: number; // most that were said
  min: number;
  max: number;
  times: number;
  changes: number;
  firstUs: number;
  lastUs: number;
}

export interface Inventory {
  readonly registers: Map<number, Register>; // by registerKey()
  readonly polls: Map<string, Poll>;
  readonly readings: Map<string, Reading>;
  readonly texts: Map<string, Shape>; // lines of text, by their shape
  readonly types: TypeWatch;
  characters: number;
  flagged: number; // characters with an error flag
  firstUs: number;
  lastUs: number;
  orphans: number;
  left: number; // what found a table full
}

export function createInventory(): Inventory {
  return {
    registers: new Map(),
    polls: new Map(),
    readings: new Map(),
    texts: new Map(),
    types: createTypeWatch(),
    ...{ characters: 0, flagged: 0, firstUs: 0, lastUs: 0, orphans: 0, left: 0 },
  };
}

const TABLE_NUMBERS: Readonly<Record<Table, number>> = {
  ...{ coil: 0, discrete: 1, holding: 2, input: 3 },
};

/** Names a register; keys of neighbours follow each other. */
export function registerKey(unit: number, table: Table, address: number): number {
  return (unit * 4 + TABLE_NUMBERS[table]) * 65_536 + address;
}

/** Characters before they are decoded. */
export function noteCharacters(inventory: Inventory, characters: readonly Character[]): void {
  for (const { atUs, flags } of characters) {
    if (inventory.characters === 0) inventory.firstUs = atUs;
    inventory.characters++;
    if (flags !== 0) inventory.flagged++;
    inventory.lastUs = atUs;
  }
}

/** One event; registers that it changed, or said for the first time. */
export function noteEvent(inventory: Inventory, event: TapEvent): Register[] {
  const { kind } = event;
  if (kind === TAP_EVENT_TEXT && event.name === "") noteText(inventory, event);
  else if (kind === TAP_EVENT_READING || kind === TAP_EVENT_TEXT) noteReading(inventory, event);
  else if (kind === TAP_EVENT_ORPHAN) inventory.orphans++;
  else notePoll(inventory, event);
  return noteRegisters(inventory, event);
}

function noteRegisters(inventory: Inventory, event: TapEvent): Register[] {
  const table = tableOf(event.code);
  if (table === undefined || event.unit < 0) return [];
  const values = registersOf(event);
  if (event.kind === TAP_EVENT_READ && (table === "holding" || table === "input"))
    inventory.types.note(registerKey(event.unit, table, event.address), values);
  const changed: Register[] = [];
  values.forEach((value, i) => {
    const address = event.address + i;
    const register = registerAt(inventory, event.unit, table, address, event.atUs);
    if (register === undefined) return;
    const isNew = register.reads + register.writes === 0;
    if (event.kind === TAP_EVENT_READ) register.reads++;
    else register.writes++;
    if (isNew || value !== register.value) changed.push(register);
    keep(register, value, isNew, event.atUs);
  });
  return changed;
}

function keep(register: Register, value: number, isNew: boolean, atUs: number): void {
  if (isNew) register.min = register.max = value;
  else if (value !== register.value) register.changes++;
  register.value = value;
  register.min = Math.min(register.min, value);
  register.max = Math.max(register.max, value);
  register.lastUs = atUs;
}

function registerAt(
  inventory: Inventory,
  unit: number,
  table: Table,
  address: number,
  atUs: number,
): Register | undefined {
  const key = registerKey(unit, table, address);
  const found = inventory.registers.get(key);
  if (found !== undefined) return found;
  if (inventory.registers.size >= REGISTERS_MAX) {
    inventory.left++;
    return undefined;
  }
  const register: Register = {
    ...{ unit, table, address, value: 0, reads: 0, writes: 0, changes: 0, min: 0, max: 0 },
    ...{ firstUs: atUs, lastUs: atUs },
  };
  inventory.registers.set(key, register);
  return register;
}

function notePoll(inventory: Inventory, event: TapEvent): void {
  const poll = pollAt(inventory, event);
  if (poll === undefined) return;
  const { kind, atUs, answerUs } = event;
  const isAnswered = kind === TAP_EVENT_READ || kind === TAP_EVENT_WRITE || answerUs > 0;
  const askedUs = atUs - answerUs;
  if (poll.askedUs >= 0) {
    poll.periodsUs[poll.next] = askedUs - poll.askedUs;
    poll.next = (poll.next + 1) % PERIODS_KEPT;
  }
  poll.askedUs = askedUs;
  if (kind === TAP_EVENT_UNANSWERED) poll.unanswered++;
  else if (kind === TAP_EVENT_BROADCAST) poll.broadcasts++;
  else {
    poll.answered++;
    if (kind === TAP_EVENT_EXCEPTION)
      poll.exceptions.set(event.reason, (poll.exceptions.get(event.reason) ?? 0) + 1);
    if (isAnswered) widen(poll.answerUs, answerUs);
  }
}

function pollAt(inventory: Inventory, event: TapEvent): Poll | undefined {
  const { unit, code, address, quantity } = event;
  const key = `${unit}/${code}/${address}/${quantity}`;
  const found = inventory.polls.get(key);
  if (found !== undefined) return found;
  if (inventory.polls.size >= POLLS_MAX) {
    inventory.left++;
    return undefined;
  }
  const poll: Poll = {
    ...{ unit, code, address, quantity, answered: 0, unanswered: 0, broadcasts: 0 },
    ...{ exceptions: new Map(), answerUs: createSpread(), askedUs: -1, periodsUs: [], next: 0 },
  };
  inventory.polls.set(key, poll);
  return poll;
}

function noteText(inventory: Inventory, event: TapEvent): void {
  const text = textOf(event);
  const key = shapeKey(text);
  let shape = inventory.texts.get(key);
  if (shape === undefined && inventory.texts.size >= SHAPES_MAX) {
    inventory.left++;
    return;
  }
  if (shape === undefined) inventory.texts.set(key, (shape = createShape(text, event.atUs)));
  addLine(shape, text, event.atUs);
}

function noteReading(inventory: Inventory, event: TapEvent): void {
  const { name, unit, meter, unitName, decimals, atUs } = event;
  const key = `${unit}/${meter}/${name}`;
  const value = event.kind === TAP_EVENT_READING ? event.number : undefined;
  let reading = inventory.readings.get(key);
  if (reading === undefined) {
    if (inventory.readings.size >= READINGS_MAX) {
      inventory.left++;
      return;
    }
    reading = {
      ...{ name, unit, meter, unitName, decimals, value, min: Infinity, max: -Infinity },
      ...{ times: 0, changes: 0, firstUs: atUs, lastUs: atUs },
    };
    inventory.readings.set(key, reading);
  }
  if (reading.value !== value) reading.changes++;
  reading.times++;
  reading.lastUs = atUs;
  if (value === undefined) return;
  reading.value = value;
  reading.unitName = unitName;
  reading.decimals = Math.max(reading.decimals, decimals);
  reading.min = Math.min(reading.min, value);
  reading.max = Math.max(reading.max, value);
}

export function createSpread(): Spread {
  return { count: 0, min: Infinity, max: 0, sum: 0 };
}

export function widen(spread: Spread, value: number): void {
  spread.count++;
  spread.sum += value;
  spread.min = Math.min(spread.min, value);
  spread.max = Math.max(spread.max, value);
}

/** The median of the latest periods of a poll, µs; undefined where it was asked once. */
export function periodOf({ periodsUs }: Poll): number | undefined {
  const sorted = [...periodsUs].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
