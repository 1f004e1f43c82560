// SPDX-License-Identifier: MIT
// Operands at which arithmetic goes wrong, as bits: limits, zeros, NaNs.

import type { Type } from "./assemble.ts";
import type { Bits } from "./native.ts";

const I32 = [
  ...[0, 1, 2, 7, 8, 15, 16, 24, 31, 32, 33, 63, 64, 100, 0x7f, 0x80, 0xff, 0x7fff, 0x8000],
  ...[0xffff, 0x1234_5678, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xdead_beef],
  ...[0xffff_ff80, 0xffff_fffe, 0xffff_ffff],
];
const I64_EXTRA = [
  ...[0x1_0000_0000n, 0x7fff_ffff_ffff_fffen, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n],
  ...[0x8000_0000_0000_0001n, 0xdead_beef_0123_4567n, 0xffff_ffff_8000_0000n],
  ...[0xffff_ffff_ffff_fffen, 0xffff_ffff_ffff_ffffn],
];
// Around the limits of integers, where rounding and conversion change.
const NUMBERS = [
  ...[0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3.3, 100, 1e10, 1e30, 2 ** 23, 2 ** 23 + 0.5],
  ...[2 ** 24 - 1, 2 ** 31, 2 ** 31 - 1, 2 ** 31 - 128, 2 ** 31 + 1, 2 ** 32, 2 ** 32 - 1],
  ...[2 ** 32 - 256, 2 ** 52 + 0.5, 2 ** 53 - 1, 2 ** 63, 2 ** 63 - 1024, 2 ** 63 + 2048],
  ...[2 ** 64, 2 ** 64 - 2048, 2 ** -149, 2 ** -126, 2 ** -1074, 2 ** -1022, Infinity],
];
const NANS_F32 = [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0x7fff_ffff, 0xffa0_0000];
const NANS_F64 = [0x7ff8n << 48n, 0xfff8n << 48n, (0x7ff0n << 48n) + 1n, (1n << 63n) - 1n];

const view = new DataView(new ArrayBuffer(8));

function bitsOf(type: "f32" | "f64", value: number): Bits {
  if (type === "f64") view.setFloat64(0, value);
  else view.setFloat32(0, value);
  return type === "f64" ? view.getBigUint64(0) : view.getUint32(0);
}

function floats(type: "f32" | "f64"): Bits[] {
  const signed = NUMBERS.flatMap((value) => [value, -value]);
  const numbers = signed.map((value) => bitsOf(type, value));
  return [...new Set([...numbers, ...(type === "f32" ? NANS_F32 : NANS_F64)])];
}

/** Operands of a type, as bits. */
export const EDGES: Record<Type, readonly Bits[]> = {
  i32: I32,
  i64: [...I32.slice(0, -3).map(BigInt), ...I64_EXTRA],
  f32: floats("f32"),
  f64: floats("f64"),
};
