// SPDX-License-Identifier: MIT
// Names and scales that a node.json gives to registers.

import { readNode } from "../build/node.ts";
import { orderCode } from "../build/registers.ts";
import type { RegisterChannel } from "../build/schema.ts";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";
import { registerKey } from "./inventory.ts";
import { ORDERS, valueOf, wordsOf } from "./value.ts";

export interface Named {
  name: string;
  unit: string; // an empty text: none
  words: number;
  key: number; // of its first register
  value(words: readonly number[]): number;
}

/** The register channels of a node.json, by the keys of all their registers; several may hold one. */
export type RegisterMap = Map<number, Named[]>;

/** Reads the node.json; throws a Failure where it is wrong or maps no register. */
export function readMap(path: string): RegisterMap {
  const { type } = readNode(path);
  const map: RegisterMap = new Map();
  for (const [name, channel] of Object.entries(type.channels)) {
    if (channel.kind !== "register" || channel.bit !== undefined) continue; // a part has no place of its own
    const named = nameOf(name, channel);
    if (named === null) continue;
    for (let i = 0; i < named.words; i++) {
      const key = named.key + i;
      map.set(key, [...(map.get(key) ?? []), named]);
    }
  }
  if (map.size === 0)
    throw new Failure(
      EXIT_USAGE,
      `${path} maps no register`,
      'give one with channels of "kind": "register"; ferrule tap init makes one',
    );
  return map;
}

// null: a text, which is no number.
function nameOf(name: string, channel: RegisterChannel): Named | null {
  const { unitId, table, address, type, scale, unit = "" } = channel;
  if (type === "text") return null;
  const order = ORDERS[orderCode(channel)]!;
  return {
    ...{ name, unit, words: wordsOf(type), key: registerKey(unitId, table, address) },
    value: (words) => rounded(valueOf(words, type, order) * scale),
  };
}

// A product such as 3 * 0.1 without what binary adds to it.
function rounded(value: number): number {
  return Number(value.toPrecision(9));
}
