// SPDX-License-Identifier: MIT
// The past of a channel of texts in memory: its changes.
//
// (T1) in order of time; a late one is put where it belongs. (T2) at most HISTORY_TEXTS_MAX of a channel, all
// together HISTORY_TEXTS_TOTAL_MAX: a new one then takes the place of the channel's oldest.

import type { HistoryText } from "./api.ts";
import { HISTORY_TEXTS_MAX, HISTORY_TEXTS_TOTAL_MAX } from "./limits.ts";

/** Ends included. */
export interface TextRange {
  sinceMs: number;
  untilMs: number;
  max: number;
  newest: boolean; // where there are more: the newest of them, else the first
}

export interface TextList {
  putText(wallMs: number, text: string | null): void;
  texts(range: TextRange): HistoryText[];
}

/** `budget` counts the texts of all lists of a store, and those that found no room. */
export function createTextList(budget: { texts: number; dropped: number }): TextList {
  const list: HistoryText[] = [];
  return {
    putText: (wallMs, text) => {
      if (list.length >= HISTORY_TEXTS_MAX || budget.texts >= HISTORY_TEXTS_TOTAL_MAX) {
        budget.dropped++;
        if (list.length === 0) return;
        list.shift();
        budget.texts--;
      }
      let at = list.length;
      while (at > 0 && (list[at - 1]?.[0] ?? 0) > wallMs) at--;
      list.splice(at, 0, [wallMs, text]);
      budget.texts++;
    },
    texts: (range) => textsOf(list, range),
  };
}

/** Those of a range of texts in order of time. */
export function textsOf(
  list: readonly HistoryText[],
  { sinceMs, untilMs, max, newest }: TextRange,
): HistoryText[] {
  const found = list.filter(([wallMs]) => wallMs >= sinceMs && wallMs <= untilMs);
  return newest ? found.slice(-max) : found.slice(0, max);
}
