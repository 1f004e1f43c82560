// SPDX-License-Identifier: MIT
// Numbers in registers: types and orders of the octets.
//
// Types and orders are those of a register channel in node.json, and 64-bit ones. An order names where the octets of
// a 32-bit value stand, A being the highest; a 64-bit value is ordered alike: words forwards or backwards, octets
// of a word swapped or not.

export const TYPES = ["u16", "i16", "u32", "i32", "f32", "u64", "i64", "f64"] as const;
export type ValueType = (typeof TYPES)[number];

export const ORDERS = ["ABCD", "CDAB", "BADC", "DCBA"] as const;
export type Order = (typeof ORDERS)[number];

const SCRATCH = new DataView(new ArrayBuffer(8));

/** How many registers a type takes. */
export function wordsOf(type: ValueType): 1 | 2 | 4 {
  return type.endsWith("16") ? 1 : type.endsWith("32") ? 2 : 4;
}

/** Orders that make a difference to a type. A 16-bit value has two: its octets swapped or not. */
export function ordersOf(type: ValueType): readonly Order[] {
  return wordsOf(type) === 1 ? ["ABCD", "BADC"] : ORDERS;
}

/** The value of `words` (as many as the type takes), as a float; 64-bit integers lose what a float cannot hold. */
export function valueOf(words: readonly number[], type: ValueType, order: Order): number {
  const count = wordsOf(type);
  const backwards = order === "CDAB" || order === "DCBA";
  const swapped = order === "BADC" || order === "DCBA";
  for (let i = 0; i < count; i++) {
    const word = words[backwards ? count - 1 - i : i]!;
    SCRATCH.setUint16(2 * i, word, swapped);
  }
  switch (type) {
    case "u16":
      return SCRATCH.getUint16(0);
    case "i16":
      return SCRATCH.getInt16(0);
    case "u32":
      return SCRATCH.getUint32(0);
    case "i32":
      return SCRATCH.getInt32(0);
    case "f32":
      return SCRATCH.getFloat32(0);
    case "u64":
      return Number(SCRATCH.getBigUint64(0));
    case "i64":
      return Number(SCRATCH.getBigInt64(0));
    case "f64":
      return SCRATCH.getFloat64(0);
  }
}
