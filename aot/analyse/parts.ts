// SPDX-License-Identifier: MIT
// Sets of values with holes: a few intervals in ascending order that do not meet.
//
// An address that is one of several objects is such a set, and so is a field that holds one of several
// constants. `undefined` stands for a set without holes: then the ends of a range say all. More than PARTS_MAX
// parts are given up: their hull is a set that has all of them.

export type Part = readonly [least: number, most: number];
export type Parts = readonly Part[];

/** The objects that one access may go to, say the channels of a node. */
export const PARTS_MAX = 16;

/** The union of parts; those that are next to each other at a step become one. */
export function unionOf(list: readonly Part[], step: number): Parts | undefined {
  const merged: [number, number][] = [];
  for (const [least, most] of list.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && least <= last[1] + step) last[1] = Math.max(last[1], most);
    else merged.push([least, most]);
  }
  return merged.length > PARTS_MAX ? undefined : merged;
}

/** What is in both of two sets of parts. */
export function intersectionOf(a: Parts, b: Parts): Parts {
  return a.flatMap(([least, most]) =>
    b
      .map(([from, to]): Part => [Math.max(least, from), Math.min(most, to)])
      .filter(([from, to]) => from <= to),
  );
}

/** True when each part of `a` is inside one of `b`. */
export function isInside(a: Parts, b: Parts): boolean {
  return a.every(([least, most]) => b.some(([from, to]) => from <= least && most <= to));
}

export function sameParts(a: Parts | undefined, b: Parts | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every(([least, most], i) => isPart(b[i]!, least, most));
}

function isPart(part: Part, least: number, most: number): boolean {
  return part[0] === least && part[1] === most;
}
