// SPDX-License-Identifier: MIT
// Lines of text by their shape: where numbers stand, and where words.
//
// Lines that differ in numbers (with sign and the blanks before it), words and the count of blanks alone are of one shape: they
// have the same cells, in the same order. A blank counts between two words only: nothing else needs it. Cells of a sentence of
// NMEA 0183 stand between its commas; any may be empty. Bounded: of a shape the latest lines are kept.

const SAMPLES_KEPT = 256; // of a shape: enough for its words and widths

/** Lines of one shape. */
export interface Shape {
  text: string; // the latest line
  times: number;
  firstUs: number;
  lastUs: number;
  samples: string[]; // the latest SAMPLES_KEPT, in no order
}

export type CellKind = "number" | "word" | "blank" | "other" | "field";

/** A part of a line; a field is what stands between commas. */
export interface Cell {
  kind: CellKind;
  text: string;
  apart: boolean; // a blank that does not count stands before it
}

const CUTS = /(?<number>[+-]? *\d+(?:\.\d+)?)|(?<word>[A-Za-z%]+)|(?<blank> +)|(?<other>.)/gsu;
const SENTENCE = /^[$!][A-Z0-9]{3,9},.*\*[0-9A-Fa-f]{2}$/;
const MARKS = { number: "\u0001", word: "\u0002", blank: " ", field: "\u0003" };

export function createShape(text: string, atUs: number): Shape {
  return { text, times: 0, firstUs: atUs, lastUs: atUs, samples: [] };
}

/** One more line of it. */
export function addLine(shape: Shape, text: string, atUs: number): void {
  shape.text = text;
  shape.samples[shape.times % SAMPLES_KEPT] = text;
  shape.times++;
  shape.lastUs = atUs;
}

/** What lines of its shape have in common. */
export function shapeKey(text: string): string {
  return cellsOf(text)
    .map((cell) => (cell.kind === "other" ? cell.text : MARKS[cell.kind]))
    .join("");
}

/** The parts of a line; those of a sentence begin with its name. */
export function cellsOf(text: string): Cell[] {
  if (SENTENCE.test(text)) return sentenceCells(text);
  const cells = [...text.matchAll(CUTS)].map(({ groups }): Cell => {
    const [kind, cut] = Object.entries(groups!).find(([, found]) => found !== undefined)!;
    return { kind: kind as CellKind, text: cut, apart: false };
  });
  const isWord = (at: number): boolean => cells[at]?.kind === "word";
  return cells.flatMap((cell, i): Cell[] => {
    if (cell.kind === "blank" && !(isWord(i - 1) && isWord(i + 1))) return [];
    return [{ ...cell, apart: cells[i - 1]?.kind === "blank" && !(isWord(i - 2) && isWord(i)) }];
  });
}

function sentenceCells(text: string): Cell[] {
  const cell = (kind: CellKind, own: string): Cell => ({ kind, text: own, apart: false });
  const [name = "", ...fields] = text.slice(0, -3).split(",");
  return [
    cell("other", name),
    ...fields.flatMap((field) => [cell("other", ","), cell("field", field)]),
    ...[cell("other", "*"), cell("field", text.slice(-2))],
  ];
}
