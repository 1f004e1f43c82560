// SPDX-License-Identifier: MIT
// What stands in the sentences of NMEA 0183 that are worth a channel.
//
// Spec: NMEA 0183, by the letters behind the talker. Angles of a place are degrees and minutes in one number, ddmm.mmmm.

/** Names of the cells behind the first comma: `-` is no value, a capital stands for itself: only such sentences count. */
const SENTENCES: Readonly<Record<string, string>> = {
  RMC: "- A latitude north longitude east knots - - - - -",
  GGA: "- - - - - fix satellites - altitude M - - - -",
  GLL: "latitude north longitude east - A -",
  VTG: "course T - M - N kilometres-per-hour K -",
  HDT: "heading T",
  DBT: "- f depth M - F",
  DPT: "depth - -",
  MWV: "wind-angle - wind-speed - A",
  MTW: "water C",
};
const UNITS: Readonly<Record<string, string>> = {
  ...{ altitude: "m", depth: "m", water: "\u00b0C" },
};
/** Words of the cells that have words. */
export const SENTENCE_WORDS: Readonly<Record<string, Record<string, number>>> = {
  north: { N: 1, S: -1 },
  east: { E: 1, W: -1 },
};

/** Names of the cells of a sentence; undefined: nobody here knows it. */
export function sentenceCells(head: string): readonly string[] | undefined {
  return SENTENCES[sentenceName(head)]?.split(" ");
}

/** The letters of a sentence behind its talker; `head` as `$GPRMC`. */
export function sentenceName(head: string): string {
  return head.slice(-3);
}

/** The unit of a cell, as a line would say it. */
export function sentenceUnit(name: string): string {
  return UNITS[name] ?? "";
}
