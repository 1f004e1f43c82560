// SPDX-License-Identifier: MIT
// The known word that is nearest to what was typed.
//
// Edit distance (insert, delete, replace, swap); undefined where nothing is near enough to be meant.

const WORD_LENGTH_MAX = 64; // bounds the work on hostile input

/** The nearest of `known`, or undefined when all are further than a third of the word. */
export function closest(wanted: string, known: Iterable<string>): string | undefined {
  if (wanted.length > WORD_LENGTH_MAX) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const word of known) {
    const distance = editDistance(wanted.toLowerCase(), word.toLowerCase());
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let twoBack: number[] = [];
  let back = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(row[j - 1]! + 1, back[j]! + 1, back[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, twoBack[j - 2]! + 1);
      row.push(least);
    }
    twoBack = back;
    back = row;
  }
  return back[b.length]!;
}
