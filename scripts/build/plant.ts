// SPDX-License-Identifier: MIT
// Reads plant.json and makes the plan that a simulation or a run carries out.
//
// PLANT is a folder with a plant.json, such a file, or a NODE folder, which counts as the plant of that node.
// Each node type is built once. A node's EUI-64 follows from its id unless it is given, so that it never changes.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { NODE_ID_BYTES_MAX } from "../../firmware/wire/info.ts";
import { CaptureError, parseTrace } from "../../host-sim/devices/replay.ts";
import type { HubConfig } from "../../hub/hub.ts";
import type {
  AccelerometerPlan,
  NodePlan,
  PlantPlan,
  SetpointPlan,
  TraceByte,
} from "../../host-sim/plan.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { buildNode, type BuildOptions, type BuiltNode } from "./modules.ts";
import { FAULTS_MAX, faultSchema, reportFaults, toFaultPlan } from "./faults.ts";
import { isInverted } from "./polarity.ts";
import { polls } from "./polls.ts";
import { orderCode, registersOf, tableCode } from "./registers.ts";
import type { NodeType } from "./schema.ts";
import { setpointSteps } from "./setpoints.ts";
import { findDescription, jsonSchema, readDescription, readNode, show } from "./node.ts";

const NODES_MAX = 1000; // a fleet on one machine, as the bench runs it; more is several plants
const DUTY_MAX = 65_535;
const DUTY_ROUNDING = 4; // loop's duties are in 1/10,000: half a step and what rounding adds

const level = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, - and _: it is a topic level");
const nodeId = z
  .string()
  .regex(
    new RegExp(`^[A-Za-z0-9_-]{1,${NODE_ID_BYTES_MAX}}$`),
    `a node id is 1 to ${NODE_ID_BYTES_MAX} letters, digits, - and _`,
  );

const simulateSchema = z.discriminatedUnion("machine", [
  z.strictObject({ machine: z.literal("oven") }),
  z.strictObject({ machine: z.literal("press") }),
  z.strictObject({
    machine: z.literal("scale"),
    tap: z.string().describe("name of the tap that hears it"),
  }),
  z.strictObject({
    machine: z.literal("slaves"),
    tap: z.string().describe("name of the tap that polls them"),
  }),
  z.strictObject({
    machine: z.literal("replay"),
    tap: z.string(),
    trace: z.string().describe("a recorded line (JSON lines), relative to this file"),
    repeat: z.boolean().default(true),
  }),
]);
type Simulate = z.output<typeof simulateSchema>;

const planSchema = z.strictObject({
  busyShare: z.number().positive().max(1).describe("share of the time that is planned busy time"),
  itemMs: z.number().positive().max(86_400_000).describe("planned run time per item"),
  total: z.string().min(1).max(32).describe("counter channel of produced items"),
  rejects: z.string().min(1).max(32).optional().describe("counter channel of bad items"),
});

const plantNode = z.strictObject({
  id: nodeId.describe("names the node on the wire; no two alike"),
  node: z.string().min(1).describe("folder of its node type, relative to this file"),
  eui64: z
    .string()
    .regex(/^[0-9a-f]{16}$/, "16 lower-case hex digits")
    .optional()
    .describe("EUI-64; absent: follows from the id"),
  line: level.optional(),
  cell: level.optional(),
  plan: planSchema.optional().describe("production plan, for effectiveness (OEE)"),
  simulate: simulateSchema.optional().describe("in place of what the node type says"),
});
/** A plant.json as written. */
export const plantSchema = z
  .strictObject({
    $schema: z.string().optional(),
    enterprise: level,
    site: level,
    area: level,
    line: level,
    cell: level,
    nodes: z.array(plantNode).min(1).max(NODES_MAX),
    faults: z.array(faultSchema).max(FAULTS_MAX).default([]),
  })
  .superRefine((plant, context) => {
    const ids = plant.nodes.map((node) => node.id);
    plant.nodes.forEach(({ id }, index) => {
      if (ids.indexOf(id) < index)
        context.addIssue({
          code: "custom",
          path: ["nodes", index, "id"],
          message: `"${id}" stands here a second time`,
        });
    });
    reportFaults(plant.faults, ids, (path, message) =>
      context.addIssue({ code: "custom", path, message }),
    );
  });

export type PlantType = z.output<typeof plantSchema>;
type PlantNode = PlantType["nodes"][number];

export interface Plant {
  folder: string; // where the paths in it start
  type: PlantType;
}

/** The JSON Schema that editors use for plant.json. */
export function plantJsonSchema(): string {
  return jsonSchema(plantSchema, "plant.json: nodes, where they stand, and what befalls them");
}

/** Reads a plant.json, or makes the plant of one node; throws a Failure that lists all that is wrong. */
export function readPlant(path: string): Plant {
  const full = resolve(path);
  if (!existsSync(join(full, "plant.json")) && existsSync(join(full, "node.json")))
    return plantOfNode(full);
  const file = findDescription(path, "plant.json");
  return { folder: dirname(file), type: readDescription(file, plantSchema) as PlantType };
}

/** Builds what the plant needs, each node type once, and gives its plan. */
export async function toPlantPlan(plant: Plant, options: BuildOptions = {}): Promise<PlantPlan> {
  const built = new Map<string, BuiltNode>();
  const nodes: NodePlan[] = [];
  for (const node of plant.type.nodes) {
    const folder = resolve(plant.folder, node.node);
    if (!built.has(folder)) built.set(folder, await buildNode(folder, options));
    nodes.push(toNodePlan(node, built.get(folder)!, plant.folder));
  }
  return { hub: hubConfig(plant), nodes, faults: plant.type.faults.map(toFaultPlan) };
}

/** Where everything stands, as the hub wants to know it. */
export function hubConfig(plant: Plant): HubConfig {
  const { enterprise, site, area, line, cell } = plant.type;
  const places = plant.type.nodes.map((node) => [node.id, placeOf(node)] as const);
  return { root: "umh/v1", enterprise, site, area, line, cell, nodes: Object.fromEntries(places) };
}

/** The EUI-64 that follows from a node id: SHA-256 of it, marked locally administered, not a group. */
export function eui64Of(id: string): Uint8Array {
  const bytes = new Uint8Array(createHash("sha256").update(id).digest().subarray(0, 8));
  bytes[0] = (bytes[0]! & 0xfc) | 0x02; // EUI-64 guidelines: U/L bit set, I/G bit clear
  return bytes;
}

function plantOfNode(folder: string): Plant {
  const { type } = readNode(folder);
  const place = {
    enterprise: "enterprise",
    site: "site",
    area: "area",
    line: "line",
    cell: "cell",
  };
  const id = type.type.slice(0, NODE_ID_BYTES_MAX);
  return { folder, type: { ...place, nodes: [{ id, node: "." }], faults: [] } };
}

function placeOf({ line, cell, plan }: PlantNode): NonNullable<HubConfig["nodes"]>[string] {
  return {
    ...(line !== undefined && { line }),
    ...(cell !== undefined && { cell }),
    ...(plan !== undefined && { plan }),
  };
}

function toNodePlan(node: PlantNode, built: BuiltNode, plantFolder: string): NodePlan {
  const { type } = built;
  return {
    id: node.id,
    eui64:
      node.eui64 === undefined ? eui64Of(node.id) : new Uint8Array(Buffer.from(node.eui64, "hex")),
    loopWasm: built.loop.wasm,
    linkWasm: built.link.wasm,
    loopHash: built.loop.hash,
    linkHash: built.link.hash,
    periodUs: Math.round(type.periodMs * 1000),
    ...toPinPlan(type),
    setpoints: toSetpointPlans(type),
    taps: Object.entries(type.taps).map(([name, tap]) => {
      const { uart, baud, format } = tap;
      const inverted = isInverted(tap) && { inverted: true };
      return { name, uart, baud, format, ...inverted, ...(polls(tap) && { polls: true }) };
    }),
    machine:
      node.simulate === undefined
        ? machineOf(built, type.simulate, built.folder)
        : machineOf(built, node.simulate, plantFolder),
    gateways: 1,
  };
}

/** What a node type says of its pins; digital outputs and accelerometers only where it has them. */
interface Pins {
  outputs: Record<
    string,
    | { kind: "pwm"; output: number; min: number; max: number; safe: number }
    | { kind: "digital"; pin: number; safe: 0 | 1 }
  >;
  accelerometers?: Record<string, AccelerometerPlan>;
}

/** Outputs and accelerometers of a node type, as a host knows them. */
export function toPinPlan({
  outputs,
  accelerometers = {},
}: Pins): Pick<NodePlan, "outputs" | "digitalOutputs" | "accelerometers"> {
  const all = Object.entries(outputs);
  return {
    outputs: all.flatMap(([name, made]) =>
      made.kind === "pwm"
        ? [
            {
              name,
              output: made.output,
              safeDuty: Math.round(made.safe * DUTY_MAX),
              minDuty: Math.round(made.min * DUTY_MAX) - DUTY_ROUNDING,
              maxDuty: Math.round(made.max * DUTY_MAX) + DUTY_ROUNDING,
            },
          ]
        : [],
    ),
    digitalOutputs: all.flatMap(([name, made]) =>
      made.kind === "digital" ? [{ name, pin: made.pin, safe: made.safe }] : [],
    ),
    accelerometers: Object.values(accelerometers).map(({ device, rateHz, rangeG }) => ({
      device,
      rateHz,
      rangeG,
    })),
  };
}

function toSetpointPlans({ channels, setpoints }: NodeType): SetpointPlan[] {
  const first = Object.keys(channels).length;
  return Object.entries(setpoints).map(([name, { decimals, min, max }], index) => ({
    name,
    channel: first + index,
    decimals,
    min: setpointSteps(min, decimals),
    max: setpointSteps(max, decimals),
  }));
}

function machineOf(
  built: BuiltNode,
  simulate: Simulate | undefined,
  folder: string,
): NodePlan["machine"] {
  if (simulate === undefined) return { kind: "none" };
  if (simulate.machine === "oven" || simulate.machine === "press")
    return { kind: simulate.machine };
  const tap = Object.keys(built.type.taps).indexOf(simulate.tap);
  if (tap < 0)
    throw new Failure(
      EXIT_NOT_FOUND,
      `${built.type.type} has no tap "${simulate.tap}" for its ${simulate.machine}`,
      `name one of ${Object.keys(built.type.taps).join(", ") || "its taps; it has none"}`,
    );
  if (simulate.machine === "scale") return { kind: "scale", tap };
  if (simulate.machine === "slaves") return slavesOf(built.type, simulate.tap, tap);
  const file = resolve(folder, simulate.trace);
  if (!existsSync(file))
    throw new Failure(
      EXIT_NOT_FOUND,
      `${show(join(built.folder, "node.json"))}: simulate.trace: there is no file ${show(file)}`,
      "give the path of a recorded line, relative to node.json",
    );
  return { kind: "replay", tap, trace: readTrace(file), repeat: simulate.repeat };
}

// Units that hold what the channels of a tap name.
function slavesOf({ taps, channels }: NodeType, name: string, tap: number): NodePlan["machine"] {
  const registers = Object.values(channels).flatMap((one) =>
    one.kind === "register" && one.tap === name
      ? [
          {
            ...{ unit: one.unitId, code: tableCode(one), address: one.address },
            ...{ type: one.type, order: orderCode(one), registers: registersOf(one) },
          },
        ]
      : [],
  );
  return { kind: "slaves", tap, ascii: taps[name]!.protocol === "modbus-ascii", registers };
}

function readTrace(file: string): TraceByte[] {
  try {
    return parseTrace(readFileSync(file, "utf8"));
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new Failure(EXIT_FAILED, `${show(file)}: ${error.message}`, "record the line anew");
  }
}
