// SPDX-License-Identifier: MIT
// Turns what a schema refuses into lines that say where, what and how to mend it.
//
// One line an issue, all at once: `node.json:12 channels.temperature.unit: ...`. Nothing here throws.

import type { z } from "zod";
import { closest } from "../cli/closest.ts";
import { fieldKey } from "./json.ts";

const OPTIONS_SHOWN_MAX = 12; // a longer list hides the one that is meant

// What people write for a unit, and what SenML (RFC 8428 §12.1) calls it.
const UNIT_MEANT: Record<string, string> = {
  "°C": "Cel",
  degC: "Cel",
  Celsius: "Cel",
  "%": "/",
  percent: "/",
  kW: "W",
  kWh: "J",
  Wh: "J",
  bar: "Pa",
  rpm: "1/s",
  Nm: "J",
  "l/min": "m3/s",
};

export interface Description {
  file: string; // as the reader knows it
  value: unknown;
  lines: Map<string, number>;
  fields: ReadonlySet<string>; // every field name the schema knows, for suggestions
}

/** One line for each thing that is wrong, in the order of the file. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], where: Description): string[] {
  const found = issues.flatMap((issue) => flatten(issue));
  return found
    .map(({ path, message }) => ({ line: lineOf(path, where.lines), path, message }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, path, message }) => {
      const field = path.length === 0 ? "" : ` ${path.map(String).join(".")}`;
      return `${where.file}:${line}${field}: ${message}`;
    });

  function flatten(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
    if (issue.code !== "unrecognized_keys")
      return [{ path: issue.path, message: explainIssue(issue, where.value) }];
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `unknown field${meant(key, where.fields)}`,
    }));
  }
}

function lineOf(path: readonly PropertyKey[], lines: Map<string, number>): number {
  for (let length = path.length; length >= 0; length--) {
    const line = lines.get(fieldKey(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}

function meant(wanted: string, known: Iterable<string>): string {
  const near = closest(wanted, known);
  return near === undefined ? ": take it out" : `; did you mean "${near}"?`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<PropertyKey, unknown>)[step];
  }
  return here;
}

function explainIssue(issue: z.core.$ZodIssue, whole: unknown): string {
  const given = valueAt(whole, issue.path);
  switch (issue.code) {
    case "invalid_type":
      return given === undefined
        ? `is missing; ${article(issue.expected)} is wanted`
        : `${article(issue.expected)} is wanted, not ${show(given)}`;
    case "invalid_value":
      return given === undefined
        ? `is missing; ${choices(issue.values.map(String), given)}`
        : `${show(given)} is not known here; ${choices(issue.values.map(String), given)}`;
    case "invalid_union":
      return explainUnion(issue, given);
    case "invalid_key":
      return issue.issues[0]?.message ?? issue.message;
    case "too_small":
      return explainSize(issue.origin, "at least", issue.minimum, given);
    case "too_big":
      return explainSize(issue.origin, "at most", issue.maximum, given);
    default:
      return issue.message;
  }
}

function explainUnion(issue: z.core.$ZodIssue & { code: "invalid_union" }, given: unknown): string {
  const options = "options" in issue && Array.isArray(issue.options) ? issue.options : [];
  const literals = issue.errors.flat().flatMap((e) => (e.code === "invalid_value" ? e.values : []));
  const known = [...options, ...literals].map(String);
  if (given === undefined) return `is missing; ${choices(known, given)}`;
  return `${show(given)} is not known here; ${choices(known, given)}`;
}

function explainSize(
  origin: string,
  bound: string,
  limit: number | bigint,
  given: unknown,
): string {
  if (origin === "array") return `${bound} ${limit} values are wanted`;
  if (origin === "string") return `${bound} ${limit} letters are wanted`;
  return `${bound} ${limit} is wanted, not ${show(given)}`;
}

function choices(known: readonly string[], given: unknown): string {
  const wanted = typeof given === "string" ? given : "";
  const unit = UNIT_MEANT[wanted];
  if (unit !== undefined && known.includes(unit)) return `did you mean "${unit}"?`;
  if (known.length <= OPTIONS_SHOWN_MAX) return `one of ${known.join(", ")} is wanted`;
  const near = closest(wanted, known);
  const examples = known.slice(0, OPTIONS_SHOWN_MAX).join(", ");
  return near === undefined ? `known are ${examples} and others` : `did you mean "${near}"?`;
}

function article(type: string): string {
  const named: Record<string, string> = { int: "whole number", tuple: "array" };
  const noun = named[type] ?? type;
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
