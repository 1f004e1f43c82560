// SPDX-License-Identifier: MIT
// The inventory of a line as JSON and as a report that a person reads.
//
// Times are milliseconds here; numbers are rounded to what they are good for. Rows are in order of unit, table, address.

import { objectReport, showObjects, showTexts, textReport } from "./report-readings.ts";
import type { ObjectReport, TextReport } from "./report-readings.ts";
import { kindOfCode } from "./codes.ts";
import type { LineEnd } from "./decoder.ts";
import type { Line } from "./line.ts";
import { characterUs } from "./line.ts";
import { table } from "./table.ts";
import {
  createSpread,
  periodOf,
  registerKey,
  type Inventory,
  type Poll,
  type Register,
  type Spread,
} from "./inventory.ts";

export interface Heard {
  source: string;
  line: Line;
  protocol: string;
  end?: LineEnd | undefined; // of text
  inventory: Inventory;
  counters: number[]; // of the decoder
}

interface Answers {
  min: number;
  mean: number;
  max: number;
}

export interface RegisterReport {
  table: string;
  address: number;
  value: number;
  min: number;
  max: number;
  reads: number;
  writes: number;
  changes: number;
  everyMs: number | null; // from one read to the next
  types: string[]; // plausible ones, the likeliest first
}

export interface PollReport {
  fc: number;
  address: number;
  quantity: number;
  answered: number;
  unanswered: number;
  broadcasts: number;
  exceptions: Record<string, number>;
  periodMs: number | null;
  answerMs: Answers | null;
}

export interface UnitReport {
  unit: number;
  answered: number;
  unanswered: number;
  exceptions: number;
  answerMs: Answers | null;
  polls: PollReport[];
  registers: RegisterReport[];
}

export interface LineReport {
  source: string;
  line: Line;
  protocol: string;
  heardS: number;
  bus: Record<string, number>;
  units: UnitReport[];
  objects: ObjectReport[]; // of meters
  texts: TextReport[]; // kinds of lines
}

const STILL_SHOWN_MAX = 8; // values of a row of registers that never moved
const COUNTER_NAMES = [
  ...["octets", "frames", "requests", "responses", "exceptions", "pairs", "orphans"],
  ...["unanswered", "broadcasts", "junk"],
];

/** All that was found, in plain data. */
export function reportOf({ source, line, protocol, inventory, counters }: Heard): LineReport {
  const spanUs = Math.max(1, inventory.lastUs - inventory.firstUs);
  const named = COUNTER_NAMES.map((name, i): [string, number] => [name, counters[i] ?? 0]);
  const busyUs = inventory.characters * characterUs(line);
  const junk = counters[9] ?? 0;
  const turns = (counters[2] ?? 0) + (counters[3] ?? 0);
  const bus = {
    ...Object.fromEntries(named),
    flagged: inventory.flagged,
    dutyPercent: round((100 * busyUs) / (spanUs + characterUs(line)), 1),
    junkPerTurn: turns === 0 ? 0 : round(junk / turns, 2),
    left: inventory.left,
  };
  const units = [...new Set([...pollsOf(inventory), ...registersOf(inventory)].map((r) => r.unit))];
  return {
    ...{ source, line, protocol, heardS: round(spanUs / 1e6, 3), bus },
    units: units.sort((a, b) => a - b).map((unit) => unitReport(inventory, unit)),
    objects: [...inventory.readings.values()].map(objectReport),
    texts: [...inventory.texts.values()].map(textReport),
  };
}

function pollsOf(inventory: Inventory): Poll[] {
  return [...inventory.polls.values()];
}

function registersOf(inventory: Inventory): Register[] {
  return [...inventory.registers.entries()].sort(([a], [b]) => a - b).map(([, each]) => each);
}

function unitReport(inventory: Inventory, unit: number): UnitReport {
  const polls = pollsOf(inventory).filter((poll) => poll.unit === unit);
  const sum = (of: (poll: Poll) => number): number =>
    polls.reduce((all, each) => all + of(each), 0);
  return {
    unit,
    answered: sum(({ answered }) => answered),
    unanswered: sum(({ unanswered }) => unanswered),
    exceptions: sum(({ exceptions }) => total(exceptions)),
    answerMs: answersOf(polls.map(({ answerUs }) => answerUs)),
    polls: polls.map(pollReport),
    registers: registersOf(inventory)
      .filter((register) => register.unit === unit)
      .map((register) => registerReport(inventory, register)),
  };
}

function pollReport(poll: Poll): PollReport {
  const { code, address, quantity, answered, unanswered, broadcasts, exceptions } = poll;
  const periodUs = periodOf(poll);
  return {
    ...{ fc: code, address, quantity, answered, unanswered, broadcasts },
    exceptions: Object.fromEntries(exceptions),
    periodMs: periodUs === undefined ? null : round(periodUs / 1000, 1),
    answerMs: answersOf([poll.answerUs]),
  };
}

function registerReport({ types }: Inventory, register: Register): RegisterReport {
  const { unit, table, address, value, min, max, reads, writes, changes } = register;
  const isWord = table === "holding" || table === "input";
  const guesses = isWord ? types.guess(registerKey(unit, table, address)) : [];
  const spanUs = register.lastUs - register.firstUs;
  return {
    ...{ table, address, value, min, max, reads, writes, changes },
    everyMs: reads < 2 ? null : round(spanUs / (reads - 1) / 1000, 1),
    types: guesses.map(({ type, order }) => (order === "ABCD" ? type : `${type} ${order}`)),
  };
}

function answersOf(spreads: readonly Spread[]): Answers | null {
  const all = createSpread();
  for (const { count, min, max, sum } of spreads) {
    all.count += count;
    all.sum += sum;
    all.min = Math.min(all.min, min);
    all.max = Math.max(all.max, max);
  }
  if (all.count === 0) return null;
  const ms = (us: number): number => round(us / 1000, 2);
  return { min: ms(all.min), mean: ms(all.sum / all.count), max: ms(all.max) };
}

function total(counts: ReadonlyMap<number, number>): number {
  return [...counts.values()].reduce((all, each) => all + each, 0);
}

function round(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}

/** The report as text. */
export function showReport(report: LineReport): string {
  const { source, line, protocol, heardS, bus, units, objects, texts } = report;
  const isAsked = units.length > 0 || bus["requests"]! + bus["responses"]! > 0;
  const isSaid = objects.length + texts.length > 0;
  const head = [
    `${source}: ${protocol}, ${line.baud} ${line.format}, heard for ${heardS} s`,
    "",
    "bus",
    `  duty cycle     ${bus["dutyPercent"]} %`,
    `  octets         ${bus["octets"]}, of them ${bus["junk"]} outside frames, ` +
      `${bus["flagged"]} flagged`,
    ...(isAsked || !isSaid ? showTurns(bus) : [`  telegrams      ${bus["frames"]}`]),
  ];
  const more = bus["left"] === 0 ? [] : [`  ${bus["left"]} entries found their table full`];
  const told = [...units.flatMap(showUnit), ...showObjects(objects), ...showTexts(texts)];
  return [...head, ...more, ...told].join("\n");
}

function showTurns(bus: LineReport["bus"]): string[] {
  return [
    `  transactions   ${bus["pairs"]} answered, ${bus["unanswered"]} unanswered, ` +
      `${bus["broadcasts"]} broadcast, ${bus["orphans"]} answers without request`,
    `  exceptions     ${bus["exceptions"]}`,
    `  noise at turns ${bus["junkPerTurn"]} octets for each frame`,
  ];
}

function showUnit({
  unit,
  answered,
  unanswered,
  answerMs,
  polls,
  registers,
}: UnitReport): string[] {
  const name = unit === 0 ? "all units (broadcast)" : `unit ${unit}`;
  const answers = answerMs === null ? "" : `, in ${answerMs.min} to ${answerMs.max} ms`;
  const rows = polls.map((poll) => [
    `  ${kindOfCode(poll.fc)}`,
    poll.quantity === 0 ? "" : `${poll.address}`,
    poll.quantity === 0 ? "" : `x ${poll.quantity}`,
    poll.periodMs === null ? "once" : `every ${poll.periodMs} ms`,
    describeOutcome(poll),
  ]);
  return [
    ...["", `${name}: ${answered} answered, ${unanswered} unanswered${answers}`],
    ...table(rows),
    ...table(joinStill(registers).map(showRegisters)),
  ];
}

// Neighbours that never moved and were never written stand in one row.
function joinStill(registers: readonly RegisterReport[]): RegisterReport[][] {
  const rows: RegisterReport[][] = [];
  for (const register of registers) {
    const before = rows.at(-1)?.at(-1);
    const follows = before?.table === register.table && before.address + 1 === register.address;
    if (follows && isStill(before) && isStill(register)) rows.at(-1)!.push(register);
    else rows.push([register]);
  }
  return rows;
}

function isStill({ changes, writes }: RegisterReport): boolean {
  return changes === 0 && writes === 0;
}

function showRegisters(row: readonly RegisterReport[]): string[] {
  const [first] = row;
  const { table: name, address, value, min, max, changes, writes, types } = first!;
  if (row.length > 1) {
    const values = row.slice(0, STILL_SHOWN_MAX).map((each) => each.value);
    const more = row.length > STILL_SHOWN_MAX ? " …" : "";
    return [`  ${name}`, `${address}..${address + row.length - 1}`, `${values.join(" ")}${more}`];
  }
  return [
    ...[`  ${name}`, `${address}`, `${value}`],
    min === max ? "" : `${min}..${max}`,
    changes === 0 ? "" : `${changes} changes`,
    writes === 0 ? "" : `${writes} writes`,
    types.join(", "),
  ];
}

function describeOutcome({ answered, unanswered, broadcasts, exceptions }: PollReport): string {
  const failed = Object.values(exceptions).reduce((all, each) => all + each, 0);
  const parts = [
    answered > failed && `${answered - failed} answered`,
    unanswered > 0 && `${unanswered} unanswered`,
    broadcasts > 0 && `${broadcasts} sent`,
    ...Object.entries(exceptions).map(([reason, count]) => `exception ${reason}: ${count}`),
  ];
  return parts.filter((part) => part !== false).join(", ");
}
