// SPDX-License-Identifier: MIT
// The identity of the birth, encoded, with places for what only the host knows.
//
// Spec: SPEC.md §5. Link lets the host write EUI-64 and hashes where they belong in it, puts all of it and then the
// host's name; period and number of channels open the first part of the birth.

import {
  BIRTH_IDENTITY,
  IDENTITY_CHANNEL_COUNT,
  IDENTITY_EUI64,
  IDENTITY_HOST,
  IDENTITY_LINK_HASH,
  IDENTITY_LOOP_HASH,
  IDENTITY_PERIOD_US,
  IDENTITY_TYPE,
  IDENTITY_VERSION,
} from "../../firmware/wire/senml.ts";
import { head, integer, MAJOR_MAP, text } from "./cbor-encode.ts";
import { constant, rows } from "./link-table.ts";
import { allChannels, type NodeType } from "./schema.ts";

const MAJOR_BYTES = 2;
const PAIRS = 8;
const EUI64_BYTES = 8;
const HASH_BYTES = 32;
const ALIGN = 4; // the EUI-64 is also read as words

/** The encoded identity and its places, as constants. */
export function identityTables(node: NodeType, version: string): string[] {
  const bytes = [BIRTH_IDENTITY, ...head(MAJOR_MAP, PAIRS), IDENTITY_TYPE, ...text(node.type)];
  const place = (key: number, length: number): number => {
    bytes.push(key, ...head(MAJOR_BYTES, length));
    return bytes.push(...new Array<number>(length).fill(0)) - length;
  };
  const eui64 = place(IDENTITY_EUI64, EUI64_BYTES);
  const loopHash = place(IDENTITY_LOOP_HASH, HASH_BYTES);
  const linkHash = place(IDENTITY_LINK_HASH, HASH_BYTES);
  bytes.push(IDENTITY_VERSION, ...text(version), IDENTITY_HOST);
  const start = (ALIGN - (eui64 % ALIGN)) % ALIGN;
  return [
    constant("IDENTITY_START", start),
    constant("IDENTITY_BYTES", bytes.length),
    constant("EUI64_AT", start + eui64),
    constant("LOOP_HASH_AT", start + loopHash),
    constant("LINK_HASH_AT", start + linkHash),
    rows("IDENTITY", [...new Array<number>(start).fill(0), ...bytes], ALIGN),
  ];
}

/** The pairs of the identity that follow the host's name. */
export function identityEnd(node: NodeType): number[] {
  return [
    IDENTITY_PERIOD_US,
    ...integer(Math.round(node.periodMs * 1000)),
    IDENTITY_CHANNEL_COUNT,
    ...integer(allChannels(node).length),
  ];
}
