// SPDX-License-Identifier: MIT
// The words for all that can go wrong: what each needs, what amounts mean.
//
// One table for plant.json, scenario files and seeded schedules. Every fault begins at `atMs` and ends
// after `forMs`; healing ends all of them at once and those still to come.

import { BROKER_SLOW_MS_MAX, CLOCK_PPM_MAX, CLOCK_STEP_MS_MAX, DELAY_MS_MAX } from "../limits.ts";
import type { FaultPlan } from "../plan.ts";

/** Where a fault strikes: one node, one node or all, one ADC input of a node, or what all share. */
export type Target = "node" | "network" | "input" | "shared";

export interface FaultRule {
  target: Target;
  says: string; // what happens, for help texts and schemas
  amount?: {
    unit: "probability" | "ms" | "counts" | "counts/s" | "ppm" | "octets" | "bits";
  } & AmountLimits;
}

interface AmountLimits {
  min: number;
  max: number;
  absent: number; // taken when a fault gives no amount
}

const PROBABILITY = { unit: "probability", min: 0, max: 1 } as const;
const COUNTS = { unit: "counts", min: 0, max: 4095 } as const;

export const FAULTS = {
  loss: { target: "network", says: "datagrams are lost", amount: { ...PROBABILITY, absent: 0.2 } },
  duplicate: {
    target: "network",
    says: "datagrams arrive twice",
    amount: { ...PROBABILITY, absent: 0.1 },
  },
  reorder: {
    target: "network",
    says: "datagrams arrive after later ones",
    amount: { ...PROBABILITY, absent: 0.1 },
  },
  truncate: {
    target: "network",
    says: "datagrams lose their end",
    amount: { ...PROBABILITY, absent: 0.1 },
  },
  corrupt: {
    target: "network",
    says: "octets change on the way; the UDP checksum of the receiver drops the datagram",
    amount: { ...PROBABILITY, absent: 0.1 },
  },
  delay: {
    target: "network",
    says: "datagrams take so much longer",
    amount: { unit: "ms", min: 0, max: DELAY_MS_MAX, absent: 500 },
  },
  partition: { target: "network", says: "no datagram arrives, either way" },
  "power-cut": { target: "node", says: "the node has no power" },
  "flash-torn": {
    target: "node",
    says: "its first flash write stops after so many octets, and the power is away until the end",
    amount: { unit: "octets", min: 0, max: 4095, absent: 3 },
  },
  "clock-drift": {
    target: "node",
    says: "its clock runs fast, or slow below 0",
    amount: { unit: "ppm", min: -CLOCK_PPM_MAX, max: CLOCK_PPM_MAX, absent: 100 },
  },
  overrun: { target: "node", says: "each tick takes longer than its period (not on a chip)" },
  "mailbox-garbled": {
    target: "node",
    says: "each command that link hands to loop carries a value of chance (not on a chip)",
  },
  "sensor-stuck": { target: "input", says: "the count stays what it was" },
  "sensor-noise": {
    target: "input",
    says: "counts scatter so far either way",
    amount: { ...COUNTS, absent: 50 },
  },
  "sensor-drift": {
    target: "input",
    says: "the count wanders off at this rate",
    amount: { unit: "counts/s", min: -4095, max: 4095, absent: 10 },
  },
  "sensor-open-wire": {
    target: "input",
    says: "the input is pulled to this count",
    amount: { ...COUNTS, absent: 4095 },
  },
  "sensor-spike": {
    target: "input",
    says: "single samples stand at an end of the range",
    amount: { ...PROBABILITY, absent: 0.02 },
  },
  "line-rate": {
    target: "node",
    says: "the clock of what its taps hear runs fast, or slow below 0",
    amount: { unit: "ppm", min: -CLOCK_PPM_MAX, max: CLOCK_PPM_MAX, absent: 60_000 },
  },
  "line-jitter": {
    target: "node",
    says: "edges on its serial lines are off by up to so much either way",
    amount: { unit: "bits", min: 0, max: 0.5, absent: 0.3 },
  },
  "line-glitch": {
    target: "node",
    says: "a pulse of 0.6 bit strikes characters on its serial lines",
    amount: { ...PROBABILITY, absent: 0.05 },
  },
  "line-dropout": {
    target: "node",
    says: "characters on its serial lines are lost",
    amount: { ...PROBABILITY, absent: 0.05 },
  },
  "line-inverted": { target: "node", says: "the wires of its serial lines are swapped" },
  "line-echo": { target: "node", says: "each burst on its serial lines comes once more" },
  "line-collision": {
    target: "node",
    says: "another transmitter speaks into characters on its serial lines",
    amount: { ...PROBABILITY, absent: 0.05 },
  },
  "line-stray": {
    target: "node",
    says: "a character strays behind bursts on its serial lines: 00 without stop bit, or FE",
    amount: { ...PROBABILITY, absent: 0.5 },
  },
  "clock-step": {
    target: "shared",
    says: "the gateway's wall time is off by so much, then right again",
    amount: { unit: "ms", min: -CLOCK_STEP_MS_MAX, max: CLOCK_STEP_MS_MAX, absent: 60_000 },
  },
  "broker-down": { target: "shared", says: "the broker ends its connections and refuses new ones" },
  "broker-slow": {
    target: "shared",
    says: "each chunk to and from the broker takes so much longer",
    amount: { unit: "ms", min: 0, max: BROKER_SLOW_MS_MAX, absent: 1000 },
  },
  "gateway-restart": {
    target: "shared",
    says: "the gateway is away, then there is a new one that knows nothing",
  },
} as const satisfies Record<string, FaultRule>;

export type FaultName = keyof typeof FAULTS;

/** They reach between the modules, which a flash image does by itself. */
export const NOT_ON_CHIPS: ReadonlySet<FaultName> = new Set(["overrun", "mailbox-garbled"]);

export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

/** The rule of a fault, with its optional parts. */
export function faultRule(fault: FaultName): FaultRule {
  return FAULTS[fault];
}

/** The amount of a fault, or what stands for it. */
export function amountOf({ fault, amount }: FaultPlan): number {
  return amount ?? faultRule(fault).amount?.absent ?? 0;
}

/** What is wrong with a fault, or undefined: the field and a sentence. */
export function faultProblem(
  plan: Omit<FaultPlan, "atMs" | "forMs">,
  nodes: readonly string[],
): { field: "node" | "input" | "amount"; text: string } | undefined {
  const { fault, node, input, amount } = plan;
  const rule = faultRule(fault);
  if (node === undefined && (rule.target === "node" || rule.target === "input"))
    return { field: "node", text: `"${fault}" strikes one node: say which` };
  if (node !== undefined && rule.target === "shared")
    return { field: "node", text: `"${fault}" strikes what all nodes share: leave the node out` };
  if (node !== undefined && !nodes.includes(node))
    return {
      field: "node",
      text: `there is no node "${node}"; known: ${[...new Set(nodes)].join(", ")}`,
    };
  if ((input !== undefined) !== (rule.target === "input"))
    return {
      field: "input",
      text: input === undefined ? `"${fault}" needs an input` : `"${fault}" has no input`,
    };
  return amountProblem(fault, amount, rule);
}

function amountProblem(
  fault: FaultName,
  amount: number | undefined,
  rule: FaultRule,
): { field: "amount"; text: string } | undefined {
  if (amount === undefined) return undefined;
  if (rule.amount === undefined) return { field: "amount", text: `"${fault}" has no amount` };
  const { min, max, unit } = rule.amount;
  if (amount >= min && amount <= max) return undefined;
  return { field: "amount", text: `"${fault}" takes ${min} to ${max} (${unit})` };
}
