// SPDX-License-Identifier: MIT
// What a bundle takes of a board: octets, memory, variables, and what it may take.
//
// Octets are those of the one file that is uploaded. The host is what is left of it beside both modules.

import { modelledVariables, type JsBoard } from "./js-board.ts";

export interface JsSizeRow {
  part: string;
  takes: number;
  most?: number; // absent: what it belongs to has the limit
}

export interface JsSizes {
  rows: JsSizeRow[];
  kept: boolean;
}

export interface BundleOctets {
  bundle: number;
  loop: number; // each module's part of it, minified by itself
  link: number;
  memory: { loop: number; link: number };
}

/** What the parts of a bundle take of a board. */
export function bundleSizes(board: JsBoard, { bundle, loop, link, memory }: BundleOctets): JsSizes {
  const rows: JsSizeRow[] = [
    { part: "loop", takes: loop, most: board.coreBytesMax },
    { part: "link", takes: link },
    { part: "host", takes: bundle - loop - link },
    { part: "bundle", takes: bundle, most: board.bundleBytesMax },
    { part: "memory of loop", takes: memory.loop, most: board.memoryBytes },
    { part: "memory of link", takes: memory.link, most: board.memoryBytesMax },
  ];
  if (board.variables !== undefined)
    rows.push({
      part: "variables, modelled",
      takes: modelledVariables(bundle),
      most: board.variables.most,
    });
  return { rows, kept: overBudget({ rows }).length === 0 };
}

/** The table that the build prints; beside an earlier build's, what changed. */
export function jsSizeTable({ rows, kept }: JsSizes, before?: JsSizes): string {
  const earlier = new Map(before?.rows.map(({ part, takes }) => [part, takes]));
  const lines = rows.map(({ part, takes, most }) => {
    const was = earlier.get(part) ?? takes;
    const change = was === takes ? "" : ` (${takes > was ? "+" : ""}${takes - was})`;
    return `${part.padEnd(20)}${cell(takes)}${cell(most ?? "")}${change}`.trimEnd();
  });
  const head = `${"octets".padEnd(20)}${cell("takes")}${cell("most")}`;
  return [head, ...lines, `the bundle ${kept ? "keeps" : "is over"} its budget`].join("\n");
}

function cell(value: number | string): string {
  return String(value).padStart(8);
}

/** What is over, a sentence each; none: the budget is kept. */
export function overBudget({ rows }: Pick<JsSizes, "rows">): string[] {
  return rows.flatMap(({ part, takes, most }) =>
    most === undefined || takes <= most
      ? []
      : [`${part}: ${takes} of ${most}, ${takes - most} too many`],
  );
}
