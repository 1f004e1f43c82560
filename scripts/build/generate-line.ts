// SPDX-License-Identifier: MIT
// Compiles the line patterns of node.json into what loop matches.
//
// Spec: SPEC.md §13; steps and rows as in firmware/loop/tap/match.ts. A pattern is text: a blank stands for
// any number of blanks, {name} for a number or a word, {} for anything up to what follows, {name:8} and
// {:3} for exactly so many octets, {!name} for a number that is none in this line, {{ for a brace; everything else
// stands for itself.

import { LINE_FIELDS_MAX, LINE_PROGRAM_BYTES_MAX } from "../../firmware/limits.ts";
import {
  CAUSE_NO_INPUT,
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  CAUSE_OPEN_WIRE,
  CAUSE_OVER_RANGE,
  CAUSE_STALE,
  CAUSE_UNDER_RANGE,
  QUALITY_BAD,
  QUALITY_GOOD,
  QUALITY_UNCERTAIN,
} from "../../firmware/wire/record.ts";
import type { Row } from "./loop-table.ts";
import type { LineTap, Word } from "./line-taps.ts";

// In the order of LINE_* in firmware/loop/tap/match.ts.
const [END, BLANKS, LITERAL, NUMBER, WORDS, SKIP] = [0, 1, 2, 3, 4, 5];
const WIDTH_MAX = 80; // LINE_BYTES_MAX
const CHECK_NMEA = 256; // of LineRow.terminator, tick/lines.ts
const ENDS = { CRLF: 10, CR: 13, LF: 10, ETX: 3 };
const SAYS = {
  uncertain: [QUALITY_UNCERTAIN, CAUSE_NONE],
  "over-range": [QUALITY_BAD, CAUSE_OVER_RANGE],
  "under-range": [QUALITY_BAD, CAUSE_UNDER_RANGE],
  "not-a-number": [QUALITY_BAD, CAUSE_NOT_A_NUMBER],
  "open-wire": [QUALITY_BAD, CAUSE_OPEN_WIRE],
  stale: [QUALITY_BAD, CAUSE_STALE],
  "no-input": [QUALITY_BAD, CAUSE_NO_INPUT],
} as const;

type Step =
  | { kind: "blanks" }
  | { kind: "literal"; octet: number }
  | { kind: "field"; name: string; width: number }
  | { kind: "skip"; width: number }
  | { kind: "absent"; name: string };
type Parsed<T> = { ok: true; value: T } | { ok: false; message: string };

/** Names of the fields of a pattern in order, or what is wrong with it and at which character. */
export function patternFields(pattern: string, words: Record<string, unknown>): Parsed<string[]> {
  const parsed = parsePattern(pattern);
  if (!parsed.ok) return parsed;
  const steps = { value: parsed.value.filter(({ kind }) => kind !== "absent") };
  const refuse = (message: string) => ({ ok: false as const, message });
  const fields = steps.value.flatMap((s) => (s.kind === "field" ? [s.name] : []));
  const twice = fields.find((name, i) => fields.indexOf(name) < i);
  if (twice !== undefined) return refuse(`the field "${twice}" stands here a second time`);
  if (fields.length > LINE_FIELDS_MAX) return refuse(`at most ${LINE_FIELDS_MAX} fields`);
  const size = programOf(steps.value, (name) => (name in words ? { first: 0, count: 0 } : null));
  if (size.length > LINE_PROGRAM_BYTES_MAX) return refuse("too long: a line has 80 octets at most");
  for (const [i, step] of steps.value.entries()) {
    const next = steps.value[i + 1];
    if (step.kind === "field" && step.name in words && step.width > 0)
      return refuse(`"${step.name}" is a word, which has the length of its words: no ":"`);
    if (step.kind === "skip" && step.width === 0 && next !== undefined && next.kind !== "literal")
      return refuse("{} ends at the character that follows it: put one there, or give {:3}");
    if (isOpenNumber(step, words) && next?.kind === "field" && !(next.name in words))
      return refuse(`nothing parts "${nameOf(step)}" from "${next.name}": give {name:8} its width`);
  }
  return { ok: true, value: fields };
}

/** Names of the numbers that a sound pattern says are none. */
export function absentFields(pattern: string): string[] {
  const steps = parsePattern(pattern);
  return steps.ok ? steps.value.flatMap((s) => (s.kind === "absent" ? [s.name] : [])) : [];
}

function isOpenNumber(step: Step, words: Record<string, unknown>): boolean {
  return step.kind === "field" && step.width === 0 && !(step.name in words);
}

function nameOf(step: Step): string {
  return step.kind === "field" ? step.name : "";
}

function parsePattern(pattern: string): Parsed<Step[]> {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const refuse = (message: string) => ({
      ok: false as const,
      message: `character ${at + 1}: ${message}`,
    });
    const octet = pattern.charCodeAt(at);
    if (octet > 0xff) return refuse(`"${pattern[at]}" is no octet: a line carries 0 to 255`);
    if (pattern[at] === " ") {
      if (steps.at(-1)?.kind !== "blanks") steps.push({ kind: "blanks" });
    } else if (pattern[at] !== "{" || pattern[at + 1] === "{") {
      steps.push({ kind: "literal", octet });
      if (pattern[at] === "{") at++;
    } else {
      const close = pattern.indexOf("}", at);
      if (close < 0) return refuse('"}" is missing; a brace of the line itself is written {{');
      const step = fieldStep(pattern.slice(at + 1, close));
      if (step === null)
        return refuse(
          `"${pattern.slice(at, close + 1)}" is no field; {weight}, {weight:8}, {!weight}, {} are`,
        );
      steps.push(step);
      at = close;
    }
  }
  return steps.length === 0
    ? { ok: false, message: "an empty pattern fits nothing" }
    : { ok: true, value: steps };
}

// What stands between braces; null: nothing that is known.
function fieldStep(text: string): Step | null {
  const found = /^(!)?([A-Za-z0-9][A-Za-z0-9_-]*)?(?::([1-9][0-9]?))?$/.exec(text);
  const [, absent, name, digits] = found ?? [];
  const width = Number(digits ?? 0);
  if (found === null || width > WIDTH_MAX) return null;
  if (absent !== undefined)
    return name === undefined || width > 0 ? null : { kind: "absent", name };
  return name === undefined ? { kind: "skip", width } : { kind: "field", name, width };
}

type FindWords = (name: string) => { first: number; count: number } | null;

function programOf(steps: Step[], wordsOf: FindWords): number[] {
  let field = 0;
  const octets = steps.flatMap((step) => {
    if (step.kind === "blanks") return [BLANKS!];
    if (step.kind === "literal") return [LITERAL!, step.octet];
    if (step.kind === "skip") return [SKIP!, step.width];
    if (step.kind === "absent") return [];
    const words = wordsOf(step.name);
    return words === null
      ? [NUMBER!, field++, step.width]
      : [WORDS!, field++, words.first, words.count];
  });
  return [...octets, END!];
}

export interface LineTables {
  lines: Row[]; // LineRow, tick/lines.ts
  patterns: Row[]; // PatternRow, tick/lines.ts
  patternNames: string[]; // `tap/pattern`, in their order
  words: Row[]; // WordRow, tap/match.ts
  program: number[];
}

/** Tables of all taps of lines; `taps` are those of a checked node.json. */
export function lineTables(taps: [string, LineTap, number][]): LineTables {
  const all: LineTables = { lines: [], patterns: [], patternNames: [], words: [], program: [] };
  for (const [name, tap, order] of taps) {
    const terminator = ENDS[tap.end] + (tap.check === "nmea" ? CHECK_NMEA : 0);
    const fields = [order, characterUs(tap), terminator, tap.end === "CRLF" ? 1 : 0];
    const lists = new Map<string, { first: number; count: number }>();
    for (const [key, list] of Object.entries(tap.words)) {
      lists.set(key, { first: all.words.length, count: Object.keys(list).length });
      for (const [word, says] of Object.entries(list))
        all.words.push({ name: `${name}/${key}`, fields: wordFields(word, says) });
    }
    for (const [key, pattern] of Object.entries(tap.patterns)) {
      const steps = parsePattern(pattern);
      if (!steps.ok) throw new Error(`an unchecked pattern: ${steps.message}`);
      const row = { name: `${name}/${key}`, fields: [all.lines.length, all.program.length] };
      all.patterns.push(row);
      all.patternNames.push(row.name);
      all.program.push(...programOf(steps.value, (field) => lists.get(field) ?? null));
    }
    all.lines.push({ name, fields });
  }
  return all;
}

function characterUs({ baud, format }: LineTap): number {
  return Math.ceil(((format === "8N1" || format.startsWith("7") ? 10 : 11) * 1e6) / baud);
}

function wordFields(word: string, says: Word): number[] {
  const octets = Buffer.alloc(8);
  octets.write(word, "latin1");
  const { value, others, power = 0, negative = false } = wordMeaning(says);
  const quality = others === undefined ? [QUALITY_GOOD, CAUSE_NONE] : SAYS[others];
  const scaling = (power << 1) | (negative ? 1 : 0);
  const length = word.length | (scaling << 8);
  return [octets.readInt32LE(0), octets.readInt32LE(4), length, value, ...quality];
}

/** A word with all that it may say. */
export function wordMeaning(says: Word): Exclude<Word, number> {
  return typeof says === "number" ? { value: says } : says;
}
