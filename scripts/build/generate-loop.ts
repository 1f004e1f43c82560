// SPDX-License-Identifier: MIT
// Generates what loop.wasm of a node type is compiled with: tables, names, entry.
//
// Input: a checked node.json. Rows follow the fields of the structs in firmware/loop (named at each table).
// Engineering units end here: limits and dead bands become mantissas or raw register units, rounded to
// the nearest step, and are cut to the range of the type. What cannot be built is a Failure with its field.

import {
  CAUSE_OPEN_WIRE,
  CAUSE_OVER_RANGE,
  CAUSE_UNDER_RANGE,
  TYPE_F32,
  TYPE_I32,
  TYPE_U32,
} from "../../firmware/wire/record.ts";
import {
  CHANNEL_KIND_ANALOG,
  CHANNEL_KIND_COMPUTED,
  CHANNEL_KIND_REGISTER,
} from "../../firmware/wire/senml.ts";
import { TAP_ENTRIES_PER_TICK } from "../../firmware/limits.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { AnalogChannel, Channel, NodeType, RegisterChannel } from "./schema.ts";

export interface LoopSources {
  constants: string; // firmware/generated/loop.ts
  names: string; // what "ferrule/node" is to node code
  entry: string; // node/loop-entry.ts; it imports decide() from node/loop.ts
}

interface Row {
  name: string;
  fields: number[];
}

const KINDS = {
  analog: CHANNEL_KIND_ANALOG,
  register: CHANNEL_KIND_REGISTER,
  computed: CHANNEL_KIND_COMPUTED,
};
const CAUSES = {
  "under-range": CAUSE_UNDER_RANGE,
  "over-range": CAUSE_OVER_RANGE,
  "open-wire": CAUSE_OPEN_WIRE,
};
const TABLE_CODES = { holding: 3, input: 4 };
const REGISTER_TYPES = ["u16", "i16", "u32", "i32", "f32"];
const REGISTER_ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"];
const RAW_FULL = 4096; // the line is tabled at raw 0 and here, so that a shift takes the place of a division
const FRACTION = 65_536;
const PERMYRIAD = 10_000;
const I32_MIN = -2_147_483_648;
const I32_MAX = 2_147_483_647;
const U32_MAX = 4_294_967_295;

/** The three generated sources of loop for a node type. */
export function generateLoop(node: NodeType): LoopSources {
  return { constants: constantsOf(node), names: namesOf(node), entry: ENTRY };
}

const ENTRY = `// SPDX-License-Identifier: MIT
// Entry of loop.wasm: what the host calls, around the node's own decide().
//
// Generated; do not edit. Spec: SPEC.md §1.1.

import { beginTick, endTick, init as initLoop } from "../firmware/loop/index";
import { decide } from "./loop";

export function init(): void {
  initLoop();
}

export function tick(): void {
  beginTick();
  decide();
  endTick();
}
`;

function constantsOf(node: NodeType): string {
  const alarmRows = alarmRowsOf(node);
  return [
    `// SPDX-License-Identifier: MIT
// Constants of a node type for loop.
//
// Generated from node.json by scripts/build/generate-loop.ts; do not edit. Each row has the fields
// of the struct that is named above its table, in that order. A count of 0 takes its code out.
`,
    table("CHANNEL", "ChannelRow, filter.ts", channelRowsOf(node)),
    table("ANALOG", "AnalogRow, sample.ts", analogRowsOf(node)),
    table("REGISTER", "RegisterRow, tap/register.ts", registerRowsOf(node)),
    table("ALARM", "AlarmRow, decide.ts", alarmRows),
    table("OUTPUT", "OutputRow, actuate.ts", outputRowsOf(node)),
    table("TAP", "TapRow, tick/taps.ts", tapRowsOf(node)),
  ].join("\n");
}

function table(name: string, struct: string, rows: Row[]): string {
  const lines = rows.map((row) => `  // ${row.name}\n${wrap(row.fields)}\n`);
  const body = rows.length === 0 ? "[]" : `[\n${lines.join("")}]`;
  return (
    `export const ${name}_COUNT: i32 = ${rows.length};\n\n// ${struct}\n` +
    `export const ${name}_ROWS: StaticArray<i32> = ${body};\n`
  );
}

// One row on lines of at most 100 columns, as prettier has it.
function wrap(fields: number[]): string {
  const lines: string[] = [];
  let line = " ";
  for (const field of fields) {
    const next = ` ${field},`;
    if (line.length + next.length > 100) {
      lines.push(line);
      line = " ";
    }
    line += next;
  }
  return [...lines, line].join("\n");
}

function channelRowsOf(node: NodeType): Row[] {
  let alarmFirst = 0;
  return Object.entries(node.channels).map(([name, channel]) => {
    const alarmCount = Object.keys(channel.alarms).length;
    const type = typeOf(channel);
    const fields = [
      KINDS[channel.kind],
      type,
      channel.deadband === undefined ? 0 : 1,
      channel.deadband === undefined ? 0 : distance(channel, channel.deadband),
      channel.heartbeatMs,
      alarmFirst,
      alarmCount,
    ];
    alarmFirst += alarmCount;
    return { name, fields };
  });
}

function analogRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([name, channel], index) => {
    if (channel.kind !== "analog") return [];
    return [{ name, fields: analogFields(node, name, channel, index) }];
  });
}

function analogFields(node: NodeType, name: string, c: AnalogChannel, index: number): number[] {
  return [
    index,
    c.input,
    Math.round(c.everyMs / node.periodMs),
    c.valid[0],
    c.valid[1],
    CAUSES[c.belowCause],
    CAUSES[c.aboveCause],
    ...linePoint(name, c, 0),
    ...linePoint(name, c, RAW_FULL),
    c.median,
    Math.max(1, Math.round(c.ema * FRACTION)),
  ];
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

function registerRowsOf(node: NodeType): Row[] {
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
    TABLE_CODES[channel.table],
    channel.address,
    REGISTER_TYPES.indexOf(channel.type),
    REGISTER_ORDERS.indexOf(channel.order),
    channel.staleMs ?? 0,
  ];
}

function compareLists(a: number[], b: number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

function alarmRowsOf(node: NodeType): Row[] {
  return Object.entries(node.channels).flatMap(([channelName, channel]) =>
    Object.entries(channel.alarms).map(([name, alarm]) => {
      const above = alarm.above !== undefined;
      const limit = alarm.above ?? alarm.below ?? 0;
      const back = above ? limit - alarm.hysteresis : limit + alarm.hysteresis;
      return {
        name: `${channelName}/${name}`,
        fields: [above ? 1 : 0, level(channel, limit), level(channel, back), alarm.delayMs],
      };
    }),
  );
}

function outputRowsOf(node: NodeType): Row[] {
  return Object.entries(node.outputs).map(([name, o]) => {
    const duties = [o.min, o.max, o.safe].map((duty) => Math.round(duty * PERMYRIAD));
    return { name, fields: [o.output, ...duties] };
  });
}

function tapRowsOf(node: NodeType): Row[] {
  return Object.entries(node.taps).map(([name, tap], index) => {
    const bits = tap.format === "8N1" || tap.format.startsWith("7") ? 10 : 11;
    const characterUs = (bits * 1e6) / tap.baud;
    if (characterUs * TAP_ENTRIES_PER_TICK < node.periodMs * 1000)
      throw new Failure(
        EXIT_FAILED,
        `taps.${name}.baud: at ${tap.baud} baud more than ${TAP_ENTRIES_PER_TICK} characters ` +
          `come in a period of ${node.periodMs} ms`,
        `set "periodMs" to ${Math.floor((characterUs * TAP_ENTRIES_PER_TICK) / 100) / 10} or less`,
      );
    return { name, fields: [index, Math.ceil(characterUs)] };
  });
}

function typeOf(channel: Channel): number {
  if (channel.kind !== "register") return TYPE_I32;
  if (channel.type === "f32") return TYPE_F32;
  return channel.type.startsWith("u") ? TYPE_U32 : TYPE_I32;
}

// A limit as the channel's type has it, in 32 bits.
function level(channel: Channel, value: number): number {
  const type = typeOf(channel);
  if (type === TYPE_F32) return f32Bits(value / stepOf(channel));
  const steps = stepsOf(channel, value);
  return type === TYPE_U32 ? cut(steps, 0, U32_MAX) | 0 : cut(steps, I32_MIN, I32_MAX);
}

// A dead band: as a limit, but never negative and never above the largest distance of its type.
function distance(channel: Channel, value: number): number {
  if (typeOf(channel) === TYPE_F32) return f32Bits(value / stepOf(channel));
  return cut(stepsOf(channel, value), 0, U32_MAX) | 0;
}

function stepsOf(channel: Channel, value: number): number {
  return channel.kind === "register"
    ? Math.round(value / channel.scale)
    : Math.round(value * 10 ** channel.decimals);
}

function stepOf(channel: Channel): number {
  return channel.kind === "register" ? channel.scale : 10 ** -channel.decimals;
}

function cut(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function f32Bits(value: number): number {
  const largest = 3.4028234663852886e38;
  return new Int32Array(new Float32Array([cut(value, -largest, largest)]).buffer)[0]!;
}

function namesOf(node: NodeType): string {
  const taken = new Map<string, string>();
  const lines = [
    ...Object.keys(node.channels).map((key, i) => nameLine(taken, `channels.${key}`, key, i)),
    ...Object.keys(node.outputs).map((key, i) =>
      nameLine(taken, `outputs.${key}`, `${key}_OUTPUT`, i),
    ),
  ];
  return `// SPDX-License-Identifier: MIT
// Numbers of the channels and outputs of a node type, for its loop.ts.
//
// Generated from node.json; do not edit.

${lines.join("\n")}
`;
}

// A name in capitals; two fields that would share one are refused.
function nameLine(taken: Map<string, string>, path: string, key: string, index: number): string {
  const upper = key.toUpperCase().replaceAll("-", "_");
  const constant = /^[0-9]/.test(upper) ? `_${upper}` : upper;
  const other = taken.get(constant);
  if (other !== undefined)
    throw new Failure(
      EXIT_FAILED,
      `${path}: loop.ts would know it as ${constant}, as it does ${other}`,
      "rename one of the two",
    );
  taken.set(constant, path);
  return `export const ${constant}: i32 = ${index};`;
}
