// SPDX-License-Identifier: MIT
// The beginning of a source, looked at before it is decoded.
//
// What was looked at is kept and comes first again: nothing is lost, and times stay as they were.

import type { Batch, Character } from "./line.ts";
import type { LineEnd } from "./decoder.ts";

export const PEEK_CHARACTERS_MAX = 20_000; // twenty seconds at 9,600 bit/s: more do not change a verdict
const LINE_FEED = 10;
const RETURN = 13;
const END_OF_TEXT = 3;
const LINES_MIN = 2; // terminators that settle which one it is

/** Batches until `isEnough` holds of their characters, or PEEK_CHARACTERS_MAX, or the end; all of them come again. */
export async function peek(
  batches: AsyncIterable<Batch>,
  isEnough: (characters: readonly Character[], nowUs: number) => boolean,
): Promise<{ characters: Character[]; batches: AsyncIterable<Batch> }> {
  const rest = batches[Symbol.asyncIterator]();
  const held: Batch[] = [];
  const characters: Character[] = [];
  while (characters.length < PEEK_CHARACTERS_MAX) {
    const next = await rest.next();
    if (next.done === true) break;
    held.push(next.value);
    characters.push(...next.value.characters);
    if (isEnough(characters, next.value.nowUs)) break;
  }
  return { characters, batches: again(held, rest) };
}

async function* again(held: Batch[], rest: AsyncIterator<Batch>): AsyncGenerator<Batch> {
  try {
    yield* held;
    for (let next = await rest.next(); next.done !== true; next = await rest.next())
      yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** What ends lines of text; undefined: too few ends. */
export function lineEndOf(
  characters: readonly Character[],
  least: number = LINES_MIN,
): LineEnd | undefined {
  const count = (octet: number): number =>
    characters.reduce((all, each) => all + (each.octet === octet ? 1 : 0), 0);
  const octet = [LINE_FEED, RETURN, END_OF_TEXT].find((each) => count(each) >= least);
  if (octet === undefined) return undefined;
  const returns = characters.filter(
    (each, i) => each.octet === octet && characters[i - 1]?.octet === RETURN,
  );
  return { octet, afterReturn: octet === LINE_FEED && 2 * returns.length > count(LINE_FEED) };
}

/** The word of node.json for it. */
export function lineEndName({ octet, afterReturn }: LineEnd): "CRLF" | "CR" | "LF" | "ETX" {
  if (octet === RETURN) return "CR";
  if (octet === END_OF_TEXT) return "ETX";
  return afterReturn ? "CRLF" : "LF";
}
