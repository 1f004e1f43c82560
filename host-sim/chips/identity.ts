// SPDX-License-Identifier: MIT
// The identity record of a board: who the node is. Last sector of its flash.
//
// "FRI1" | id 24, zeros after it | eui64 8 | CRC-32C of the 36 octets before it, little-endian.

import { crc32c } from "../../gateway/frame.ts";

const ID_AT = 4;
const EUI_AT = 28;
const CRC_AT = 36;
const RECORD_BYTES = 40;

/** The record of a node; `id` has 1 to 23 characters of ASCII. */
export function encodeIdentity(id: string, eui64: Uint8Array): Uint8Array {
  const record = new Uint8Array(RECORD_BYTES);
  record.set(Buffer.from("FRI1", "latin1"));
  record.set(Buffer.from(id, "latin1"), ID_AT);
  record.set(eui64, EUI_AT);
  new DataView(record.buffer).setUint32(CRC_AT, crc32c(record, CRC_AT), true);
  return record;
}
