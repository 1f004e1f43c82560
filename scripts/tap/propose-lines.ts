// SPDX-License-Identifier: MIT
// Patterns and channels for lines of text that were heard.
//
// Spec: SPEC.md §13. A pattern for each shape of lines that says something: a number that moved, a word of several; where nothing
// moved, every number. Forms that are known (scales, NMEA 0183) have their own names, units and words. At most eight patterns,
// the most frequent first chosen; one with more that stands for itself is tried first.

import { LINE_PATTERNS_MAX, NAME_BYTES_MAX } from "../../firmware/limits.ts";
import { hasPlace, staleMsOf } from "../../hub/propose.ts";
import { columnsOf, isNumber, kindsOf, literal, partOf, type Column } from "./column.ts";
import { isUnitName, measureOf } from "./line-unit.ts";
import { joinPattern, labelOf, type Place } from "./pattern.ts";
import { scaleFormOf, weightName, type ScaleForm } from "./scale-form.ts";
import { sentenceCells, sentenceName, SENTENCE_WORDS, sentenceUnit } from "./sentence.ts";
import type { Shape } from "./shape.ts";

/** Of each field its words: what they say, or in a list their place. */
type Words = Record<string, Readonly<Record<string, unknown>> | readonly string[]>;

export interface ProposedLines {
  patterns: Record<string, string>;
  words: Record<string, Record<string, unknown>>;
  channels: Record<string, unknown>;
  left: number; // shapes and fields that found no place
}

interface Field {
  name: string;
  more: Record<string, unknown>; // of its channel
}

interface Candidate {
  name: string; // of the pattern; empty: none of its own
  pattern: string | undefined;
  words: Words;
  fields: Field[];
  periodMs: number;
}

/** Everything that the lines say; without channels where there is nothing. */
export function proposeLines(shapes: Iterable<Shape>, tap: string): ProposedLines {
  const found = [...shapes].sort((a, b) => b.times - a.times);
  const moved = found.flatMap((shape) => candidatesOf(shape, false));
  const told = moved.some(({ fields }) => fields.length > 0);
  const all = (told ? moved : found.flatMap((shape) => candidatesOf(shape, true))).filter(
    ({ fields }) => fields.length > 0,
  );
  const fit = all.filter(({ pattern }) => pattern !== undefined);
  const taken = fit.slice(0, LINE_PATTERNS_MAX).sort((a, b) => strictness(b) - strictness(a));
  const left = all.length - taken.length;
  const lines: ProposedLines = { patterns: {}, words: {}, channels: {}, left };
  for (const [i, candidate] of taken.entries())
    place(lines, candidate, { tap, alone: taken.length === 1, order: i + 1 });
  return lines;
}

// How much of a line it says: what is in no braces.
function strictness({ pattern }: Candidate): number {
  return pattern!.replace(/\{[^}]*\}| /g, "").length;
}

function place(
  lines: ProposedLines,
  { name, pattern, words, fields, periodMs }: Candidate,
  { tap, alone, order }: { tap: string; alone: boolean; order: number },
): void {
  const key = name !== "" && !(name in lines.patterns) ? name : `line${order}`;
  lines.patterns[key] = pattern!;
  for (const [field, list] of Object.entries(words)) addWords((lines.words[field] ??= {}), list);
  for (const { name: field, more } of fields) {
    const channel = (alone || key === field ? field : `${key}-${field}`).slice(0, NAME_BYTES_MAX);
    if (!hasPlace(lines.channels)) lines.left++;
    else
      lines.channels[channel] = {
        ...{ kind: "field", tap, pattern: key, field, ...more },
        ...(periodMs > 0 && { staleMs: staleMsOf(periodMs) }),
        deadband: 0,
      };
  }
}

// Patterns of one tap share their lists of words.
function addWords(known: Record<string, unknown>, list: Words[string]): void {
  if (isList(list)) for (const word of list) known[word] ??= Object.keys(known).length;
  else Object.assign(known, list);
}

function isList(list: Words[string]): list is readonly string[] {
  return Array.isArray(list);
}

function candidatesOf(shape: Shape, still: boolean): Candidate[] {
  const columns = columnsOf(shape);
  const periodMs = shape.times < 2 ? 0 : (shape.lastUs - shape.firstUs) / (shape.times - 1) / 1000;
  const form = scaleFormOf(columns);
  if (form !== undefined)
    return weightUnits(columns, form).map((unit) => ({
      ...weightCandidate(withUnit(columns, form, unit), form, unit),
      periodMs,
    }));
  const names = columns.some(({ kind }) => kind === "field")
    ? sentenceCells(columns[0]!.texts[0]!)
    : undefined;
  const candidate = names === undefined ? anyLine(columns, still) : sentence(columns, names);
  return candidate === undefined ? [] : [{ ...candidate, periodMs }];
}

function weightUnits(columns: readonly Column[], { unit }: ScaleForm): string[] {
  return [...new Set(columns[unit]!.texts)];
}

// The lines of that unit alone.
function withUnit(columns: readonly Column[], { unit }: ScaleForm, said: string): Column[] {
  const own = columns[unit]!.texts.map((text) => text === said);
  return columns.map((column) => ({ ...column, texts: column.texts.filter((_, i) => own[i]) }));
}

type Unplaced = Omit<Candidate, "periodMs">;

function weightCandidate(columns: readonly Column[], form: ScaleForm, unit: string): Unplaced {
  const weight = weightName(unit);
  const places = columns.map((column, i): Place => {
    const { apart } = column;
    if (i === form.weight) return { part: partOf(column, true), name: weight, apart };
    if (i === form.condition)
      return { part: { kind: "word", words: [], column }, name: "condition", apart };
    return { part: literal(column.texts[0]!), name: "", apart };
  });
  return {
    ...{ name: weight, pattern: joinPattern(places), words: { condition: form.words } },
    fields: [
      { name: weight, more: measureOf(columns[form.weight]!, isUnitName(unit) ? unit : "") },
      { name: "condition", more: {} },
    ],
  };
}

// Cells with a name have a value; only sentences with all fixed cells as they should be are asked.
function sentence(all: readonly Column[], names: readonly string[]): Unplaced | undefined {
  const cells = all.map((_, i) => names[(i - 2) / 2] ?? "-"); // head, comma, cell, comma, cell
  const fixed = cells.flatMap((name, i) => (/^[A-Z]$/.test(name) ? [i] : []));
  const own = all[0]!.texts.map((_, line) => fixed.every((i) => all[i]!.texts[line] === cells[i]));
  const columns = all.map((one) => ({ ...one, texts: one.texts.filter((_, i) => own[i]) }));
  if (columns[0]!.texts.length === 0) return undefined;
  const words: Words = {};
  const fields: Field[] = [];
  const places = columns.map((column, i): Place => {
    const name = cells[i]!;
    const list = SENTENCE_WORDS[name];
    const valued = name !== "-" && column.kind === "field";
    const place = (part: Place["part"]): Place => ({ part, name, apart: false });
    if (valued && fixed.includes(i)) return place(literal(name));
    if (valued && list !== undefined) {
      words[name] = list;
      fields.push({ name, more: {} });
      return place({ kind: "word", words: Object.keys(list), column });
    }
    if (!valued || !isNumber(column)) return place(partOf(column, false));
    fields.push({ name, more: measureOf(column, sentenceUnit(name)) });
    return place(partOf(column, true));
  });
  const pattern = joinPattern(places);
  return { name: sentenceName(columns[0]!.texts[0]!), pattern, words, fields };
}

function anyLine(columns: readonly Column[], still: boolean): Unplaced | undefined {
  const isWanted = (column: Column): boolean =>
    isNumber(column) && column.texts.every((text) => text !== "") && (still || kindsOf(column) > 1);
  const numbers = columns.filter(isWanted).length;
  const fields: Field[] = [];
  const words: Words = {};
  const taken = new Set<string>();
  const nameIt = (wish: string): string => {
    const name = taken.has(wish) || /^word\d*$/.test(wish) ? `${wish}-${taken.size + 1}` : wish;
    taken.add(name);
    return name;
  };
  const places = columns.map((column, i): Place => {
    const part = partOf(column, isWanted(column));
    let name = "";
    if (part.kind === "number") {
      name = nameIt(labelOf(columns, i) ?? (numbers === 1 ? "value" : `value${fields.length + 1}`));
      fields.push({ name, more: measureOf(column, unitBehind(columns, i)) });
    } else if (part.kind === "word") {
      taken.add((name = `word${Object.keys(words).length + 1}`));
      words[name] = [...part.words].sort();
      fields.push({ name, more: {} });
    }
    return { part, name, apart: column.apart };
  });
  if (fields.length === 0) return undefined;
  return { name: "", pattern: joinPattern(places), words, fields };
}

function unitBehind(columns: readonly Column[], at: number): string {
  const [next, after] = [columns[at + 1], columns[at + 2]];
  if (next === undefined || kindsOf(next) !== 1) return "";
  if (next.kind === "word") return next.texts[0]!;
  return next.texts[0] === "\u00b0" && after !== undefined ? `\u00b0${after.texts[0]}` : "";
}
