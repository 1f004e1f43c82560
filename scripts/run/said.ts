// SPDX-License-Identifier: MIT
// One thing that a running plant said, and its line for people.

import { paint } from "../cli/terminal.ts";

export interface Said {
  atMs: number;
  node: string | null;
  kind: "reading" | "event";
  channel: string | null;
  value: number | null;
  unit: string | null;
  quality: string | null;
  cause: string | null;
  text: string | null; // of an event
}

/** Time, node, channel, value, unit, and quality unless it is good; of an event its text. */
export function describeSaid(said: Said): string {
  const { atMs, node, kind, channel, value, unit, quality, cause, text } = said;
  const terminal = process.stdout.isTTY;
  const time = paint("dim", new Date(atMs).toISOString().slice(11, 23), terminal);
  if (kind === "event") return `${time} ${node ?? "hub"} ${paint("yellow", text ?? "", terminal)}`;
  const good = quality === "good" || quality === null;
  const state = good ? "" : paint("red", ` ${quality}${cause ? ` (${cause})` : ""}`, terminal);
  return `${time} ${node} ${channel} ${value ?? "-"}${unit === null ? "" : ` ${unit}`}${state}`;
}
