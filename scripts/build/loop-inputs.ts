// SPDX-License-Identifier: MIT
// Rows of what loop samples or hears, and of states that follow from it.
//
// Each row has the fields of its struct in firmware/loop, in their order. What cannot be built is a
// Failure with its field.

import { BURST_SAMPLES_PER_TICK } from "../../firmware/limits.ts";
import {
  CAUSE_OPEN_WIRE,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
} from "../../firmware/wire/record.ts";
import { LINE_FORMATS } from "../../firmware/wire/line-names.ts";
import { isJsBoard } from "./board-names.ts";
import type { BoardNode } from "./board-values.ts";
import { butterworthLowpass } from "./butterworth.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { absentFields, lineTables, patternFields, type LineTables } from "./generate-line.ts";
import { vibrationFields } from "./generate-vibration.ts";
import { patternsOf, type LineTap } from "./line-taps.ts";
import type { Row } from "./loop-table.ts";
import { orderCode, tableCode, textBytes, typeCode } from "./registers.ts";
import type { AnalogChannel, NodeType, RegisterChannel, StateChannel } from "./schema.ts";
import { I32_MAX, I32_MIN, level } from "./steps.ts";

const CAUSES = {
  "under-range": CAUSE_UNDER_RANGE,
  "over-range": CAUSE_OVER_RANGE,
  "open-wire": CAUSE_OPEN_WIRE,
};
// In the order of FEATURE_* in firmware/loop/vibration.ts.
const FEATURES = ["velocity-rms", "acceleration-rms", "peak", "crest", "kurtosis"];
const BURST_SAMPLES_MIN = 8; // a sensor with a buffer brings that many at once
const RAW_FULL = 4096; // the line is tabled at raw 0 and here, so that a shift takes the place of a division
const FRACTION = 65_536;
const DOUBLE_SPAN_MAX = 2 ** 21; // times 2^15 of fraction and 2^16 of weight: below 2^53 (wide-double.ts)
const STEP_MAX = 2 ** 48; // as far as an i32 can move

/** AnalogRow, sample.ts. */
export function analogRowsOf(node: BoardNode): Row[] {
  return Object.entries(node.channels).flatMap(([name, channel], index) => {
    if (channel.kind !== "analog") return [];
    return [{ name, fields: analogFields(node, name, channel, index) }];
  });
}

function analogFields(node: BoardNode, name: string, c: AnalogChannel, index: number): number[] {
  const [zero, full] = [linePoint(name, c, 0), linePoint(name, c, RAW_FULL)];
  if (isJsBoard(node.board) && Math.abs(full[0] - zero[0]) >= DOUBLE_SPAN_MAX)
    throw new Failure(
      EXIT_FAILED,
      `channels.${name}.scale: all counts together are ${Math.abs(full[0] - zero[0])} steps of ` +
        `1e-${c.decimals}; ${node.board} takes ${DOUBLE_SPAN_MAX - 1}`,
      'give fewer "decimals"',
    );
  return [
    index,
    c.input,
    Math.round(c.everyMs / node.periodMs),
    c.valid[0],
    c.valid[1],
    CAUSES[c.belowCause],
    CAUSES[c.aboveCause],
    ...zero,
    ...full,
    c.median,
    Math.max(1, Math.round(c.ema * FRACTION)),
  ];
}

/** ChainRow, chain.ts: one for each analog channel, or none at all when none uses more than ema. */
export function chainRowsOf(node: NodeType): Row[] {
  const analog = Object.entries(node.channels).flatMap(([name, c]) =>
    c.kind === "analog" ? [{ name, c }] : [],
  );
  const isUsed = ({ c }: { c: AnalogChannel }): boolean =>
    c.oversample > 1 ||
    c.lowpassHz !== undefined ||
    c.average > 1 ||
    c.decimate > 1 ||
    c.rateLimit !== undefined;
  return analog.some(isUsed) ? analog.map(({ name, c }) => ({ name, fields: chainFields(c) })) : [];
}

function chainFields(c: AnalogChannel): number[] {
  const { lowpassHz, everyMs } = c;
  const lowpass =
    lowpassHz === undefined
      ? [0, 0, 0, 0, 0, 0]
      : [1, ...butterworthLowpass(lowpassHz, 1000 / everyMs)];
  return [Math.log2(c.oversample), ...lowpass, c.average, c.decimate, ...rateStep(c)];
}

// The largest move from one passed sample to the next, Q16, in two halves; 0: no limit.
function rateStep(c: AnalogChannel): [number, number] {
  if (c.rateLimit === undefined) return [0, 0];
  const seconds = (c.everyMs * c.decimate) / 1000;
  const exact = Math.round(c.rateLimit * 10 ** c.decimals * seconds * FRACTION);
  const step = Math.min(Math.max(1, exact), STEP_MAX);
  return [step | 0, Math.floor(step / 2 ** 32)];
}

// Mantissa steps at a raw count: whole steps, and 1/65536 of one.
function linePoint(name: string, channel: AnalogChannel, raw: number): [number, number] {
  const { raw: from, value } = channel.scale;
  const slope = (value[1] - value[0]) / (from[1] - from[0]);
  const steps = (value[0] + slope * (raw - from[0])) * 10 ** channel.decimals;
  if (!(steps > I32_MIN && steps < I32_MAX))
    throw new Failure(
      EXIT_FAILED,
      `channels.${name}.scale: the line is at ${steps} steps of 1e-${channel.decimals} ` +
        `for the raw count ${raw}, beyond 32 bits`,
      'give fewer "decimals", or two points that are further apart',
    );
  const fixed = Math.round(steps * FRACTION); // below 2^47: exact
  const whole = Math.floor(fixed / FRACTION);
  return [whole, fixed - whole * FRACTION];
}

/** RegisterRow, tap/register.ts. */
export function registerRowsOf(node: NodeType): Row[] {
  const taps = Object.keys(node.taps);
  const rows = Object.entries(node.channels).flatMap(([name, channel], index) =>
    channel.kind === "register" ? [{ name, fields: registerFields(taps, channel, index) }] : [],
  );
  // By tap, unit, function code, address; the stable sort keeps the order of channels after that.
  const key = ({ fields }: Row): number[] => fields.slice(1, 5);
  return rows.sort((a, b) => compareLists(key(a), key(b)));
}

function registerFields(taps: string[], channel: RegisterChannel, index: number): number[] {
  return [
    index,
    taps.indexOf(channel.tap),
    channel.unitId,
    tableCode(channel),
    channel.address,
    typeCode(channel),
    orderCode(channel),
    channel.staleMs ?? 0,
  ];
}

/** TextRow, tick/texts.ts. */
export function textRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([name, channel], index) =>
    channel.kind === "register" && textBytes(channel) > 0 ? [{ name, fields: [index] }] : [],
  );
}

function compareLists(a: number[], b: number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

/** Tables of the taps of lines. */
export function linesOf(node: NodeType): LineTables {
  return lineTables(
    Object.entries(node.taps).flatMap(([name, tap], order): [string, LineTap, number][] =>
      tap.protocol === "ascii-line" ? [[name, tap, order]] : [],
    ),
  );
}

/** AutoRow, tick/auto.ts: taps that find their line. */
export function autoRowsOf(node: NodeType): Row[] {
  return Object.entries(node.taps).flatMap(([name, { protocol, baud, format }], index) =>
    protocol === "auto" ? [{ name, fields: [index, baud, LINE_FORMATS.indexOf(format)] }] : [],
  );
}

/** FieldRow, tick/lines.ts. */
export function fieldRowsOf(node: NodeType, { patternNames }: LineTables): Row[] {
  return Object.entries(node.channels).flatMap(([name, c], index) => {
    const tap = c.kind === "field" ? node.taps[c.tap] : undefined;
    if (c.kind !== "field" || tap?.protocol !== "ascii-line") return [];
    // One step of the channel in digits after the point as the line has it.
    const decimals = c.decimals + Math.round(Math.log10(c.scale));
    const row = (pattern: string, order: number, staleMs: number): Row => {
      const number = patternNames.indexOf(`${c.tap}/${pattern}`);
      return { name, fields: [index, number, order, decimals, staleMs] };
    };
    const heard = patternsOf(tap, c).map((pattern, i) => {
      const fields = patternFields(tap.patterns[pattern]!, tap.words);
      return row(
        pattern,
        fields.ok ? fields.value.indexOf(c.field) : -1,
        i > 0 ? 0 : (c.staleMs ?? 0),
      );
    });
    // A line that says that this number is none.
    const none = Object.entries(tap.patterns).flatMap(([pattern, text]) =>
      absentFields(text).includes(c.field) ? [row(pattern, -1, 0)] : [],
    );
    return [...heard, ...none];
  });
}

/** DigitalRow, digital.ts. */
export function digitalRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([name, c], index) =>
    c.kind === "digital" ? [{ name, fields: [index, c.pin, c.invert ? 1 : 0, c.debounceMs] }] : [],
  );
}

/** CounterRow, tick/pins.ts. */
export function counterRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([name, c], index) =>
    c.kind === "counter"
      ? [{ name, fields: [index, c.input, Math.round(c.everyMs / node.periodMs)] }]
      : [],
  );
}

/** VibrationRow, vibration.ts. */
export function accelerometerRowsOf(node: NodeType): Row[] {
  return Object.entries(node.accelerometers).map(([name, { rateHz, samples, rangeG }]) => ({
    name,
    fields: vibrationFields(rateHz, samples, rangeG),
  }));
}

/** BurstRow, tick/bursts.ts: one for each accelerometer. */
export function burstRowsOf(node: NodeType): Row[] {
  return Object.entries(node.accelerometers).map(([name, { device, everyMs, rateHz }]) => ({
    name,
    fields: [device, everyMs, samplesPerTick(rateHz, node.periodMs)],
  }));
}

// Twice what comes in a period, so that what waited is caught up with and no tick costs much more than another.
function samplesPerTick(rateHz: number, periodMs: number): number {
  const most = Math.ceil((2 * rateHz * periodMs) / 1000);
  return Math.min(BURST_SAMPLES_PER_TICK, Math.max(BURST_SAMPLES_MIN, most));
}

/** FeatureRow, tick/bursts.ts. */
export function featureRowsOf(node: NodeType): Row[] {
  const accelerometers = Object.keys(node.accelerometers);
  return Object.entries(node.channels).flatMap(([name, c], index) => {
    if (c.kind !== "vibration") return [];
    const from = accelerometers.indexOf(c.accelerometer);
    return [{ name, fields: [index, from, FEATURES.indexOf(c.feature), c.decimals] }];
  });
}

/** StateRow, machine.ts. */
export function stateRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([name, c], index) =>
    c.kind === "state" ? [{ name, fields: stateFields(node, c, index) }] : [],
  );
}

function stateFields(node: NodeType, c: StateChannel, index: number): number[] {
  const { stopped, idle, run, fault } = c.dwellMs;
  const conditions = [c.fault, c.run, c.idle].flatMap((one) => conditionFields(node, one));
  return [index, stopped, idle, run, fault, ...conditions];
}

// Channel, comparison, limit; channel -1: never true.
function conditionFields(node: NodeType, one: StateChannel["fault"]): number[] {
  if (one === undefined) return [-1, 0, 0];
  const limit = one.above ?? one.below ?? one.equals ?? 0;
  const comparison = one.above !== undefined ? 0 : one.below !== undefined ? 1 : 2;
  const index = Object.keys(node.channels).indexOf(one.channel);
  return [index, comparison, level(node.channels[one.channel]!, limit)];
}
