// SPDX-License-Identifier: MIT
// What taps found out, by node and tap: the latest of each row.
//
// Spec: SPEC.md §16. Bounded as the node's own table. A new boot starts anew, since the node's loop may have;
// what a node no longer says is left with the time at which it was said last. In memory alone: a hub that
// starts has all of it again within a minute.

import { INVENTORY_POLLS_MAX, INVENTORY_REGISTERS_MAX } from "../firmware/limits.ts";
import { LINE_FORMATS, LINE_PHASES, LINE_PROTOCOLS } from "../firmware/wire/line-names.ts";
import type { LearnedPoll, LearnedRegister, LearnedUnit, LineView, TapInventory } from "./api.ts";
import type { Findings, LineItem, PollItem, RegisterItem, TotalsItem } from "./decode-findings.ts";
import { TAPS_MAX } from "./limits.ts";

export interface TapFindings {
  line: LineItem | null;
  registers: Map<number, RegisterItem & { atMs: number }>;
  polls: Map<string, PollItem & { atMs: number }>;
  totals: TotalsItem | null;
  atMs: number;
}

export interface NodeFindings {
  boot: number;
  taps: Map<number, TapFindings>;
}

const CODE_WRITES_MIN = 5; // codes 1 to 4 read
const CODE_READS = 4;

export function createFindings(): NodeFindings {
  return { boot: -1, taps: new Map() };
}

/** Takes a message; false: it is of an earlier boot. */
export function takeFindings(all: NodeFindings, findings: Findings, wallMs: number): boolean {
  if (findings.boot < all.boot) return false;
  if (findings.boot > all.boot) {
    all.boot = findings.boot;
    all.taps.clear();
  }
  for (const item of findings.items) {
    const tap = tapOf(all, item.tap);
    tap.atMs = wallMs;
    if (item.form === "line") tap.line = item;
    else if (item.form === "totals") tap.totals = item;
    else if (item.form === "register") {
      const key = registerKey(item);
      if (tap.registers.has(key) || tap.registers.size < INVENTORY_REGISTERS_MAX)
        tap.registers.set(key, { ...item, atMs: wallMs });
    } else {
      const key = `${registerKey(item)}/${item.quantity}`;
      if (tap.polls.has(key) || tap.polls.size < INVENTORY_POLLS_MAX)
        tap.polls.set(key, { ...item, atMs: wallMs });
    }
  }
  return true;
}

function registerKey({ unit, code, address }: RegisterItem | PollItem): number {
  return (unit * 128 + code) * 65_536 + address;
}

function tapOf({ taps }: NodeFindings, number: number): TapFindings {
  let tap = taps.get(number);
  if (tap === undefined) {
    tap = { line: null, registers: new Map(), polls: new Map(), totals: null, atMs: 0 };
    if (taps.size < TAPS_MAX) taps.set(number, tap);
  }
  return tap;
}

/** What the line is; null: the tap does not look for it. */
export function lineView(all: NodeFindings, tap: number): LineView | null {
  const line = all.taps.get(tap)?.line ?? null;
  if (line === null) return null;
  return {
    baud: line.baud === 0 ? null : line.baud,
    format: LINE_FORMATS[line.format] || null,
    inverted: line.inverted,
    protocol: LINE_PROTOCOLS[line.protocol] || null,
    confidence: line.confidence / 100,
    coverage: line.coverage / 100,
    phase: LINE_PHASES[line.phase] ?? "listening",
    frames: line.frames,
    edges: line.edges,
  };
}

/** Registers learned so far; 0: none, or the tap does not learn. */
export function learnedCount(all: NodeFindings, tap: number): number {
  return all.taps.get(tap)?.registers.size ?? 0;
}

/** Everything learned of a tap, in order of unit, table and address. */
export function inventoryOf(
  all: NodeFindings,
  node: string,
  name: string,
  tap: number,
): Omit<TapInventory, "proposed"> {
  const found = all.taps.get(tap);
  const registers = [...(found?.registers.values() ?? [])].sort(byAddress);
  const polls = [...(found?.polls.values() ?? [])].sort(byAddress);
  const units = [...new Set([...polls, ...registers].map(({ unit }) => unit))].sort(
    (a, b) => a - b,
  );
  return {
    node,
    tap: name,
    atMs: found?.atMs ?? null,
    line: lineView(all, tap),
    units: units.map((unit) => unitOf(unit, polls, registers)),
    registers: registers.map((row): LearnedRegister => {
      const { unit, code, address, value, min, max, writes, changes, samples, atMs } = row;
      const likely = code > 2 ? likelyType(row, found?.registers) : "bits";
      return { unit, code, address, value, min, max, writes, changes, samples, likely, atMs };
    }),
    polls: polls.map(pollView),
    registersLeftOut: found?.totals?.registersLeftOut ?? 0,
    pollsLeftOut: found?.totals?.pollsLeftOut ?? 0,
  };
}

function pollView(poll: PollItem & { atMs: number }): LearnedPoll {
  const { unit, code, address, quantity, reason, answered, exceptions, unanswered } = poll;
  const { periodMs, answerUs, answerUsMax, atMs } = poll;
  const counts = { answered, exceptions, unanswered };
  return {
    unit,
    code,
    address,
    quantity,
    reason,
    ...counts,
    periodMs,
    answerUs,
    answerUsMax,
    atMs,
  };
}

function byAddress(a: RegisterItem | PollItem, b: RegisterItem | PollItem): number {
  return registerKey(a) - registerKey(b);
}

function unitOf(unit: number, polls: PollItem[], registers: RegisterItem[]): LearnedUnit {
  const own = polls.filter((poll) => poll.unit === unit);
  const sum = (of: (poll: PollItem) => number): number =>
    own.reduce((all, one) => all + of(one), 0);
  const answered = own.filter((poll) => poll.answered > 0);
  return {
    unit,
    registers: registers.filter((row) => row.unit === unit).length,
    polls: own.filter(({ code }) => code <= CODE_READS).length,
    answered: sum((poll) => poll.answered),
    exceptions: sum((poll) => poll.exceptions),
    unanswered: sum((poll) => poll.unanswered),
    writes: own.filter(isWrite).reduce((all, one) => all + one.answered, 0),
    answerUs: answered.length === 0 ? null : Math.max(...answered.map((poll) => poll.answerUs)),
    answerUsMax:
      answered.length === 0 ? null : Math.max(...answered.map((poll) => poll.answerUsMax)),
  };
}

function isWrite({ code }: PollItem): boolean {
  return code >= CODE_WRITES_MIN && [5, 6, 15, 16, 22, 23].includes(code);
}

const QUARTER = 16_384; // of the range of a register
const FLOAT_MIN = 1e-5; // smaller measured values are written in another unit
const FLOAT_MAX = 1e8;

/**
 * What a register plausibly holds, from its range: i16 when it was on both sides of zero; f32 with the next
 * register when both orders of words but one give no usual number. Evidence, no proof.
 */
function likelyType(
  row: RegisterItem,
  registers: ReadonlyMap<number, RegisterItem> | undefined,
): LearnedRegister["likely"] {
  const next = registers?.get(registerKey(row) + 1);
  if (next !== undefined && next.code === row.code && row.changes + next.changes > 0) {
    const high = isUsualFloat(row.value, next.value);
    const low = isUsualFloat(next.value, row.value);
    if (high !== low) return high ? "f32 ABCD" : "f32 CDAB";
  }
  return row.min < QUARTER && row.max >= 3 * QUARTER ? "i16" : "u16";
}

function isUsualFloat(high: number, low: number): boolean {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, high);
  view.setUint16(2, low);
  const size = Math.abs(view.getFloat32(0));
  return size >= FLOAT_MIN && size <= FLOAT_MAX;
}
