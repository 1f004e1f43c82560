// SPDX-License-Identifier: MIT
// The pattern that takes the lines of a shape.
//
// Spec: SPEC.md §13. A shape has none where the language of patterns cannot say it: parts that nothing ends, more than eight fields.

import { LINE_FIELDS_MAX } from "../../firmware/limits.ts";
import { constantWidth, type Column, type Part } from "./column.ts";

/** A part with the name of its field; parts without a value need none. */
export interface Place {
  part: Part;
  name: string;
  apart: boolean; // blanks may stand before it
}

/** A pattern of node.json; undefined: there is none for these parts. */
export function joinPattern(places: readonly Place[]): string | undefined {
  const fields = places.filter(({ part }) => part.kind === "number" || part.kind === "word");
  if (fields.length > LINE_FIELDS_MAX) return undefined;
  let text = "";
  for (const [i, { part, name, apart }] of places.entries()) {
    const next = places[i + 1];
    if (apart) text += " ";
    if (part.kind === "literal") text += part.text;
    else if (part.kind === "word") text += `{${name}}`;
    else if (part.kind === "number") {
      const width = runsOn(next) ? constantWidth(part.column.texts) : part.width;
      if (width === 0 && runsOn(next)) return undefined;
      text += width === 0 ? `{${name}}` : `{${name}:${width}}`;
    } else if (endsSkip(next)) text += "{}";
    else if (part.width > 0) text += `{:${part.width}}`;
    else return undefined;
  }
  return text;
}

// A number that another one follows: only its width ends it.
function runsOn(next: Place | undefined): boolean {
  return next?.part.kind === "number";
}

function endsSkip(next: Place | undefined): boolean {
  if (next === undefined) return true;
  return !next.apart && next.part.kind === "literal" && !/^[ \d.]/.test(next.part.text);
}

/** A name of node.json made of a text; an empty text: none is left of it. */
export function nameOf(text: string): string {
  return text
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase()
    .slice(0, 24);
}

/** A word before a number, as its label; undefined: there is none. */
export function labelOf(columns: readonly Column[], at: number): string | undefined {
  const isSign = /^[=:]$/.test(columns[at - 1]?.texts[0] ?? "");
  const label = columns[isSign ? at - 2 : at - 1];
  if (label?.kind !== "word" || constantWords(label) !== 1) return undefined;
  return nameOf(label.texts[0]!) || undefined;
}

function constantWords({ texts }: Column): number {
  return new Set(texts).size;
}
