// SPDX-License-Identifier: MIT
// Operands at which results and flags turn.

export const OPERAND_EDGES = [
  ...[0, 1, 2, 31, 32, 33, 255, 256],
  ...[0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff],
] as const;
