// SPDX-License-Identifier: MIT
// The kinds of channels of node.json: their fields, bounds and defaults.
//
// Limits and dead bands are in engineering units. What depends on other fields of the node is checked in
// checks.ts. A kind whose values are whole numbers gets its decimals and its dead band here, so that those
// who read a checked node need not know the kind.

import { z } from "zod";
import { PLACE_TYPES } from "./exchange-taps.ts";
import {
  ALARMS_PER_CHANNEL_MAX,
  AVERAGE_SAMPLES_MAX,
  NAME_BYTES_MAX,
} from "../../firmware/limits.ts";

const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9_-]{0,${NAME_BYTES_MAX - 1}}$`);
/** Name of a channel, an alarm, an output, a tap. */
export const name = z
  .string()
  .regex(
    NAME,
    `a name is 1 to ${NAME_BYTES_MAX} letters, digits, - and _, and starts with no sign`,
  );

export const milliseconds = (max: number) => z.number().int().min(1).max(max);

// RFC 8428 primary units that a machine node meets; "%" and other discouraged ones are refused.
const UNITS = (
  "m kg s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx m2 m3 m/s m/s2 m3/s W/m2 " +
  "bit bit/s pH dB dBW count / %RH %EL 1/s S/m B VA VAs var vars J/m kg/m3 NTU"
).split(" ");
export const unit = z
  .enum(UNITS as [string, ...string[]])
  .describe("SenML primary unit (RFC 8428 §12.1); leave it out for a pure number");

const alarm = z
  .strictObject({
    above: z.number().optional().describe("raised when the value is above this"),
    below: z.number().optional().describe("raised when the value is below this"),
    hysteresis: z.number().nonnegative().default(0).describe("returns this far inside the limit"),
    delayMs: z.number().int().min(0).max(3_600_000).default(0).describe("must last this long"),
    latch: z.boolean().default(false).describe("stays raised until node code resets it"),
  })
  .refine((a) => (a.above === undefined) !== (a.below === undefined), {
    message: 'give exactly one of "above" and "below"',
  });

/** Of every kind. */
export const told = {
  qos: z
    .union([z.literal(0), z.literal(1)])
    .default(1)
    .describe("1: acknowledged, nothing lost"),
  heartbeatMs: milliseconds(3_600_000)
    .default(10_000)
    .describe("publish at least this often; with a deadband, where there is one"),
  alarms: z
    .record(name, alarm)
    .default({})
    .refine((a) => Object.keys(a).length <= ALARMS_PER_CHANNEL_MAX, {
      message: `at most ${ALARMS_PER_CHANNEL_MAX} alarms a channel`,
    }),
};

/** Values of a line: told by exception only where there is a dead band. */
export const reporting = {
  ...told,
  unit: unit.optional(),
  deadband: z
    .number()
    .nonnegative()
    .optional()
    .describe("publish only when the value moved by more than this; absent: every sample"),
};

const decimals = z.number().int().min(0).max(6).describe("digits after the point, fixed");

/** An ADC input. */
export const analog = z
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
    oversample: z
      .union([z.literal(1), z.literal(4), z.literal(16), z.literal(64)])
      .default(1)
      .describe("mean of so many counts, with its fraction"),
    median: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(1),
    lowpassHz: z.number().positive().optional().describe("low-pass of second order; -3 dB there"),
    average: z
      .number()
      .int()
      .min(1)
      .max(AVERAGE_SAMPLES_MAX)
      .default(1)
      .describe("mean of the latest samples"),
    ema: z.number().gt(0).max(1).default(1).describe("weight of the new sample; 1: no smoothing"),
    decimate: z.number().int().min(1).max(1000).default(1).describe("every so many samples one"),
    rateLimit: z.number().positive().optional().describe("most units a second"),
    ...reporting,
  })
  .describe("an ADC input");

/** A field of a text line. */
export const field = z
  .strictObject({
    kind: z.literal("field"),
    tap: name,
    pattern: name.optional().describe("the only pattern of the tap that is heard; absent: each"),
    field: name.describe("field of the patterns"),
    decimals: decimals.default(0),
    scale: z
      .number()
      .positive()
      .default(1)
      .describe("what 1 on the line is in the unit, a power of ten: 0.001 for g in kg"),
    staleMs: milliseconds(3_600_000)
      .optional()
      .describe("bad (stale) when it was not heard for this long"),
    ...reporting,
  })
  .describe("a field of a text line heard on a tap");

/** An object of a meter. */
export const object = z
  .strictObject({
    kind: z.literal("object"),
    tap: name,
    object: z
      .string()
      .min(1)
      .max(64)
      .describe(
        'OBIS code as "1-0:1.8.0"; of M-Bus DIB and VIB of the record, as "0413"; a place as N7:10',
      ),
    type: z
      .enum(PLACE_TYPES)
      .optional()
      .describe("of a controller's place: how its octets make a number, unless the object says"),
    value: z
      .number()
      .int()
      .min(1)
      .max(255)
      .optional()
      .describe("which of several values of the object; absent: the last one with a unit"),
    unitId: z
      .number()
      .int()
      .min(0)
      .max(254)
      .optional()
      .describe("address of an M-Bus meter (0..253), a controller or a drive"),
    meterId: z
      .string()
      .regex(/^\d{8}$/, "the number of a meter has eight digits")
      .optional()
      .describe("identification number of an M-Bus meter"),
    decimals: z
      .number()
      .int()
      .min(-3)
      .max(6)
      .default(0)
      .describe("digits after the point that are kept; -3: thousands"),
    scale: z
      .number()
      .positive()
      .default(1)
      .describe("what 1 of the meter is in the unit, a decimal: 3600 for Wh in J"),
    staleMs: milliseconds(86_400_000)
      .optional()
      .describe("bad (stale) when it was not heard for this long"),
    ...reporting,
  })
  .describe("what a meter, scale or controller says on a tap; of meters in Wh, W, V, A, m3, J, s");

/** A value of node code. */
export const computed = z
  .strictObject({
    kind: z.literal("computed"),
    decimals: decimals.default(2),
    ...reporting,
  })
  .describe("a value that loop.ts reports");

// Whole numbers that are told on every change.
const stepwise = <T extends object>(one: T) => ({
  ...one,
  decimals: 0 as const,
  deadband: 0 as const,
});

/** A pin of one bit. */
export const digital = z
  .strictObject({
    kind: z.literal("digital"),
    pin: z.number().int().min(0).max(31).describe("number of the pin"),
    invert: z.boolean().default(false).describe("1 when the pin is low"),
    debounceMs: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(20)
      .describe("a new level must last this long; 0: each tick counts"),
    ...told,
  })
  .transform((one) => ({ ...stepwise(one), unit: undefined }))
  .describe("an input pin: 0 or 1, published on each change");

/** A pulse counter. */
export const counter = z
  .strictObject({
    kind: z.literal("counter"),
    input: z.number().int().min(0).max(15).describe("number of the pulse input"),
    everyMs: milliseconds(3_600_000).default(1000).describe("a multiple of the tick"),
    scale: z.number().positive().default(1).describe("engineering value of one pulse, a decimal"),
    ...reporting,
  })
  .describe("pulses since power-on; wraps at 2^32");

// SenML units of what vibration is measured in; the others are pure numbers.
const FEATURE_UNITS = {
  "velocity-rms": "m/s",
  "acceleration-rms": "m/s2",
  peak: "m/s2",
  crest: undefined,
  kurtosis: undefined,
};

/** A feature of a burst of an accelerometer. */
export const vibration = z
  .strictObject({
    kind: z.literal("vibration"),
    accelerometer: name,
    feature: z.enum(["velocity-rms", "acceleration-rms", "peak", "crest", "kurtosis"]),
    decimals: decimals.default(4),
    deadband: reporting.deadband,
    ...told,
  })
  .transform((one) => ({ ...one, unit: FEATURE_UNITS[one.feature] }))
  .describe("velocity in m/s from 10 to 1,000 Hz, acceleration and peak in m/s2");

const condition = (says: string) =>
  z
    .strictObject({
      channel: name,
      above: z.number().optional(),
      below: z.number().optional(),
      equals: z.number().optional(),
    })
    .refine((c) => [c.above, c.below, c.equals].filter((v) => v !== undefined).length === 1, {
      message: 'give exactly one of "above", "below" and "equals"',
    })
    .describe(says);

const dwell = z.number().int().min(0).max(3_600_000).default(0);

/** What the machine is doing. */
export const state = z
  .strictObject({
    kind: z.literal("state"),
    fault: condition("the machine has failed").optional(),
    run: condition("the machine makes something"),
    idle: condition("it could, and waits; else it is stopped").optional(),
    dwellMs: z
      .strictObject({ run: dwell, idle: dwell, stopped: dwell, fault: dwell })
      .prefault({})
      .describe("a new state must last this long"),
    ...told,
  })
  .transform((one) => ({ ...stepwise(one), unit: undefined }))
  .describe("0 stopped, 1 idle, 2 run, 3 fault; the first that is true of fault, run, idle");
