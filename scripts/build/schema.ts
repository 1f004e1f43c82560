// SPDX-License-Identifier: MIT
// The schema of node.json: what a node type is, checked once at the edge.
//
// Objects keyed by name keep their order: it is the order of channels, outputs and taps on the wire.
// Limits and dead bands are in engineering units; the generators turn them into constants.
// Every error names the field by its path and says what would be right.

import { z } from "zod";
import {
  ACCELEROMETERS_MAX,
  BURST_SAMPLES_MAX,
  CHANNELS_MAX,
  OUTPUTS_MAX,
  TAPS_MAX,
} from "../../firmware/limits.ts";
import { boardValues, checkBoards } from "./board-values.ts";
import {
  analog,
  computed,
  counter,
  digital,
  field,
  milliseconds,
  name,
  object,
  state,
  unit,
  vibration,
} from "./channels.ts";
import { checkAccelerometers, checkChannel, tenthsOf, unknownTap } from "./checks.ts";
import { checkMachine, checkTaps, lineFields } from "./line-taps.ts";
import { EXCHANGE_PROTOCOLS } from "./exchange-taps.ts";
import { withTemplate } from "./line-templates.ts";
import { METER_PROTOCOLS } from "./object-taps.ts";
import { checkPolls, pollFields } from "./polls.ts";
import { checkWires, modbusFields, register } from "./registers.ts";
import { VIBRATION_RATE_HZ_MIN } from "./generate-vibration.ts";
import {
  checkSetpoints,
  setpoint,
  setpointChannel,
  transport,
  type SetpointChannel,
} from "./setpoints.ts";

const pwm = z
  .strictObject({
    kind: z.literal("pwm").optional(),
    output: z.number().int().min(0).max(15).describe("number of the PWM output"),
    min: z.number().min(0).max(1).default(0),
    max: z.number().min(0).max(1).default(1),
    safe: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("driven on a trap, an overrun and before start"),
  })
  .refine((o) => o.min <= o.max, { message: '"min" is above "max"' })
  .transform((o) => ({ ...o, kind: "pwm" as const }));

// Described to the hub as an output that is either 0 or 1.
const switched = z
  .strictObject({
    kind: z.literal("digital"),
    pin: z.number().int().min(0).max(31).describe("number of the pin"),
    safe: z
      .union([z.literal(0), z.literal(1)])
      .default(0)
      .describe("driven on a trap, an overrun and before start"),
  })
  .transform((o) => ({ ...o, min: 0 as const, max: 1 as const }));

const output = z.discriminatedUnion("kind", [pwm, switched]);

const port = {
  uart: z
    .number()
    .int()
    .min(0)
    .max(TAPS_MAX - 1)
    .describe('which UART; it transmits on a tap of "mode": "poll" alone'),
  baud: z.number().int().min(300).max(921_600).default(9600),
  format: z.enum(["8N1", "8N2", "8E1", "8O1", "7E1", "7O1"]).default("8N1"),
};

const wire = {
  ...port,
  inverted: z
    .boolean()
    .default(false)
    .describe("the line rests low: RS-232, or a P1 port, without an inverter before the pin"),
};

// Each costs memory: 8 octets for each slot of the outbox, and 13 KiB in loop for what is learned.
const watch = {
  learn: z
    .boolean()
    .default(false)
    .describe("learns which registers are asked for, with their values, and tells them"),
  notices: z
    .boolean()
    .optional()
    .describe("tells writes, scans, new and silent units as security events; default: if it polls"),
};

const tap = z.discriminatedUnion("protocol", [
  z.strictObject({
    protocol: z.literal("modbus-rtu"),
    ...wire,
    ...modbusFields,
    ...watch,
    ...pollFields,
  }),
  z.strictObject({ protocol: z.literal("modbus-ascii"), ...wire, ...watch, ...pollFields }),
  z
    .strictObject({
      protocol: z.literal("ascii-line"),
      ...wire,
      baud: wire.baud.unwrap().optional().describe("9600 unless a template says otherwise"),
      format: wire.format.unwrap().optional().describe("8N1 unless a template says otherwise"),
      ...lineFields,
    })
    .transform(({ template, ...own }) => ({ ...own, ...withTemplate(template, own) })),
  z
    .strictObject({ protocol: z.enum(METER_PROTOCOLS).exclude(["iec62056-21"]), ...wire })
    .describe("a meter's line"),
  z
    .strictObject({ protocol: z.enum(EXCHANGE_PROTOCOLS), ...wire })
    .describe("a scale, a controller or a drive, by the book"),
  z
    .strictObject({
      protocol: z.literal("iec62056-21"),
      ...wire,
      follow: z
        .boolean()
        .default(false)
        .describe(
          "sets the UART to the rate that reader and meter agree on; baud is the sign-on's",
        ),
    })
    .describe("a meter's line of IEC 62056-21, modes A to D"),
  z
    .strictObject({ protocol: z.literal("auto"), ...port })
    .describe(
      "finds rate, format and protocol; where a board sees no edges, baud and format come first",
    ),
]);

const accelerometer = z
  .strictObject({
    device: z
      .number()
      .int()
      .min(0)
      .max(ACCELEROMETERS_MAX - 1)
      .describe("number of the device"),
    rateHz: z.number().int().min(VIBRATION_RATE_HZ_MIN).max(3200).describe("samples a second"),
    samples: z
      .number()
      .int()
      .min(256)
      .max(BURST_SAMPLES_MAX)
      .default(2048)
      .describe("length of a burst, after 0.3 s in which the filters settle"),
    rangeG: z.number().min(1).max(200).describe("a count of 32,768 would be this many g"),
    everyMs: milliseconds(3_600_000).default(5000).describe("from one burst to the next"),
  })
  .describe("an accelerometer of one axis that samples by itself");

const simulate = z
  .discriminatedUnion("machine", [
    z.strictObject({ machine: z.literal("oven") }),
    z.strictObject({ machine: z.literal("press") }),
    z.strictObject({
      machine: z.literal("scale"),
      tap: name.describe("name of the tap that hears it"),
    }),
    z.strictObject({
      machine: z.literal("slaves"),
      tap: name.describe("name of the tap that polls them"),
    }),
    z.strictObject({
      machine: z.literal("replay"),
      tap: name,
      trace: z.string().describe("a recorded line (JSON lines), relative to this file"),
      repeat: z.boolean().default(true),
    }),
  ])
  .describe("what stands at the pins when there is no hardware");

const octets = z.number().int().min(1);
const budgets = z
  .strictObject({
    tickCycles: octets.optional().describe("processor cycles of the worst tick"),
    sramBytes: octets.optional().describe("memory on a board, stacks included"),
    flashBytes: octets.optional().describe("image on a board"),
  })
  .describe("what a board's image may take; what is not said is as the board has it");

const channel = z.discriminatedUnion("kind", [
  analog,
  register,
  computed,
  digital,
  counter,
  vibration,
  state,
  field,
  object,
]);

/** A node.json as written, with defaults filled in. Cross-references are checked here too. */
export const nodeSchema = z
  .strictObject({
    $schema: z.string().optional(),
    type: name.describe("name of the node type"),
    periodMs: z.number().min(0.1).max(1000).default(10).describe("period of the loop"),
    channels: z.record(name, channel),
    accelerometers: z.record(name, accelerometer).default({}),
    outputs: z.record(name, output).default({}),
    taps: z.record(name, tap).default({}),
    setpoints: z.record(name, setpoint.extend({ unit: unit.optional() })).default({}),
    transport: transport.prefault({}),
    budgets: budgets.default({}),
    boards: z.record(z.string(), boardValues).default({}),
    simulate: simulate.optional(),
  })
  .superRefine((node, context) => {
    const complain = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const channels = Object.entries(node.channels);
    const finds = Object.values(node.taps).some(({ protocol }) => protocol === "auto");
    if (channels.length === 0 && !finds)
      complain(["channels"], "a node needs at least one channel");
    if (channels.length > CHANNELS_MAX) complain(["channels"], `at most ${CHANNELS_MAX} channels`);
    if (Object.keys(node.outputs).length > OUTPUTS_MAX)
      complain(["outputs"], `at most ${OUTPUTS_MAX} outputs`);
    if (Object.keys(node.taps).length > TAPS_MAX) complain(["taps"], `at most ${TAPS_MAX} taps`);
    if (tenthsOf(node.periodMs) / 10 !== node.periodMs)
      complain(["periodMs"], "a multiple of 0.1 ms");
    for (const [key, channel] of channels) checkChannel(key, channel, node, complain);
    checkAccelerometers(node, complain);
    checkTaps(node.taps, complain);
    checkWires(node.taps, complain);
    checkPolls(node, complain);
    checkMachine(node.simulate, node, complain);
    checkSetpoints(node, complain);
    checkBoards(node, complain);
    const heard = node.simulate !== undefined && "tap" in node.simulate ? node.simulate.tap : null;
    if (heard !== null && node.taps[heard] === undefined)
      complain(["simulate", "tap"], unknownTap(heard, node.taps));
  });

export { channelScale, decimal } from "./steps.ts";

/** A checked node type. */
export type NodeType = z.output<typeof nodeSchema>;
export type Channel = NodeType["channels"][string];
export type AnalogChannel = Extract<Channel, { kind: "analog" }>;
export type RegisterChannel = Extract<Channel, { kind: "register" }>;
export type CounterChannel = Extract<Channel, { kind: "counter" }>;
export type VibrationChannel = Extract<Channel, { kind: "vibration" }>;
export type StateChannel = Extract<Channel, { kind: "state" }>;
export type FieldChannel = Extract<Channel, { kind: "field" }>;
export type ObjectChannel = Extract<Channel, { kind: "object" }>;
export type ComputedChannel = Extract<Channel, { kind: "computed" }>;
/** A declared channel, or a set-point seen as one. */
export type AnyChannel = Channel | SetpointChannel;

/** Declared channels, then set-points: the order of channels on the wire. */
export function allChannels(node: NodeType): [string, AnyChannel][] {
  const setpoints = Object.entries(node.setpoints);
  return [
    ...Object.entries(node.channels),
    ...setpoints.map(([key, of]): [string, AnyChannel] => [key, setpointChannel(of)]),
  ];
}
