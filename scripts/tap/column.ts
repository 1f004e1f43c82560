// SPDX-License-Identifier: MIT
// What stands in one place of all lines of a shape, as part of a pattern.
//
// Spec: SPEC.md §13. A pattern has to fit every line that was heard, and lines like them: a number has a width only where zeros or
// blanks fill it up, a word that was always the same stands for itself.

import { LINE_WORDS_MAX } from "../../firmware/limits.ts";
import { cellsOf, type CellKind, type Shape } from "./shape.ts";

const WORD_BYTES_MAX = 8;
const FILLED = /^[+-]? *0\d|^ {2}|^[+-] /;
const NUMBER = /^[+-]? *\d+(?:\.\d+)?$/;

export interface Column {
  kind: CellKind;
  texts: readonly string[]; // of each line
  apart: boolean; // a blank stands before it in some line
}

/** A part of a pattern; a literal is written as the pattern has it. */
export type Part =
  | { kind: "literal"; text: string }
  | { kind: "number"; width: number; column: Column }
  | { kind: "word"; words: readonly string[]; column: Column }
  | { kind: "skip"; width: number }; // of all texts; 0: they differ

/** The columns of a shape, each with the texts of all lines that are kept of it. */
export function columnsOf({ samples }: Pick<Shape, "samples">): Column[] {
  const lines = samples.map(cellsOf);
  return (lines[0] ?? []).map(({ kind }, i) => ({
    kind,
    texts: lines.map((line) => line[i]!.text),
    apart: lines.some((line) => line[i]!.apart),
  }));
}

/** How many different texts. */
export function kindsOf({ texts }: Column): number {
  return new Set(texts).size;
}

/** True where it has a number in some line, and in no line anything else. */
export function isNumber({ kind, texts }: Column): boolean {
  if (kind === "number") return true;
  const said = texts.filter((text) => text !== "");
  return kind === "field" && said.length > 0 && said.every((text) => NUMBER.test(text));
}

/** The most digits behind the point. */
export function decimalsOf({ texts }: Column): number {
  return Math.max(...texts.map((text) => text.split(".")[1]?.length ?? 0));
}

/** The largest number without its sign. */
export function largestOf({ texts }: Column): number {
  return Math.max(...texts.map((text) => Math.abs(Number(text.replace(/ /g, "")))));
}

/** The part that takes a column whose value is wanted, or is not. */
export function partOf(column: Column, isWanted: boolean): Part {
  const { kind, texts } = column;
  const words = [...new Set(texts)];
  if (kind === "other" || kind === "blank") return literal(texts[0]!);
  if (isNumber(column) && (isWanted || kind === "number"))
    return isWanted ? { kind: "number", width: widthOf(column), column } : skip(column);
  if (kind === "field") return skip(column);
  if (words.length === 1) return literal(words[0]!);
  const short = words.every((word) => word.length <= WORD_BYTES_MAX);
  return short && words.length <= LINE_WORDS_MAX ? { kind: "word", words, column } : skip(column);
}

/** A text as a pattern has it. */
export function literal(text: string): Part {
  return { kind: "literal", text: text.replace(/\{/g, "{{").replace(/ +/g, " ") };
}

function skip({ texts }: Column): Part {
  return { kind: "skip", width: constantWidth(texts) };
}

function widthOf({ kind, texts }: Column): number {
  return kind === "number" && texts.some((text) => FILLED.test(text)) ? constantWidth(texts) : 0;
}

/** The length of all of them; 0: they differ. */
export function constantWidth(texts: readonly string[]): number {
  const [first = "", ...others] = texts;
  return others.every(({ length }) => length === first.length) ? first.length : 0;
}
