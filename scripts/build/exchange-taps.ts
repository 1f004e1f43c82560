// SPDX-License-Identifier: MIT
// Taps of scales, controllers, drives in node.json, and what channels want.
//
// Spec: SPEC.md §17. An object is a place in the controller's own notation (N7:10, DM100, D100, DB10.DW48, W4), or a weight
// of a scale. Rows have the fields of their structs in firmware/loop/tick/exchanges.ts and tap/place.ts.

import { LINE_PROTOCOLS } from "../../firmware/wire/line-names.ts";
import type { Row } from "./loop-table.ts";
import type { ObjectSource } from "./object-taps.ts";
import type { NodeType, ObjectChannel } from "./schema.ts";

export const EXCHANGE_PROTOCOLS = [
  ...(["toledo-continuous", "df1", "host-link", "uss", "melsec-fx"] as const),
  "3964r",
] as const;
export type ExchangeProtocol = (typeof EXCHANGE_PROTOCOLS)[number];

/** How the octets of a place make a number, in the order of PlaceRow.form. */
export const PLACE_TYPES = ["u16", "i16", "u32", "i32", "f32", "bcd", "bcd32"] as const;
type PlaceType = (typeof PLACE_TYPES)[number];

export function isExchange(protocol: string): protocol is ExchangeProtocol {
  return (EXCHANGE_PROTOCOLS as readonly string[]).includes(protocol);
}

interface Place {
  code: number; // of the question that an answer is of
  address: number;
  type: PlaceType; // unless the channel says another
  stride: number; // octets from one address to the next
  area: number; // bits of the address within its area; 0: all
}

interface Protocol {
  words: string; // what an object looks like
  place(object: string): Place | null;
  low: { octet: boolean; word: boolean }; // which come first
}

const WEIGHTS = ["weight", "gross", "net", "tare", "motion"];
const I16_MAX_FILE = 254; // numbers from 255 on have another form
const DF1_TYPES: Record<string, PlaceType> = { N: "i16", B: "u16", S: "u16", L: "i32", F: "f32" };
const HOST_LINK_AREAS: Record<string, string> = {
  ...{ DM: "RD", IR: "RR", CIO: "RR", LR: "RL", HR: "RH", AR: "RJ", TC: "RC" },
};
const DF1_TYPED_READ = 0xa2;
const FX_READ = 0x30;
const FX_DATA = 0x1000;
const FX_SPECIAL = 0x0e00;
const FX_SPECIAL_FROM = 8000;
const RK512_FETCH_BLOCK = 0x4544; // "ED"

const matched = (text: string, pattern: RegExp): string[] | null =>
  pattern.exec(text)?.slice(1) ?? null;

const PROTOCOLS: Record<ExchangeProtocol, Protocol> = {
  "toledo-continuous": {
    words: WEIGHTS.join(", "),
    place: (object) => {
      const address = WEIGHTS.indexOf(object);
      return address < 0 ? null : { code: 0, address, type: "i32", stride: 0, area: 0 };
    },
    low: { octet: false, word: false },
  },
  df1: {
    words: "file and element as N7:10, B3:0, F8:2, L9:0, S2:1",
    place: (object) => {
      const [letter = "", file, element] = matched(object, /^([NBSLF])(\d{1,3}):(\d{1,3})$/) ?? [];
      const type = DF1_TYPES[letter];
      if (type === undefined || Number(file) > I16_MAX_FILE || Number(element) > I16_MAX_FILE)
        return null;
      const address = (Number(file) << 16) | Number(element);
      const stride = type === "i32" || type === "f32" ? 4 : 2;
      return { code: DF1_TYPED_READ, address, type, stride, area: 16 };
    },
    low: { octet: true, word: true },
  },
  "host-link": {
    words: "area and word as DM100, IR10, HR0, LR0, AR0, TC5",
    place: (object) => {
      const [area = "", word] = matched(object, /^(DM|IR|CIO|LR|HR|AR|TC)(\d{1,4})$/) ?? [];
      const header = HOST_LINK_AREAS[area];
      if (header === undefined) return null;
      const code = (header.charCodeAt(0) << 8) | header.charCodeAt(1);
      return { code, address: Number(word), type: "u16", stride: 2, area: 0 };
    },
    low: { octet: false, word: true },
  },
  uss: {
    words: "a word of the drive's answer as W1, the first behind its address",
    place: (object) => {
      const [word] = matched(object, /^W([1-9]\d{0,2})$/) ?? [];
      if (word === undefined || Number(word) > 126) return null;
      return { code: 0, address: Number(word) - 1, type: "u16", stride: 2, area: 0 };
    },
    low: { octet: false, word: false },
  },
  "melsec-fx": {
    words: "a data register as D100",
    place: (object) => {
      const [digits] = matched(object, /^D(\d{1,4})$/) ?? [];
      const number = Number(digits);
      const special = number - FX_SPECIAL_FROM;
      if (digits === undefined || number >= 8256 || (number >= 1000 && special < 0)) return null;
      const address = special < 0 ? FX_DATA + 2 * number : FX_SPECIAL + 2 * special;
      return { code: FX_READ, address, type: "i16", stride: 1, area: 0 };
    },
    low: { octet: true, word: true },
  },
  "3964r": {
    words: "a word of a data block as DB10.DW48 (RK 512)",
    place: (object) => {
      const [block, word] = matched(object, /^DB(\d{1,3})\.DW(\d{1,3})$/) ?? [];
      if (block === undefined || Number(block) > 255 || Number(word) > 255) return null;
      const address = (Number(block) << 8) | Number(word);
      return { code: RK512_FETCH_BLOCK, address, type: "i16", stride: 2, area: 8 };
    },
    low: { octet: false, word: false },
  },
};

/** What is wrong with a channel that wants a place or a weight. */
export function checkPlace(
  channel: ObjectSource,
  protocol: ExchangeProtocol,
  here: (field: string, message: string) => void,
): void {
  const { words, place } = PROTOCOLS[protocol];
  const found = place(channel.object);
  if (found === null) here("object", `${protocol} has ${words}`);
  if (channel.value !== undefined) here("value", "a place has one value: leave it out");
  if (channel.meterId !== undefined) here("meterId", "only M-Bus has it: leave it out");
  const isAlone = ["toledo-continuous", "melsec-fx", "3964r"].includes(protocol);
  if (isAlone && channel.unitId !== undefined)
    here("unitId", `${protocol} names nobody on its line: leave it out`);
  if (!isAlone && channel.unitId === undefined)
    here("unitId", `the number of the ${protocol === "uss" ? "drive" : "controller"} is missing`);
  if (protocol === "toledo-continuous" && channel.type !== undefined)
    here("type", "a weight has none: leave it out");
  const type = channel.type ?? found?.type;
  if (type === "f32" && channel.decimals < 0) here("decimals", "0 to 6 of an f32");
  if (channel.object === "motion" && channel.decimals !== 0) here("decimals", "0: it is 0 or 1");
}

/** Tables of the taps of a node; `characterUs` of a tap by its name. */
export function exchangeTables(
  node: NodeType,
  characterUs: (tap: string) => number,
): { taps: Row[]; places: Row[] } {
  const tables: { taps: Row[]; places: Row[] } = { taps: [], places: [] };
  for (const [order, [name, { protocol }]] of Object.entries(node.taps).entries()) {
    if (!isExchange(protocol)) continue;
    const first = tables.places.length;
    for (const [index, [key, channel]] of Object.entries(node.channels).entries())
      if (channel.kind === "object" && channel.tap === name)
        tables.places.push({ name: key, fields: placeFields(channel, index, protocol) });
    const count = tables.places.length - first;
    const number = LINE_PROTOCOLS.indexOf(protocol);
    tables.taps.push({ name, fields: [order, characterUs(name), number, first, count] });
  }
  return tables;
}

function placeFields(c: ObjectChannel, index: number, protocol: ExchangeProtocol): number[] {
  const { place, low } = PROTOCOLS[protocol];
  const { code, address, type, stride, area } = place(c.object)!;
  const form =
    PLACE_TYPES.indexOf(c.type ?? type) |
    (low.octet ? 1 << 8 : 0) |
    (low.word ? 1 << 9 : 0) |
    (stride << 16) |
    (area << 24);
  return [index, c.decimals, c.staleMs ?? 0, c.unitId ?? -1, code, address, form];
}

/** A bit for each protocol of these that a node has. */
export function exchangeProtocols(node: NodeType): number {
  return Object.values(node.taps).reduce(
    (bits, { protocol }) =>
      isExchange(protocol) ? bits | (1 << LINE_PROTOCOLS.indexOf(protocol)) : bits,
    0,
  );
}
