// SPDX-License-Identifier: MIT
// What ends a run in a chip: firmware did what a model forbids or does not know.

/** A named failure of firmware: says where, and what it did. */
export class ChipFailure extends Error {}

/** An address or a word as messages show it. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}
