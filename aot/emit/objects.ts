// SPDX-License-Identifier: MIT
// Memory as C objects: accesses that may meet share one.
//
// gcc then knows which accesses are independent, as it does in C by hand. An object is declared extern and
// placed on X_memory by the assembler, so that the host's view of memory stays whole. Only code of this module
// that never mixes X_memory with objects may rely on it: X_init ends with a barrier, and what goes between host
// and module is noipa, so that neither is optimised together with the other.
//
//   all accesses of one size, aligned    ► array of that type, or a variable
//   variables close to each other        ► members of a struct: one base address
//   anything else                        ► octets, from a multiple of 8 on

import type { Load, Statement, Store } from "../ir.ts";
import { eachExpression, eachStatement } from "../walk.ts";
import type { BulkSpans } from "../analyse/evaluate.ts";
import type { AccessFact, Shape } from "./writer.ts";

export interface MemoryObject {
  start: number;
  end: number;
  element: number; // octets of one; 1 when mixed
  mixed: boolean;
  signs: number; // of its loads: SIGNED, UNSIGNED, both or none
  name: string; // in C; of a member with its struct's
  declaration: string; // without `extern`; empty for members but the first
}

/** Objects in the order of their addresses. */
export type MemoryObjects = readonly MemoryObject[];

interface Facts {
  facts: ReadonlyMap<object, AccessFact>;
  spans: ReadonlyMap<object, BulkSpans>;
}

type Span = Pick<MemoryObject, "start" | "end" | "element" | "mixed" | "signs">;

const SIGNED = 1;
const UNSIGNED = 2;
const OCTETS_AT = 8; // mixed objects start at a multiple, so that offset and address agree in alignment
const STRUCT_BYTES_MAX = 124; // reach of a Cortex-M0+ load with an immediate offset
const STRUCT_GAP_MAX = 16;

/** The objects of what is left of a module; none when all of memory is one. */
export function memoryObjects(
  bodies: readonly (readonly Statement[])[],
  prefix: string,
  bytes: number,
  known: Facts,
): MemoryObjects {
  const spans = spansOf(bodies, bytes, known);
  const merged = mergeSpans(spans).map((span) => ({ ...span, end: Math.min(span.end, bytes) }));
  return nameObjects(merged, prefix, reachesAnywhere(bodies, known));
}

// A wide access through a pointer is no alias of a smaller object to gcc, so then no size may be told.
function reachesAnywhere(bodies: readonly (readonly Statement[])[], known: Facts): boolean {
  let found = false;
  const access = (node: object): void => {
    found ||= known.facts.get(node)?.inBounds !== true;
  };
  for (const body of bodies)
    eachStatement(body, (statement) => {
      if (statement.kind === "bulk") found ||= known.spans.get(statement)?.inBounds !== true;
      if (statement.kind === "store") access(statement);
      eachExpression(statement, (node) => {
        if (node.kind === "load") access(node);
      });
    });
  return found;
}

// What may go out of bounds is in no object: it goes through a pointer that may reach all of them.
function spansOf(
  bodies: readonly (readonly Statement[])[],
  bytes: number,
  { facts, spans: bulks }: Facts,
): Span[] {
  const spans: Span[] = [];
  const access = (node: Load | Store): void => {
    const fact = facts.get(node);
    if (fact?.inBounds !== true) return;
    const { first: start, last, aligned: isAligned } = fact;
    const { bytes: element } = node;
    const signs = node.kind === "store" ? 0 : node.signed ? SIGNED : UNSIGNED;
    spans.push({ start, end: Math.min(last + element, bytes), element, mixed: !isAligned, signs });
  };
  for (const body of bodies)
    eachStatement(body, (statement) => {
      if (statement.kind === "bulk") spans.push(...bulkSpans(bulks.get(statement)));
      if (statement.kind === "store") access(statement);
      eachExpression(statement, (node) => {
        if (node.kind === "load") access(node);
      });
    });
  return spans;
}

function bulkSpans(ranges: BulkSpans | undefined): Span[] {
  if (ranges?.inBounds !== true) return [];
  return [ranges.target, ranges.source].flatMap((range) =>
    range !== undefined && range[1] > range[0] ? [octets(range)] : [],
  );
}

const ANY_ELEMENT = 0; // octets that go as well with elements of any size

function octets([start, end]: readonly [number, number]): Span {
  return { start, end, element: ANY_ELEMENT, mixed: false, signs: 0 };
}

function mergeSpans(spans: readonly Span[]): Span[] {
  let list = mergeOnce(spans);
  for (;;) {
    const next = mergeOnce(list.map(aligned));
    if (next.length === list.length && next.every((span, i) => sameSpan(span, list[i]!)))
      return next;
    list = next;
  }
}

function sameSpan(a: Span, b: Span): boolean {
  return a.start === b.start && a.end === b.end && a.mixed === b.mixed;
}

function mergeOnce(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push({ ...span });
    else {
      last.end = Math.max(last.end, span.end);
      const differ = span.element !== last.element;
      const both = span.element !== ANY_ELEMENT && last.element !== ANY_ELEMENT;
      last.mixed ||= span.mixed || (differ && both);
      last.element = Math.max(last.element, span.element);
      last.signs |= span.signs;
    }
  }
  return merged;
}

// A span that is no whole number of its elements is mixed, and a mixed one starts early enough.
function aligned(span: Span): Span {
  const some = span.element !== ANY_ELEMENT;
  const whole =
    some && span.start % span.element === 0 && (span.end - span.start) % span.element === 0;
  if (!span.mixed && whole) return span;
  return { ...span, mixed: true, element: 1, start: span.start - (span.start % OCTETS_AT) };
}

function nameObjects(spans: readonly Span[], prefix: string, open: boolean): MemoryObject[] {
  const objects: MemoryObject[] = [];
  for (let i = 0; i < spans.length;) {
    const count = membersFrom(spans, i);
    const group = spans.slice(i, i + count);
    const name = `${prefix}_at${group[0]!.start}`;
    if (count > 1) objects.push(...structOf(group, name, open));
    else objects.push(plainObject(group[0]!, name, open));
    i += count;
  }
  return objects;
}

function plainObject(span: Span, name: string, open: boolean): MemoryObject {
  const { start, end, element, mixed } = span;
  const count = (end - start) / element;
  const size = open ? "" : String(count);
  if (mixed) {
    const declaration = `uint8_t ${name}[${size}] __attribute__((aligned(${OCTETS_AT})))`;
    return { ...span, name, declaration };
  }
  const type = elementType(span);
  if (count > 1) return { ...span, name, declaration: `${type} ${name}[${size}]` };
  if (!open) return { ...span, name, declaration: `${type} ${name}` };
  return { ...span, name: `${name}[0]`, declaration: `${type} ${name}[]` };
}

// As its loads extend it: a value that is loaded and stored again is then one value to gcc, not two.
function elementType({ element, signs }: Span): string {
  return `${signs === SIGNED ? "int" : "uint"}${element * 8}_t`;
}

const isVariable = ({ start, end, element, mixed }: Span): boolean =>
  !mixed && end - start === element && element <= 4;

// The largest power of two, up to 8, that a number is a multiple of.
const alignmentOf = (value: number): number => (value % 8 === 0 ? 8 : value & -value);

// How many variables from one on become a struct.
function membersFrom(spans: readonly Span[], first: number): number {
  const head = spans[first]!;
  if (!isVariable(head)) return 1;
  let count = 1;
  for (; first + count < spans.length; count++) {
    const span = spans[first + count]!;
    const offset = span.start - head.start;
    const gap = span.start - spans[first + count - 1]!.end;
    if (!isVariable(span) || span.end - head.start > STRUCT_BYTES_MAX || gap > STRUCT_GAP_MAX)
      break;
    if (Math.min(alignmentOf(head.start), alignmentOf(offset)) < span.element) break;
  }
  return count;
}

function structOf(group: readonly Span[], name: string, open: boolean): MemoryObject[] {
  const { start } = group[0]!;
  const members: string[] = [];
  let at = start;
  for (const span of group) {
    if (span.start > at) members.push(`uint8_t gap${at}[${span.start - at}];`);
    members.push(`${elementType(span)} at${span.start};`);
    at = span.end;
  }
  const attributes = `__attribute__((packed, aligned(${alignmentOf(start)})))`;
  const declaration = `struct ${attributes} { ${members.join(" ")} } ${name}${open ? "[]" : ""}`;
  return group.map((span, i) => ({
    ...span,
    name: `${name}${open ? "[0]" : ""}.at${span.start}`,
    declaration: i === 0 ? declaration : "",
  }));
}

/** The object that an address is in. */
export function objectAt(objects: MemoryObjects, address: number): MemoryObject | undefined {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (objects[middle]!.end <= address) low = middle + 1;
    else high = middle;
  }
  const found = objects[low];
  return found !== undefined && found.start <= address ? found : undefined;
}

/** Declarations, each placed on memory. */
export function objectText({ objects, names }: Shape): string {
  return objects
    .filter(({ declaration }) => declaration !== "")
    .map(({ declaration, name, start }) => {
      const symbol = /^\w+/.exec(name)![0];
      return `extern __attribute__((visibility("hidden"))) ${declaration};
__asm__(".globl ${symbol}; .hidden ${symbol}; .set ${symbol}, ${names.memory} + ${start}");`;
    })
    .join("\n");
}
