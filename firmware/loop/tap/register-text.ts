// SPDX-License-Identifier: MIT
// Registers that hold a text: two characters each, as printable ASCII.
//
// Spec: SPEC.md §19. The text ends at the first NUL; blanks at both ends go. What is no printable ASCII
// becomes "?" and makes the text uncertain, so that no octet of a line reaches a terminal or a page as it
// came. At most TEXT_BYTES octets of a node's longest text. No state.

import { halfAt, RegisterRow } from "./register";

const BLANK: u32 = 0x20;
const LAST_PRINTABLE: u32 = 0x7e;
const REPLACEMENT: u32 = 0x3f; // "?"

/** Added to the length of a text in which a character was replaced. */
export const TEXT_REPLACED = 256;

/** Writes the text of `registers` at `from` to `to`; its length, and TEXT_REPLACED. */
export function takeText(from: usize, row: RegisterRow, registers: i32, to: usize): i32 {
  let length = 0;
  let kept = 0; // up to the last character that is no blank
  let replaced = 0;
  for (let i = 0; i < registers << 1; i++) {
    const half = halfAt(from + (i & ~1), row);
    const octet: u32 = i & 1 ? half & 0xff : half >> 8;
    if (octet == 0) break;
    if (octet == BLANK && length == 0) continue;
    const isPrintable = octet >= BLANK && octet <= LAST_PRINTABLE;
    if (!isPrintable) replaced = TEXT_REPLACED;
    store<u8>(to + length++, isPrintable ? octet : REPLACEMENT);
    if (octet != BLANK) kept = length;
  }
  return kept | replaced;
}
