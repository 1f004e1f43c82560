// SPDX-License-Identifier: MIT
// The schema of node.json: what a node type is, checked once at the edge.
//
// Objects keyed by name keep their order: it is the order of channels, outputs and taps on the wire.
// Limits and dead bands are in engineering units; the generators turn them into constants.
// Every error names the field by its path and says what would be right.

import { z } from "zod";
import {
  ALARMS_PER_CHANNEL_MAX,
  CHANNELS_MAX,
  NAME_BYTES_MAX,
  OUTPUTS_MAX,
  TAPS_MAX,
} from "../../firmware/limits.ts";

const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9_-]{0,${NAME_BYTES_MAX - 1}}$`);
const name = z
  .string()
  .regex(
    NAME,
    `a name is 1 to ${NAME_BYTES_MAX} letters, digits, - and _, and starts with no sign`,
  );

const milliseconds = (max: number) => z.number().int().min(1).max(max);

// RFC 8428 primary units that a machine node meets; "%" and other discouraged ones are refused.
const UNITS = (
  "m kg s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx m2 m3 m/s m/s2 m3/s W/m2 " +
  "bit bit/s pH dB dBW count / %RH %EL 1/s S/m B VA VAs var vars J/m kg/m3 NTU"
).split(" ");
const unit = z
  .enum(UNITS as [string, ...string[]])
  .describe("SenML primary unit (RFC 8428 §12.1); leave it out for a pure number");

const alarm = z
  .strictObject({
    above: z.number().optional().describe("raised when the value is above this"),
    below: z.number().optional().describe("raised when the value is below this"),
    hysteresis: z.number().nonnegative().default(0).describe("returns this far inside the limit"),
    delayMs: z.number().int().min(0).max(3_600_000).default(0).describe("must last this long"),
  })
  .refine((a) => (a.above === undefined) !== (a.below === undefined), {
    message: 'give exactly one of "above" and "below"',
  });

const reporting = {
  unit: unit.optional(),
  qos: z
    .union([z.literal(0), z.literal(1)])
    .default(1)
    .describe("1: acknowledged, nothing lost"),
  deadband: z
    .number()
    .nonnegative()
    .optional()
    .describe("publish only when the value moved by more than this; absent: every sample"),
  heartbeatMs: milliseconds(3_600_000)
    .default(10_000)
    .describe("with a deadband: publish at least this often"),
  alarms: z
    .record(name, alarm)
    .default({})
    .refine((a) => Object.keys(a).length <= ALARMS_PER_CHANNEL_MAX, {
      message: `at most ${ALARMS_PER_CHANNEL_MAX} alarms a channel`,
    }),
};

const decimals = z.number().int().min(0).max(6).describe("digits after the point, fixed");

const analog = z
  .strictObject({
    kind: z.literal("analog"),
    input: z.number().int().min(0).max(15).describe("number of the ADC input"),
    everyMs: milliseconds(3_600_000)
      .default(100)
      .describe("sampling period; a multiple of the tick"),
    decimals: decimals.default(2),
    scale: z
      .strictObject({
        raw: z.tuple([z.number().int(), z.number().int()]),
        value: z.tuple([z.number(), z.number()]),
      })
      .refine((s) => s.raw[0] !== s.raw[1], { message: "the two raw counts must differ" })
      .describe("two points of a straight line from raw counts (0..4095) to the engineering value"),
    valid: z
      .tuple([z.number().int().min(0), z.number().int().max(4095)])
      .default([0, 4095])
      .describe("raw counts outside are no reading but a bad quality"),
    belowCause: z.enum(["under-range", "open-wire"]).default("under-range"),
    aboveCause: z.enum(["over-range", "open-wire"]).default("over-range"),
    median: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(1),
    ema: z.number().gt(0).max(1).default(1).describe("weight of the new sample; 1: no smoothing"),
    ...reporting,
  })
  .describe("an ADC input");

const register = z
  .strictObject({
    kind: z.literal("register"),
    tap: name,
    unitId: z.number().int().min(1).max(247),
    table: z.enum(["holding", "input"]),
    address: z.number().int().min(0).max(65535).describe("zero-based, as on the wire"),
    type: z.enum(["u16", "i16", "u32", "i32", "f32"]).default("u16"),
    order: z
      .enum(["ABCD", "CDAB", "BADC", "DCBA"])
      .default("ABCD")
      .describe("order of the octets of a 32-bit value; BADC and DCBA also swap a 16-bit one"),
    scale: z.number().positive().default(1).describe("engineering value of one step, a decimal"),
    staleMs: milliseconds(3_600_000)
      .optional()
      .describe("bad (stale) when it was not heard for this long"),
    ...reporting,
  })
  .describe("a register heard on a Modbus tap");

const computed = z
  .strictObject({
    kind: z.literal("computed"),
    decimals: decimals.default(2),
    ...reporting,
  })
  .describe("a value that loop.ts reports");

const output = z
  .strictObject({
    kind: z.literal("pwm").default("pwm"),
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
  .refine((o) => o.min <= o.max, { message: '"min" is above "max"' });

const tap = z.strictObject({
  uart: z
    .number()
    .int()
    .min(0)
    .max(TAPS_MAX - 1)
    .describe("which UART listens; it never transmits"),
  protocol: z.literal("modbus-rtu"),
  baud: z.number().int().min(300).max(921_600).default(9600),
  format: z.enum(["8N1", "8N2", "8E1", "8O1", "7E1", "7O1"]).default("8N1"),
});

const simulate = z
  .discriminatedUnion("machine", [
    z.strictObject({ machine: z.literal("oven") }),
    z.strictObject({
      machine: z.literal("replay"),
      tap: name,
      trace: z.string().describe("a recorded line (JSON lines), relative to this file"),
      repeat: z.boolean().default(true),
    }),
  ])
  .describe("what stands at the pins when there is no hardware");

/** A node.json as written, with defaults filled in. Cross-references are checked here too. */
export const nodeSchema = z
  .strictObject({
    $schema: z.string().optional(),
    type: name.describe("name of the node type"),
    periodMs: z.number().min(0.1).max(1000).default(10).describe("period of the loop"),
    channels: z.record(name, z.discriminatedUnion("kind", [analog, register, computed])),
    outputs: z.record(name, output).default({}),
    taps: z.record(name, tap).default({}),
    simulate: simulate.optional(),
  })
  .superRefine((node, context) => {
    const complain = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const channels = Object.entries(node.channels);
    if (channels.length === 0) complain(["channels"], "a node needs at least one channel");
    if (channels.length > CHANNELS_MAX) complain(["channels"], `at most ${CHANNELS_MAX} channels`);
    if (Object.keys(node.outputs).length > OUTPUTS_MAX)
      complain(["outputs"], `at most ${OUTPUTS_MAX} outputs`);
    if (Object.keys(node.taps).length > TAPS_MAX) complain(["taps"], `at most ${TAPS_MAX} taps`);
    if (!Number.isInteger(node.periodMs * 10)) complain(["periodMs"], "a multiple of 0.1 ms");
    for (const [key, channel] of channels) checkChannel(key, channel, node, complain);
    for (const [key, o] of Object.entries(node.outputs))
      if (o.safe < 0 || o.safe > 1) complain(["outputs", key, "safe"], "between 0 and 1");
    if (node.simulate?.machine === "replay" && node.taps[node.simulate.tap] === undefined)
      complain(["simulate", "tap"], unknownTap(node.simulate.tap, node.taps));
  });

/** A checked node type. */
export type NodeType = z.output<typeof nodeSchema>;
export type Channel = NodeType["channels"][string];
export type AnalogChannel = Extract<Channel, { kind: "analog" }>;
export type RegisterChannel = Extract<Channel, { kind: "register" }>;
export type ComputedChannel = Extract<Channel, { kind: "computed" }>;

/** A decimal as mantissa × 10^exponent, without trailing zeros; 0.1 gives { mantissa: 1, exponent: -1 }. */
export function decimal(value: number): { mantissa: number; exponent: number } {
  const [digits = "0", power = "0"] = value.toExponential().split("e");
  const fraction = digits.split(".")[1] ?? "";
  return {
    mantissa: Number(digits.replace(".", "")),
    exponent: Number(power) - fraction.length,
  };
}

/** The fixed decimal that one mantissa step of a channel stands for. */
export function channelScale(channel: Channel): { mantissa: number; exponent: number } {
  return channel.kind === "register"
    ? decimal(channel.scale)
    : { mantissa: 1, exponent: channel.decimals === 0 ? 0 : -channel.decimals };
}

function checkChannel(
  key: string,
  channel: Channel,
  node: { periodMs: number; taps: Record<string, unknown> },
  complain: (path: (string | number)[], message: string) => void,
): void {
  const path = ["channels", key];
  if (channel.kind === "analog") {
    if (channel.everyMs % node.periodMs !== 0)
      complain([...path, "everyMs"], `a multiple of the period, ${node.periodMs} ms`);
    if (channel.valid[0] >= channel.valid[1])
      complain([...path, "valid"], "the lower count comes first");
  }
  if (channel.kind === "register") {
    if (node.taps[channel.tap] === undefined)
      complain([...path, "tap"], unknownTap(channel.tap, node.taps));
    const { mantissa } = decimal(channel.scale);
    if (mantissa > 9999) complain([...path, "scale"], "at most four significant digits");
    if (/32/.test(channel.type) && channel.address === 65535)
      complain([...path, "address"], "a 32-bit value needs two registers");
  }
}

function unknownTap(wanted: string, taps: Record<string, unknown>): string {
  const known = Object.keys(taps);
  return known.length === 0
    ? `there is no tap "${wanted}": add it to "taps"`
    : `there is no tap "${wanted}"; known: ${known.join(", ")}`;
}
