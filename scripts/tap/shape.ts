// SPDX-License-Identifier: MIT
// Lines of text by their shape: where numbers stand, and where words.
//
// Lines that differ in numbers (with sign and the blanks before it), words and the count of blanks alone are of one shape.

/** Lines of one shape. */
export interface Shape {
  text: string; // the latest line
  times: number;
  firstUs: number;
  lastUs: number;
}

const CUTS = /(?<number>[+-]? *\d+(?:\.\d+)?)|(?<word>[A-Za-z%]+)|(?<blank> +)|(?<other>.)/gsu;
const MARKS = { number: "\u0001", word: "\u0002", blank: " " };

/** What lines of its shape have in common. */
export function shapeKey(text: string): string {
  return text.replace(CUTS, (...found) => {
    const groups = found.at(-1) as Partial<Record<keyof typeof MARKS | "other", string>>;
    for (const kind of ["number", "word", "blank"] as const)
      if (groups[kind] !== undefined) return MARKS[kind];
    return groups.other!;
  });
}
