// SPDX-License-Identifier: MIT
// Tables of link for notices: where the names of taps lie, and their words.
//
// Spec: SPEC.md §16. A node without notices has none of them.

import { NOTICE_NAMES } from "../../firmware/wire/notice-names.ts";
import { NOTICE_LAST } from "../../firmware/wire/finding.ts";
import { ascii } from "./cbor-encode.ts";
import { octets, rows, u16 } from "./link-table.ts";
import { polls } from "./polls.ts";
import type { NodeType } from "./schema.ts";
import { watchedTaps } from "./tap-watch.ts";

/** Two tables; `birth` ends with the encoded taps, which take `tapsBytes` octets. */
export function noticeTables(
  node: NodeType,
  birth: readonly number[],
  tapsBytes: number,
): string[] {
  if (watchedTaps(node) === 0)
    return ["export const TAPS: usize = 0;", "export const NOTICE_TEXTS: usize = 0;"];
  let at = birth.length - tapsBytes;
  const places = Object.keys(node.taps).flatMap((name) => {
    at = indexOfText(birth, name, at);
    return [...u16(at), ...u16(name.length)];
  });
  const words = Object.values(node.taps).some(polls)
    ? NOTICE_NAMES
    : NOTICE_NAMES.slice(0, NOTICE_LAST);
  const texts = words.flatMap((word) => [word.length, ...ascii(word)]);
  return [rows("TAPS", places), octets("NOTICE_TEXTS", texts)];
}

// Where the encoded text `name` lies from `from` on; its octets are all ASCII and stand after a head.
function indexOfText(birth: readonly number[], name: string, from: number): number {
  const wanted = [
    ...(name.length < 24 ? [0x60 + name.length] : [0x78, name.length]),
    ...ascii(name),
  ];
  const head = wanted.length - name.length;
  for (let at = from; at + wanted.length <= birth.length; at++)
    if (wanted.every((octet, i) => birth[at + i] === octet)) return at + head;
  throw new Error(`the birth has no tap "${name}"`);
}
