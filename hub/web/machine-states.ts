// SPDX-License-Identifier: MIT
// What a machine said that it does, over time: its states as stretches.
//
// Pure. A gap of the trace is a gap here; a band that holds more than one state says so.

import { STATE_NAMES, machineCondition, type Condition } from "./condition.ts";
import type { Span } from "./history-range.ts";
import type { Trace } from "./history-trace.ts";

export interface MachineStretch extends Span {
  name: (typeof STATE_NAMES)[number] | "several"; // several: states within one band
}

/** How each looks; several states are no state of their own. */
export function stretchCondition(name: MachineStretch["name"]): Condition {
  if (name !== "several") return machineCondition(name);
  return { word: "several states", shape: "bar", tone: "off", rank: 0 };
}

/** Stretches within the span, oldest first, neighbours of one state joined. */
export function machineStretches(trace: Trace, span: Span): MachineStretch[] {
  const found: MachineStretch[] = [];
  const early = trace.widthMs / 2; // bands stand at their middle
  for (const [index, atMs] of trace.times.entries()) {
    const name = nameAt(trace, index);
    const endMs = trace.times[index + 1] ?? atMs + trace.widthMs;
    const fromMs = Math.max(span.fromMs, atMs - early);
    const toMs = Math.min(span.toMs, endMs - early);
    if (name === null || toMs <= fromMs) continue;
    const last = found.at(-1);
    if (last?.name === name && last.toMs >= fromMs) last.toMs = toMs;
    else found.push({ name, fromMs, toMs });
  }
  return found;
}

/** Null: nothing is known. */
function nameAt({ low, high }: Trace, index: number): MachineStretch["name"] | null {
  const [lowest, highest] = [low[index] ?? null, high[index] ?? null];
  if (lowest === null || highest === null) return null;
  return lowest === highest ? (STATE_NAMES[lowest] ?? null) : "several";
}
