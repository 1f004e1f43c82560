// SPDX-License-Identifier: MIT
// The shape of a character on a serial line.
//
// Bits in the order of the wire: start (space), data with the lowest first, parity, stop (mark). Mark, the
// idle level, is 1.

export type Parity = "none" | "odd" | "even" | "mark" | "space";

export interface Format {
  bitNs: number;
  dataBits: number; // 5 to 9
  parity: Parity;
  stopBits: number; // 1 or 2
}

/** A format as the name says: 8N1, 7E1, 8O2. */
export function formatOf(baud: number, name: string): Format {
  const parity = { N: "none", O: "odd", E: "even" }[name[1]!] as Parity;
  return { bitNs: 1e9 / baud, dataBits: Number(name[0]), parity, stopBits: Number(name[2]) };
}

/** Bits of a character with start, parity and stop. */
export function characterBits({ dataBits, parity, stopBits }: Format): number {
  return 1 + dataBits + (parity === "none" ? 0 : 1) + stopBits;
}

/** The parity bit of this data, 0 or 1; of "none" what "even" would have. */
export function parityBit(data: number, parity: Parity): number {
  if (parity === "mark") return 1;
  if (parity === "space") return 0;
  let ones = parity === "odd" ? 1 : 0;
  for (let rest = data; rest !== 0; rest &= rest - 1) ones++;
  return ones & 1;
}
