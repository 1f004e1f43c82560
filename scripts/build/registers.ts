// SPDX-License-Identifier: MIT
// Modbus in node.json: taps of it, and channels that are registers or bits.
//
// Spec: SPEC.md §19. What the numbers of a row mean is in firmware/loop/tap/register.ts. Every complaint
// names its field and says what would be right.

import { z } from "zod";
import { RECORD_VALUE_BYTES_MAX } from "../../firmware/limits.ts";
import { milliseconds, name, reporting } from "./channels.ts";

/** In the order of a birth and of a row. */
export const REGISTER_TYPES = [
  ...(["u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64"] as const),
  "text",
] as const;
/** Twice the same four, of two registers and of four. */
export const REGISTER_ORDERS = [
  ...(["ABCD", "CDAB", "BADC", "DCBA"] as const),
  ...(["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"] as const),
] as const;
const TABLE_CODES = { coil: 1, discrete: 2, holding: 3, input: 4 };
const REGISTERS = { "16": 1, "32": 2, "64": 4 };
const POWERS = Array.from({ length: 10 }, (_, power) => 10 ** power);

const TEXT_REGISTERS_MAX = RECORD_VALUE_BYTES_MAX / 2;

/** A register or a bit heard on a tap. */
export const register = z
  .strictObject({
    kind: z.literal("register"),
    tap: name,
    unitId: z.number().int().min(1).max(247),
    table: z.enum(["coil", "discrete", "holding", "input"]),
    address: z.number().int().min(0).max(65535).describe("zero-based, as on the wire"),
    type: z.enum(REGISTER_TYPES).default("u16"),
    registers: z
      .number()
      .int()
      .min(1)
      .max(TEXT_REGISTERS_MAX)
      .optional()
      .describe("of a text: how many registers it has, two characters each"),
    order: z
      .enum(REGISTER_ORDERS)
      .default("ABCD")
      .describe("order of the octets of a value; BADC and DCBA also swap a 16-bit one"),
    bit: z.number().int().min(0).max(31).optional().describe("lowest bit of a part of the value"),
    bits: z.number().int().min(1).max(31).default(1).describe("how many bits, where bit is given"),
    divide: z
      .literal(POWERS)
      .default(1)
      .describe("u64 and i64: divided by this and rounded, so that 32 bits hold it"),
    fromWrites: z
      .boolean()
      .default(false)
      .describe("what is written is a value as well, once the unit has confirmed it"),
    scale: z.number().positive().default(1).describe("engineering value of one step, a decimal"),
    staleMs: milliseconds(3_600_000)
      .optional()
      .describe("bad (stale) when it was not heard for this long"),
    ...reporting,
  })
  .transform((one) => (one.type === "text" ? { ...one, deadband: one.deadband ?? 0 } : one))
  .describe("a register, or a bit, heard on a Modbus tap");

/** Fields of a tap that only Modbus RTU has. */
export const modbusFields = {
  requestsOn: name
    .optional()
    .describe("the tap on the other wire, where the requests are; this one hears the answers"),
};

type Register = z.output<typeof register>;
type Taps = Record<string, { protocol: string; requestsOn?: string | undefined }>;
type Complain = (path: (string | number)[], message: string) => void;

/** The function code that reads the table of a channel. */
export function tableCode({ table }: Register): number {
  return TABLE_CODES[table];
}

/** How many registers, or bits, a channel takes. */
export function registersOf({ table, type, registers }: Register): number {
  if (table === "coil" || table === "discrete") return 1;
  if (type === "text") return registers ?? 1;
  return REGISTERS[type.slice(1) as keyof typeof REGISTERS];
}

/** Order of the octets as a birth and a row have it, 0..3. */
export function orderCode({ order }: Register): number {
  return REGISTER_ORDERS.indexOf(order) % 4;
}

/** Octets of the text that a channel has; 0: it has numbers. */
export function textBytes({ type, registers }: Register): number {
  return type === "text" ? 2 * (registers ?? 1) : 0;
}

/** RegisterRow.type: the type, and in its upper octets the part, writes, the power of ten. */
export function typeCode(channel: Register): number {
  const width = channel.bit === undefined ? 0 : channel.bits;
  const first = channel.type === "text" ? (channel.registers ?? 1) - 1 : (channel.bit ?? 0);
  const power = POWERS.indexOf(channel.divide);
  return (
    REGISTER_TYPES.indexOf(channel.type) |
    (first << 8) |
    (width << 16) |
    ((channel.fromWrites ? 1 : 0) << 24) |
    (power << 25)
  );
}

/** What is wrong with a register beyond its own fields. */
export function checkRegister(
  channel: Register,
  taps: Taps,
  here: (field: string, message: string) => void,
): void {
  const { type, bit, bits, table } = channel;
  const isBit = table === "coil" || table === "discrete";
  if (isBit && (type !== "u16" || bit !== undefined))
    here(bit === undefined ? "type" : "bit", `a ${table} is one bit: leave it out`);
  if (channel.fromWrites && table !== "coil" && table !== "holding")
    here("fromWrites", `nobody writes to table ${table}`);
  const asker = Object.entries(taps).find(([, one]) => one.requestsOn === channel.tap)?.[0];
  if (asker !== undefined)
    here("tap", `"${channel.tap}" hears requests only: name "${asker}", which hears the answers`);
  if (type === "text") {
    checkText(channel, here);
    return;
  }
  if (channel.registers !== undefined)
    here("registers", `only a text says how many it has: ${type} does by its name`);
  const size = type.slice(1) as keyof typeof REGISTERS;
  const last = channel.address + REGISTERS[size];
  if (!isBit && last > 65_536)
    here("address", `a ${size}-bit value needs ${size === "32" ? "two" : "four"} registers`);
  if (channel.order.length === 8 && size !== "64")
    here("order", `a ${size}-bit value has one of ABCD, CDAB, BADC, DCBA`);
  if (channel.divide > 1 && type !== "u64" && type !== "i64")
    here("divide", "only u64 and i64 are divided: set the scale");
  if (bit !== undefined && (size === "64" || type === "f32"))
    here("bit", `${type} has no parts: u16, i16, u32 and i32 have`);
  else if (bit !== undefined && bit + bits > Number(size))
    here("bits", `${type} ends at bit ${Number(size) - 1}`);
}

// A text has no size to be scaled, limited or compared.
function checkText(channel: Register, here: (field: string, message: string) => void): void {
  const { registers, order } = channel;
  if (registers === undefined)
    here("registers", `a text needs it: 8 for 16 characters; at most ${TEXT_REGISTERS_MAX}`);
  else if (channel.address + registers > 65_536)
    here("registers", "the text ends beyond register 65535");
  if (order !== "ABCD" && order !== "BADC")
    here("order", "a text has ABCD, or BADC where the characters of each register are swapped");
  if ((channel.deadband ?? 0) !== 0)
    here("deadband", "a text is told when it changes: leave it out");
  if (channel.unit !== undefined) here("unit", "a text has none: leave it out");
  if (channel.scale !== 1) here("scale", "a text is not scaled: leave it out");
  if (channel.divide !== 1) here("divide", "a text is not divided: leave it out");
  if (channel.bit !== undefined) here("bit", "a text has no bits: leave it out");
  if (Object.keys(channel.alarms).length > 0)
    here("alarms", "a text is above or below nothing: leave them out");
}

/** What is wrong with taps on two wires. */
export function checkWires(taps: Taps, complain: Complain): void {
  for (const [key, { requestsOn }] of Object.entries(taps)) {
    if (requestsOn === undefined) continue;
    const other = taps[requestsOn];
    const say = (message: string): void => complain(["taps", key, "requestsOn"], message);
    if (requestsOn === key) say("the requests are on another tap than the answers");
    else if (other === undefined) say(`there is no tap "${requestsOn}"`);
    else if (other.protocol !== "modbus-rtu") say(`"${requestsOn}" hears ${other.protocol}`);
    else if (other.requestsOn !== undefined) say(`"${requestsOn}" hears answers itself`);
  }
}
