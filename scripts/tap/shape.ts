// SPDX-License-Identifier: MIT
// Lines of text by their shape: where numbers stand, and where words.
//
// A line is cut into numbers (with sign and the blanks before it), words, blanks and other characters. Lines that are cut alike
// are of one shape; of each part it is kept how wide it was and what stood there, up to VARIANTS_MAX.

export const VARIANTS_MAX = 17; // one more than node.json may name for a field

export interface Part {
  kind: "number" | "word" | "blank" | "other";
  text: string; // of the latest line
  widths: Set<number>; // one: it always had that width; two: it varied
  variants: string[]; // different texts, in the order in which they came
  decimals: number; // most digits behind a point
}

/** Lines that are cut alike. */
export interface Shape {
  parts: Part[];
  text: string; // the latest line
  times: number;
  firstUs: number;
  lastUs: number;
}

const CUTS = /(?<number>[+-]? *\d+(?:\.\d+)?)|(?<word>[A-Za-z%]+)|(?<blank> +)|(?<other>.)/gsu;

type Cut = Pick<Part, "kind" | "text">;

function cut(text: string): Cut[] {
  return [...text.matchAll(CUTS)].map(({ groups }): Cut => {
    for (const kind of ["number", "word", "blank"] as const)
      if (groups![kind] !== undefined) return { kind, text: groups![kind] };
    return { kind: "other", text: groups!["other"]! };
  });
}

/** What lines of its shape have in common. */
export function shapeKey(text: string): string {
  const marks = { number: "\u0001", word: "\u0002", blank: " " };
  return cut(text)
    .map((part) => (part.kind === "other" ? part.text : marks[part.kind]))
    .join("");
}

export function createShape(text: string, atUs: number): Shape {
  const parts = cut(text).map((part) => ({
    ...{ ...part, widths: new Set<number>(), variants: [], decimals: 0 },
  }));
  return { parts, text, times: 0, firstUs: atUs, lastUs: atUs };
}

/** One more line of that shape. */
export function noteLine(shape: Shape, text: string, atUs: number): void {
  shape.times++;
  shape.text = text;
  shape.lastUs = atUs;
  for (const [i, { text: said }] of cut(text).entries()) {
    const part = shape.parts[i]!;
    part.text = said;
    if (part.widths.size < 2) part.widths.add(said.length);
    part.decimals = Math.max(part.decimals, (said.split(".")[1] ?? "").length);
    if (part.variants.length < VARIANTS_MAX && !part.variants.includes(said))
      part.variants.push(said);
  }
}
