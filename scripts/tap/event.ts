// SPDX-License-Identifier: MIT
// What the decoder of a node tells of a line, as the commands have it.
//
// Fields are those of firmware/loop/tap/event.ts; octets are copies. Registers of an event are what its values hold,
// by the function code: bits packed from the lowest, or words with the high octet first.

import {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_QUERY,
  TAP_EVENT_READ,
  TAP_EVENT_READING,
  TAP_EVENT_TEXT,
  TAP_EVENT_UNANSWERED,
  TAP_EVENT_WRITE,
} from "../../firmware/wire/tap.ts";

export const TABLES = ["coil", "discrete", "holding", "input"] as const;
export type Table = (typeof TABLES)[number];

export interface TapEvent {
  atUs: number; // of the octet that completed it
  kind: number;
  unit: number; // 0 broadcast, -1 none
  code: number;
  address: number;
  quantity: number;
  reason: number;
  answerUs: number;
  values: Uint8Array;
  name: string; // of a reading or text
  number: number; // of a reading
  decimals: number;
  unitName: string; // of a reading; an empty text: none
  meter: number; // of a reading of M-Bus: its eight digits, as BCD; 0: not said
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  [TAP_EVENT_READ]: "read",
  [TAP_EVENT_WRITE]: "write",
  [TAP_EVENT_EXCEPTION]: "exception",
  [TAP_EVENT_UNANSWERED]: "unanswered",
  [TAP_EVENT_ORPHAN]: "orphan",
  [TAP_EVENT_QUERY]: "query",
  [TAP_EVENT_BROADCAST]: "broadcast",
  [TAP_EVENT_READING]: "reading",
  [TAP_EVENT_TEXT]: "text",
};

/** The word for its kind. */
export function kindName({ kind }: TapEvent): string {
  return KIND_NAMES[kind] ?? String(kind);
}

const TABLE_OF: Readonly<Record<number, Table>> = {
  ...{ 1: "coil", 5: "coil", 15: "coil" },
  ...{ 2: "discrete", 4: "input" },
  ...{ 3: "holding", 6: "holding", 16: "holding", 23: "holding" },
};

/** The table that a function code reads or writes; undefined: none, or not as a list. */
export function tableOf(code: number): Table | undefined {
  return TABLE_OF[code];
}

/** Values of the registers from `address` on: what was read, or written; nothing for other events. */
export function registersOf(event: TapEvent): number[] {
  const { kind, code, values, quantity } = event;
  const carries = [TAP_EVENT_READ, TAP_EVENT_WRITE, TAP_EVENT_BROADCAST].includes(kind);
  if (!carries || tableOf(code) === undefined) return [];
  if (code === 5) return [values[0] === 0 ? 0 : 1];
  const bits = code === 1 || code === 2 || code === 15;
  if (bits) {
    const count = Math.min(quantity, values.length * 8);
    return Array.from({ length: count }, (_, i) => (values[i >> 3]! >> (i & 7)) & 1);
  }
  return Array.from({ length: values.length >> 1 }, (_, i) => wordAt(values, 2 * i));
}

function wordAt(octets: Uint8Array, at: number): number {
  return (octets[at]! << 8) | octets[at + 1]!;
}

/** The octets of a text, one a character. */
export function textOf({ values }: TapEvent): string {
  return Buffer.from(values).toString("latin1");
}

/** The number of the meter that a reading is of, as node.json has it. */
export function meterOf({ meter }: { meter: number }): { meterId?: string } {
  return meter === 0 ? {} : { meterId: meter.toString(16).padStart(8, "0") };
}

/** One event as JSON has it; fields that its kind does not have are left out. */
export function eventJson(event: TapEvent): Record<string, unknown> {
  const { atUs, kind, unit, code, address, quantity, reason, answerUs, name } = event;
  const when = { t_us: Math.round(atUs), kind: kindName(event) };
  const octets = { hex: Buffer.from(event.values).toString("hex") };
  const whose = { ...(unit >= 0 && { unitId: unit }), ...meterOf(event) };
  if (kind === TAP_EVENT_READING)
    return { ...when, ...whose, object: name, value: event.number, unit: event.unitName };
  if (kind === TAP_EVENT_TEXT && name === "") return { ...when, text: textOf(event) };
  if (kind === TAP_EVENT_TEXT) return { ...when, ...whose, object: name, ...octets };
  const t = { ...when, ...(unit >= 0 && { unit }) };
  const table = tableOf(code);
  const registers = registersOf(event);
  return {
    ...{ ...t, fc: code },
    ...(kind !== TAP_EVENT_ORPHAN && table && { table, addr: address, qty: quantity }),
    ...(registers.length > 0 ? { values: registers } : event.values.length > 0 && octets),
    ...(kind === TAP_EVENT_EXCEPTION && { exception: reason }),
    ...(answerUs > 0 && { answer_us: answerUs }),
  };
}
