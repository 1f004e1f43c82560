// SPDX-License-Identifier: MIT
// What a bench found: figures, each beside its baseline, as a table or as JSON.
//
// A bench runs with `--quick` (tiny sizes, one round: does it run at all) and `--json` (one line).

import { print } from "../cli/terminal.ts";

export const QUICK = process.argv.includes("--quick");
const AS_JSON = process.argv.includes("--json");

export interface Figure {
  name: string;
  value: number;
  unit: string;
  beside?: string; // name of the figure that it is compared with
  goal?: Goal;
}

/** What is aimed at, in terms of the ratio or of the value itself; missing it fails nothing. */
export interface Goal {
  of: "ratio" | "value";
  atMost?: number;
  atLeast?: number;
}

export interface Report {
  bench: string;
  notes: string[]; // what was run and what is counted
  figures: Figure[];
}

interface Row extends Figure {
  ratio?: number;
  reached?: boolean;
}

/** Prints what was found. */
export function report({ bench, notes, figures }: Report): void {
  const rows = figures.map((figure) => toRow(figure, figures));
  if (AS_JSON) return print(JSON.stringify({ bench, notes, figures: rows }));
  print(bench);
  for (const note of notes) print(`  ${note}`);
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const row of rows) print(`  ${row.name.padEnd(width)}  ${describe(row)}`.trimEnd());
}

function toRow(figure: Figure, figures: readonly Figure[]): Row {
  const { beside, value, goal } = figure;
  const baseline = figures.find(({ name }) => name === beside);
  if (beside !== undefined && baseline === undefined)
    throw new RangeError(`there is no figure "${beside}" to compare with`);
  const ratio = baseline === undefined ? undefined : value / baseline.value;
  const aimedAt = goal?.of === "ratio" ? ratio : value;
  return {
    ...figure,
    ...(ratio !== undefined && { ratio }),
    ...(goal !== undefined && aimedAt !== undefined && { reached: isReached(goal, aimedAt) }),
  };
}

function isReached({ atMost = Infinity, atLeast = -Infinity }: Goal, value: number): boolean {
  return value >= atLeast && value <= atMost;
}

function describe({ value, unit, ratio, beside, goal, reached }: Row): string {
  const parts = [`${format(value).padStart(11)} ${unit}`];
  if (ratio !== undefined) parts.push(`${format(ratio)} of ${beside}`);
  if (goal !== undefined) {
    const bound =
      goal.atMost === undefined
        ? `at least ${format(goal.atLeast!)}`
        : `at most ${format(goal.atMost)}`;
    parts.push(`goal ${goal.of} ${bound}: ${reached === true ? "reached" : "missed"}`);
  }
  return parts.join("   ");
}

// Whole from 100 on, else three digits that count.
function format(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
