// SPDX-License-Identifier: MIT
// Faults as plant.json and scenario files write them.
//
// Times are lengths of time as text (30s, 10m); so are amounts that are times (0.5s, -1h). Other amounts
// are numbers. The words and their bounds are those of the simulator's vocabulary.

import { z } from "zod";
import {
  FAULT_NAMES,
  faultProblem,
  faultRule,
  type FaultName,
} from "../../host-sim/faults/vocabulary.ts";
import type { FaultPlan } from "../../host-sim/plan.ts";
import { parseLengthMs } from "../cli/length.ts";

export const FAULTS_MAX = 1000;
const FAULT_MS_MAX = 24 * 3_600_000;
const INPUT_MAX = 15;

/** A length of time of at most a day, as people write it. */
export const lengthSchema = z
  .union([z.number().nonnegative(), z.string()])
  .refine((text) => (parseLengthMs(String(text), 0) ?? Infinity) <= FAULT_MS_MAX, {
    message: "a length of time of at most a day: 30, 30s, 10m, 1h",
  });

/** Milliseconds of a length that was checked. */
export function lengthMs(text: string | number): number {
  return parseLengthMs(String(text), 0) ?? 0;
}

const faultWords = FAULT_NAMES.map((name) => `${name}: ${faultRule(name).says}`).join("; ");

export const faultSchema = z.strictObject({
  at: lengthSchema.describe("after the start"),
  fault: z.enum(FAULT_NAMES as [FaultName, ...FaultName[]]).describe(faultWords),
  node: z.string().optional().describe("faults of the network: absent: all nodes"),
  input: z
    .number()
    .int()
    .min(0)
    .max(INPUT_MAX)
    .optional()
    .describe("faults of a sensor: number of the ADC input"),
  amount: z
    .union([z.number(), z.string()])
    .optional()
    .describe("how much, in the unit of the fault; a time is a length as 0.5s"),
  for: lengthSchema.describe("how long it lasts"),
});

export type Fault = z.output<typeof faultSchema>;

/** Reports what is wrong with faults beyond their shape, with the path below the whole. */
export function reportFaults(
  faults: readonly Fault[],
  nodes: readonly string[],
  report: (path: (string | number)[], message: string) => void,
): void {
  faults.forEach((fault, index) => {
    const amount = amountOf(fault);
    if (fault.amount !== undefined && amount === undefined)
      return report(["faults", index, "amount"], amountHint(fault.fault));
    const problem = faultProblem(toFaultPlan(fault), nodes);
    if (problem !== undefined) report(["faults", index, problem.field], problem.text);
  });
}

/** The plan of a fault that was checked. */
export function toFaultPlan(written: Fault): FaultPlan {
  const { at, node, fault, input, for: lasting } = written;
  const amount = amountOf(written);
  return {
    atMs: lengthMs(at),
    forMs: lengthMs(lasting),
    fault,
    ...(node !== undefined && { node }),
    ...(input !== undefined && { input }),
    ...(amount !== undefined && { amount }),
  };
}

// A time in ms; undefined: none given, or not one.
function amountOf({ fault, amount }: Fault): number | undefined {
  if (amount === undefined) return undefined;
  if (faultRule(fault).amount?.unit !== "ms") {
    return typeof amount === "number" ? amount : undefined;
  }
  const text = String(amount).trim();
  const ms = parseLengthMs(text.replace(/^-/, ""), 0);
  return ms === undefined ? undefined : text.startsWith("-") ? -ms : ms;
}

function amountHint(fault: FaultName): string {
  const unit = faultRule(fault).amount?.unit;
  if (unit === undefined) return `"${fault}" has no amount`;
  return unit === "ms" ? "a length of time: 0.5s, 30s, -1h" : `a number (${unit})`;
}
