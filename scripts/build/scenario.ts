// SPDX-License-Identifier: MIT
// Reads a scenario file: what befalls a plant, and what is expected by when.
//
// "within" counts from "after", which is the beginning of the first fault unless it is given; "by" counts
// from the start. All that is wrong is reported at once, by path.

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import {
  NODE_COUNTERS,
  type Expectation,
  type Scenario,
  type Window,
} from "../../host-sim/scenario.ts";
import type { CommandPlan } from "../../host-sim/plan.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import {
  FAULTS_MAX,
  faultSchema,
  lengthMs,
  lengthSchema,
  reportFaults,
  toFaultPlan,
} from "./faults.ts";
import { readDescription, show } from "./node.ts";
import { readPlant, type Plant } from "./plant.ts";

const EXPECTATIONS_MAX = 200;
const COMMANDS_MAX = 1000;

const when = {
  after: lengthSchema.optional().describe("absent: the beginning of the first fault"),
  within: lengthSchema.optional().describe("counted from `after`"),
  by: lengthSchema.optional().describe("counted from the start, in place of `within`"),
};
const place = (parts: number, what: string) =>
  z
    .string()
    .refine((text) => text.split("/").length === parts, { message: `written as ${what}` })
    .describe(what);

const nodeBecomes = z.strictObject({
  node: z.string(),
  becomes: z.enum(["online", "offline", "lost"]),
  ...when,
});
const nodeCounts = z.strictObject({
  node: z.string(),
  counts: z.enum(NODE_COUNTERS),
  atLeast: z.number().int().min(0).default(0),
  atMost: z.number().int().min(0).optional(),
});
const channelBecomes = z.strictObject({
  channel: place(2, "node/channel"),
  becomes: z.enum(["good", "uncertain", "bad"]),
  cause: z.string().optional(),
  value: z.number().optional(),
  ...when,
});
const alarmRaised = z.strictObject({
  alarm: place(3, "node/channel/alarm"),
  raised: z.boolean(),
  ...when,
});
const sums = z.strictObject({ sums: z.literal(true) });
const expectation = z.union([nodeBecomes, nodeCounts, channelBecomes, alarmRaised, sums]);

const command = z.strictObject({
  at: lengthSchema.describe("after the start"),
  setpoint: place(2, "node/set-point"),
  value: z.number(),
  by: z
    .enum(["hub", "broker"])
    .default("hub")
    .describe("hub: as the page writes; broker: past the hub, published by another client"),
});

const scenarioSchema = z.strictObject({
  name: z.string().min(1).max(200),
  plant: z
    .string()
    .min(1)
    .describe("plant.json, its folder or a node folder, relative to this file"),
  seed: z.number().int().min(0).max(0xffff_ffff).default(1),
  for: lengthSchema.describe("how long nodes sample"),
  faults: z
    .union([z.literal("by-seed"), z.array(faultSchema).max(FAULTS_MAX)])
    .default([])
    .describe("by-seed: faults and commands follow from the seed"),
  commands: z.array(command).max(COMMANDS_MAX).default([]),
  expect: z.array(expectation).min(1).max(EXPECTATIONS_MAX),
});
type Written = z.output<typeof scenarioSchema>;

/** A scenario with the plant that it names, or with another. Throws a Failure that lists all that is wrong. */
export function readScenario(
  file: string,
  otherPlant?: string,
): { plant: Plant; scenario: Scenario } {
  const full = resolve(file);
  if (!existsSync(full))
    throw new Failure(EXIT_NOT_FOUND, `there is no file ${show(full)}`, "give a scenario file");
  const written = readDescription(full, scenarioSchema) as Written;
  const plant = readPlant(otherPlant ?? resolve(dirname(full), written.plant));
  const nodes = plant.type.nodes.map(({ id }) => id);
  const problems: string[] = [];
  if (written.faults !== "by-seed")
    reportFaults(written.faults, nodes, (path, text) =>
      problems.push(`${path.join(".")}: ${text}`),
    );
  written.commands.forEach(({ setpoint }, i) => {
    const problem = unknownNode(setpoint.split("/")[0], nodes);
    if (problem !== undefined) problems.push(`commands.${i}: ${problem}`);
  });
  written.expect.forEach((wanted, i) => {
    const problem = expectationProblem(wanted, nodes);
    if (problem !== undefined) problems.push(`expect.${i}: ${problem}`);
  });
  if (problems.length > 0)
    throw new Failure(EXIT_FAILED, `${show(full)}: ${problems.join("; ")}`, "correct the file");
  return { plant, scenario: toScenario(written) };
}

function toScenario(written: Written): Scenario {
  const { name, seed, faults, commands, expect } = written;
  const plans = faults === "by-seed" ? faults : faults.map(toFaultPlan);
  const first = plans === "by-seed" ? 0 : Math.min(...plans.map(({ atMs }) => atMs));
  const afterMs = Number.isFinite(first) ? first : 0;
  return {
    name,
    seed,
    forMs: lengthMs(written.for),
    faults: plans,
    commands: commands.map(toCommand),
    expect: expect.map((wanted) => toExpectation(wanted, afterMs)),
  };
}

type Wanted = Written["expect"][number];

function nodeOf(wanted: Wanted): string | undefined {
  if ("node" in wanted) return wanted.node;
  if ("channel" in wanted) return wanted.channel.split("/")[0];
  return "alarm" in wanted ? wanted.alarm.split("/")[0] : undefined;
}

function unknownNode(node: string | undefined, nodes: readonly string[]): string | undefined {
  if (node === undefined || nodes.includes(node)) return undefined;
  return `there is no node "${node}"; known: ${nodes.join(", ")}`;
}

function toCommand({ at, setpoint, value, by }: Written["commands"][number]): CommandPlan {
  const [node = "", name = ""] = setpoint.split("/");
  return { atMs: lengthMs(at), node, setpoint: name, value, by };
}

function expectationProblem(wanted: Wanted, nodes: readonly string[]): string | undefined {
  const problem = unknownNode(nodeOf(wanted), nodes);
  if (problem !== undefined) return problem;
  if ("sums" in wanted || "counts" in wanted) return undefined;
  if ((wanted.within === undefined) === (wanted.by === undefined))
    return 'give exactly one of "within" and "by"';
  return wanted.by !== undefined && wanted.after !== undefined
    ? '"by" counts from the start: leave "after" out'
    : undefined;
}

function toExpectation(wanted: Wanted, firstFaultMs: number): Expectation {
  if ("sums" in wanted) return { kind: "sums" };
  if ("counts" in wanted) {
    const { node, counts, atLeast, atMost } = wanted;
    return { kind: "counter", node, counter: counts, atLeast, atMost: atMost ?? Infinity };
  }
  const window = windowOf(wanted, firstFaultMs);
  if ("node" in wanted) return { kind: "node", node: wanted.node, state: wanted.becomes, window };
  if ("channel" in wanted) {
    const [node = "", channel = ""] = wanted.channel.split("/");
    const { becomes: quality, cause, value } = wanted;
    return { kind: "channel", node, channel, quality, cause, value, window };
  }
  const [node = "", channel = "", alarm = ""] = wanted.alarm.split("/");
  return { kind: "alarm", node, channel, alarm, raised: wanted.raised, window };
}

type Timed = Extract<Wanted, { after?: unknown }>;

function windowOf({ after, within, by }: Timed, firstFaultMs: number): Window {
  if (by !== undefined) return { fromMs: 0, toMs: lengthMs(by) };
  const fromMs = after === undefined ? firstFaultMs : lengthMs(after);
  return { fromMs, toMs: fromMs + lengthMs(within ?? 0) };
}
