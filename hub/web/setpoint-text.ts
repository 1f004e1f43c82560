// SPDX-License-Identifier: MIT
// A typed set-point as a number, a set-point's state in words.
//
// Pure. Limits and resolution are checked here only to say it at once; the hub and the node check again.

import type { AuditRow, SetpointState, SetpointView } from "../api.ts";
import type { Condition } from "./condition.ts";
import { formatDuration, formatValue, NO_VALUE, unitView } from "./format.ts";

/** A value in the set-point's own unit, or in one sentence what is wrong with the text. */
export type Entry = { value: number } | { error: string };

/** Reads `182`, `182.0`, `182,5`, `\u22125`; the unit is the one that is shown. */
export function readEntry(text: string, setpoint: SetpointView): Entry {
  const plain = text
    .replace(/[\s\u00a0\u2009]/g, "")
    .replace("\u2212", "-")
    .replace(",", ".");
  if (plain === "") return { error: "Enter a value first." };
  if (!/^[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/.test(plain))
    return { error: `That is no number. Enter one such as ${exampleOf(setpoint)}.` };
  const { factor, digits } = unitView(setpoint.unit);
  const decimals = Math.max(0, setpoint.decimals - digits);
  const fraction = (plain.split(".")[1] ?? "").replace(/0+$/, "");
  if (fraction.length > decimals)
    return { error: `The smallest step is ${show(setpoint, 10 ** -setpoint.decimals)}.` };
  const value = Number((Number(plain) / factor).toFixed(setpoint.decimals));
  if (value < setpoint.min) return { error: `The least is ${show(setpoint, setpoint.min)}.` };
  if (value > setpoint.max) return { error: `The most is ${show(setpoint, setpoint.max)}.` };
  return { value: value + 0 }; // no -0
}

function exampleOf(setpoint: SetpointView): string {
  return show({ ...setpoint, unit: setpoint.unit === "/" ? "/" : null }, setpoint.default);
}

/** A value of a set-point with its unit; a dash when there is none. */
export function show(setpoint: SetpointView, value: number | null): string {
  return value === null ? NO_VALUE : formatValue(value, setpoint.unit, setpoint.decimals);
}

const STATES: Record<SetpointState, Condition> = {
  none: { word: "not written yet", shape: "ring", tone: "off", rank: 0 },
  pending: { word: "waiting for the node", shape: "ring", tone: "off", rank: 0 },
  applied: { word: "applied", shape: "dot", tone: "normal", rank: 0 },
  clamped: { word: "clamped", shape: "diamond", tone: "warning", rank: 1 },
  refused: { word: "refused", shape: "diamond", tone: "warning", rank: 1 },
  stale: { word: "fell back to its default", shape: "diamond", tone: "warning", rank: 1 },
  "timed-out": { word: "no answer", shape: "diamond", tone: "warning", rank: 1 },
};

const FALLEN_BACK: Condition = { ...STATES.stale, word: "back at its default" };

/** Whether the node went back to its default by itself, such as after its own restart. */
export function hasFallenBack(setpoint: SetpointView): boolean {
  const { state, effective, requested } = setpoint;
  const isDefault = effective === setpoint.default && requested !== setpoint.default;
  return state === "applied" && isDefault;
}

export function setpointCondition(setpoint: SetpointView): Condition {
  return hasFallenBack(setpoint) ? FALLEN_BACK : (STATES[setpoint.state] ?? STATES.none);
}

/** Who asked for what, and what became of it; one sentence. */
export function storyOf(setpoint: SetpointView): string {
  const { state, requestedBy, reason } = setpoint;
  const asked = `${requestedBy ?? "Somebody"} asked for ${show(setpoint, setpoint.requested)}`;
  const because = reason === null ? "" : `: ${reason}`;
  if (hasFallenBack(setpoint)) return `${asked}; the node has gone back to its default since.`;
  switch (state) {
    case "none":
      return "Nobody has written it through this hub.";
    case "pending":
      return `${asked}; the node has not answered yet.`;
    case "applied":
      return `Set by ${requestedBy ?? "somebody"}.`;
    case "clamped":
      return `${asked}; the node applied ${show(setpoint, setpoint.effective)}${because}.`;
    case "refused":
      return `${asked}, refused${because}.`;
    case "stale":
      return `${asked}${because || ": no write came in time, the default holds"}.`;
    case "timed-out":
      return `${asked}${because}. Whether it holds shows in the effective value.`;
  }
}

/** `100.0 – 220.0 °C, default 180.0 °C`, and after how long without a write the default holds. */
export function boundsText(setpoint: SetpointView): string {
  const { min, max, staleMs } = setpoint;
  const range = `${show({ ...setpoint, unit: bare(setpoint) }, min)} \u2013 ${show(setpoint, max)}`;
  const fallback = staleMs > 0 ? `, which holds after ${formatDuration(staleMs)} unwritten` : "";
  return `${range} \u00b7 default ${show(setpoint, setpoint.default)}${fallback}`;
}

/** A unit without its label would change the factor of a share: that one keeps it. */
function bare({ unit }: SetpointView): string | null {
  return unit === "/" ? unit : null;
}

/** How an audit row ended; a request and its end are two rows. */
export function outcomeCondition(outcome: AuditRow["outcome"]): Condition {
  if (outcome === "sent") return { word: "requested", shape: "ring", tone: "off", rank: 0 };
  if (outcome === "acknowledged")
    return { word: "acknowledged", shape: "triangle-hollow", tone: "normal", rank: 0 };
  return STATES[outcome] ?? STATES.none;
}
