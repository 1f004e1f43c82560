// SPDX-License-Identifier: MIT
// Taps of meters in node.json, and the channels that are objects heard on them.
//
// Spec: SPEC.md §17. An object is an OBIS code, or for M-Bus the DIB and VIB of a record in hexadecimal. Every complaint names
// its field.

import { checkPlace, EXCHANGE_PROTOCOLS, isExchange } from "./exchange-taps.ts";

export const METER_PROTOCOLS = ["dsmr-p1", "iec62056-21", "sml", "m-bus"] as const;
export type MeterProtocol = (typeof METER_PROTOCOLS)[number];

/** True for a protocol whose telegrams are objects of a meter. */
export function isMeter(protocol: string): protocol is MeterProtocol {
  return (METER_PROTOCOLS as readonly string[]).includes(protocol);
}

/** A to F of an OBIS code; A and B are null where it does not say them. */
export type Obis = (number | null)[];

const LETTERS: Record<string, number> = { C: 96, F: 97, L: 98, P: 99 };
const UNSAID = 255; // what stands for an E or F that is left out

/** `[A-B:]C.D[.E][*F]`, or undefined. C, F, L, P are 96 to 99. */
export function parseObis(text: string): Obis | undefined {
  const found = /^(?:(\w+)-(\w+):)?(\w+)\.(\w+)(?:\.(\w+))?(?:\*(\w+))?$/.exec(text);
  if (found === null) return undefined;
  const parts = found.slice(1).map(partOf);
  if (parts.some((part) => part !== undefined && !(part <= 255))) return undefined;
  return parts.map((part, i) => part ?? (i < 2 ? null : UNSAID));
}

function partOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return LETTERS[text] ?? (/^\d+$/.test(text) ? Number(text) : NaN);
}

/** A counter of an M-Bus answer of the fixed structure. */
const COUNTERS = ["counter1", "counter2"];
const EXTENSIONS_MAX = 10;

/** Octets that the name of a record begins with; for counters of the fixed structure none, and their number. */
export function parseRecord(text: string): { octets: number[]; counter: number } | undefined {
  const counter = COUNTERS.indexOf(text) + 1;
  if (counter > 0) return { octets: [], counter };
  if (!/^([0-9a-f]{2})+$/i.test(text)) return undefined;
  const octets = [...Buffer.from(text, "hex")];
  return isWholeName(octets) ? { octets, counter: 0 } : undefined;
}

// DIF [DIFE...] VIF [text] [VIFE...], to the last octet.
function isWholeName(octets: number[]): boolean {
  if ((octets[0]! & 15) === 15) return false;
  const vif = chainEnd(octets, 0);
  if (vif === undefined || vif >= octets.length) return false;
  let at = vif;
  if ((octets[vif]! & 0x7f) === 0x7c) at += 1 + (octets[vif + 1] ?? octets.length);
  const more = octets[vif]! >= 0x80;
  if (!more) return at + 1 === octets.length;
  return chainEnd(octets, at, true) === octets.length;
}

// Behind the octets that follow `at` while bit 7 says that more do.
function chainEnd(octets: number[], at: number, more = octets[at]! >= 0x80): number | undefined {
  let next = at + 1;
  for (let i = 0; more; i++) {
    const octet = octets[next++];
    if (octet === undefined || i === EXTENSIONS_MAX) return undefined;
    more = octet >= 0x80;
  }
  return next;
}

/** What a channel of kind object says of where it comes from. */
export interface ObjectSource {
  tap: string;
  object: string;
  type?: string | undefined;
  decimals: number;
  value?: number | undefined;
  unitId?: number | undefined;
  meterId?: string | undefined;
}

/** What is wrong with where a channel of kind object comes from. */
export function checkObject(
  channel: ObjectSource,
  protocol: string,
  here: (field: string, message: string) => void,
): void {
  if (isExchange(protocol)) {
    checkPlace(channel, protocol, here);
    return;
  }
  if (channel.type !== undefined) here("type", `only places of a controller have it: leave it out`);
  if (!isMeter(protocol)) {
    const known = [...METER_PROTOCOLS, ...EXCHANGE_PROTOCOLS].join(", ");
    here("tap", `"${channel.tap}" hears ${protocol}; an object needs a tap of ${known}`);
    return;
  }
  if (protocol === "m-bus") {
    if (parseRecord(channel.object) === undefined)
      here("object", 'DIB and VIB of a record in hexadecimal, as "0413", or counter1, counter2');
    if (channel.unitId === undefined && channel.meterId === undefined)
      here("unitId", 'give "unitId", the address of the meter, or "meterId", its eight digits');
    if (channel.unitId === 254) here("unitId", "0 to 253: 254 is all of them");
    if (channel.value !== undefined) here("value", "a record of M-Bus has one value");
    return;
  }
  if (parseObis(channel.object) === undefined)
    here("object", 'an OBIS code, as "1-0:1.8.0", "1.8.0" or "1-0:1.8.0*255"');
  for (const field of ["unitId", "meterId"] as const)
    if (channel[field] !== undefined) here(field, `only M-Bus has it; ${protocol} has one meter`);
  if (protocol === "sml" && channel.value !== undefined)
    here("value", "an object of SML has one value");
}
