// SPDX-License-Identifier: MIT
// Real messages, damaged by seed: for whoever must refuse them by name.
//
// The corpus is what a seed of trouble put on the wire. A mutation does one to four things that bad memory, bad
// senders and attackers do: turn a bit, set, cut, insert, repeat, splice octets. The same seed damages the same way.

import type { PlantPlan } from "../../host-sim/plan.ts";
import { createPrng, type Prng } from "../../host-sim/prng.ts";
import { runSeed } from "../../host-sim/seeds.ts";

const CORPUS_MAX = 1000; // of each kind
const CORPUS_SEEDS = 5;
const STEPS_MAX = 4;
const PIECE_BYTES_MAX = 16;
const TELLING = [
  0x00, 0x01, 0x17, 0x18, 0x19, 0x1b, 0x1f, 0x7f, 0x80, 0x9f, 0xbf, 0xc4, 0xf9, 0xff,
];

export interface Corpus {
  data: Uint8Array[]; // packs of readings
  event: Uint8Array[]; // packs of events
  datagrams: Uint8Array[]; // from nodes to the gateway, in order
}

/** What a few seeds put on the wire, each message once. */
export function makeCorpus(plan: PlantPlan): Corpus {
  const found = { data: new Set<string>(), event: new Set<string>(), datagrams: new Set<string>() };
  const put = (into: Set<string>, hex: unknown): void => {
    if (into.size < CORPUS_MAX) into.add(String(hex));
  };
  const trace = (line: string): void => {
    const { e, topic, hex } = JSON.parse(line) as Record<string, unknown>;
    if (e === "datagram-put") put(found.datagrams, hex);
    const kind = /^ferrule\/[^/]+\/(data|event)$/.exec(String(topic))?.[1];
    if (e === "broker" && (kind === "data" || kind === "event")) put(found[kind], hex);
  };
  for (let seed = 1; seed <= CORPUS_SEEDS; seed++) runSeed(plan, seed, { trace });
  const bytes = (texts: Set<string>): Uint8Array[] =>
    [...texts].map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
  return { data: bytes(found.data), event: bytes(found.event), datagrams: bytes(found.datagrams) };
}

/** One of the originals, damaged. */
export function mutate(prng: Prng, originals: readonly Uint8Array[]): Uint8Array {
  let bytes = pick(prng, originals);
  for (let steps = 1 + prng.below(STEPS_MAX); steps > 0; steps--) {
    bytes = pick(prng, STEPS)(bytes, prng, originals);
  }
  return bytes;
}

/** Any of them. */
export function pick<T>(prng: Prng, from: readonly T[]): T {
  const one = from[prng.below(from.length)];
  if (one === undefined) throw new RangeError("nothing to pick from");
  return one;
}

type Step = (bytes: Uint8Array, prng: Prng, originals: readonly Uint8Array[]) => Uint8Array;

const changed = (bytes: Uint8Array, at: number, octet: number): Uint8Array => {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = octet;
  return copy;
};
const joined = (...pieces: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));
const place = (prng: Prng, bytes: Uint8Array): number => prng.below(bytes.length + 1);
const piece = (prng: Prng, bytes: Uint8Array): Uint8Array => {
  const from = place(prng, bytes);
  return bytes.subarray(from, from + prng.below(PIECE_BYTES_MAX + 1));
};

const STEPS: readonly Step[] = [
  (bytes, prng) => {
    const at = place(prng, bytes);
    return changed(bytes, at, (bytes[at] ?? 0) ^ (1 << prng.below(8)));
  },
  (bytes, prng) => changed(bytes, place(prng, bytes), prng.below(256)),
  (bytes, prng) => changed(bytes, place(prng, bytes), pick(prng, TELLING)),
  (bytes, prng) => bytes.slice(0, place(prng, bytes)),
  (bytes, prng) => {
    const at = place(prng, bytes);
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + prng.below(PIECE_BYTES_MAX)));
  },
  (bytes, prng) => {
    const at = place(prng, bytes);
    return joined(bytes.subarray(0, at), Uint8Array.of(prng.below(256)), bytes.subarray(at));
  },
  (bytes, prng) => {
    const at = place(prng, bytes);
    return joined(bytes.subarray(0, at), piece(prng, bytes), bytes.subarray(at));
  },
  (bytes, prng, originals) => {
    const other = pick(prng, originals);
    return joined(bytes.subarray(0, place(prng, bytes)), other.subarray(place(prng, other)));
  },
];

/** A generator for one kind of damage. */
export function damage(seed: number, what: string): Prng {
  return createPrng(seed).fork(what);
}
