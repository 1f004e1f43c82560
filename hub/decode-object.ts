// SPDX-License-Identifier: MIT
// Where a channel of kind object comes from, as a birth tells it.
//
// Spec: SPEC.md §5: `[tap, object, which of its values, meter]`; a meter stands there where a line has several.

import * as cbor from "./cbor-reader.ts";
import * as limits from "./limits.ts";

/** An object of a meter; the tap is its order in the birth. */
export interface ObjectSource {
  tap: number;
  object: string; // printable ASCII
  value: number; // which of several, 1 the first; 0: the last one with a unit
  meter: string | null; // its address or its number; null: the only one
}

const PRINTABLE = /^[!-~]+$/;

/** Fails the reader where it is none. */
export function takeObject(reader: cbor.CborReader): ObjectSource {
  const items = cbor.takeArray(reader);
  if (items !== 3 && items !== 4) reader.failed = true;
  const source = {
    tap: cbor.takeUnsigned(reader, limits.TAPS_MAX - 1),
    object: cbor.takeText(reader, limits.OBJECT_CHARS_MAX),
    value: cbor.takeUnsigned(reader, 255),
    meter: items === 4 ? cbor.takeText(reader, limits.NAME_CHARS_MAX) : null,
  };
  if (!PRINTABLE.test(source.object) || !PRINTABLE.test(source.meter ?? "-")) reader.failed = true;
  return source;
}
