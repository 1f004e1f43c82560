// SPDX-License-Identifier: MIT
// Encodes what a build knows as deterministic CBOR: octets as plain numbers.
//
// Spec: RFC 8949 §4.2.1, §3.4.4. Values come from a checked node.json; what cannot be encoded throws.

import { TAG_DECIMAL_FRACTION } from "../../firmware/wire/senml.ts";
import { decimal } from "./schema.ts";

const MAJOR_UNSIGNED = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_TEXT = 3;
export const MAJOR_ARRAY = 4;
export const MAJOR_MAP = 5;
const MAJOR_TAG = 6;

export function head(major: number, argument: number): number[] {
  const initial = major << 5;
  if (argument < 24) return [initial | argument];
  if (argument <= 0xff) return [initial | 24, argument];
  if (argument <= 0xffff) return [initial | 25, ...bigEndian(argument, 2)];
  if (argument <= 0xffff_ffff) return [initial | 26, ...bigEndian(argument, 4)];
  return [initial | 27, ...bigEndian(argument, 8)];
}

export function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) =>
    Number((BigInt(value) >> BigInt(8 * (bytes - 1 - i))) & 0xffn),
  );
}

export function integer(value: number): number[] {
  return value < 0 ? head(MAJOR_NEGATIVE, -1 - value) : head(MAJOR_UNSIGNED, value);
}

export function text(value: string): number[] {
  return [...head(MAJOR_TEXT, value.length), ...ascii(value)];
}

export function array(items: number[][]): number[] {
  return [...head(MAJOR_ARRAY, items.length), ...items.flat()];
}

/** `4([exponent, mantissa])` */
export function fraction(exponent: number, mantissa: number): number[] {
  return [
    ...head(MAJOR_TAG, TAG_DECIMAL_FRACTION),
    ...array([integer(exponent), integer(mantissa)]),
  ];
}

/** A decimal as written in node.json: an integer, else a decimal fraction. */
export function number(value: number): number[] {
  if (Number.isSafeInteger(value)) return integer(value);
  const { mantissa, exponent } = decimal(value);
  return fraction(exponent, mantissa);
}

export function ascii(value: string): number[] {
  return [...value].map((character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20 || code > 0x7e) throw new Error(`"${value}" is not plain ASCII`);
    return code;
  });
}
