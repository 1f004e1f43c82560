// SPDX-License-Identifier: MIT
// Damaged packs at the hub: each refused by a name, or taken as what cbor-x reads.
//
// Goal: no octets make the hub throw or take nonsense. What it takes must be what an independent decoder reads as an
// array of as many maps as readings were counted.

import { Decoder } from "cbor-x";
import { createHub, type Hub } from "../../hub/hub.ts";
import type { HubConfig } from "../../hub/hub.ts";
import { type Corpus, damage, mutate } from "./mutations.ts";

const WALL_MS = 1_767_225_600_000;
const NODES = 4;
const FRESH_EACH = 50_000; // a hub forgets; so that strange boots do not make all that follows too old
const PLACE = { enterprise: "acme", site: "north", area: "works", line: "one", cell: "a" };
const CONFIG: HubConfig = { root: "umh/v1", ...PLACE };

export interface HubFuzz {
  accepted: number; // messages
  refused: Record<string, number>; // messages and readings, by name
}

/** Gives so many damaged packs to a hub. Throws an Error with the octets when one is not met as it must be. */
export function fuzzHub(corpus: Corpus, seed: number, count: number): HubFuzz {
  const prng = damage(seed, "packs");
  const sums: HubFuzz = { accepted: 0, refused: {} };
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
  let hub = createHub(CONFIG);
  for (let done = 0; done < count; done++) {
    if (done % FRESH_EACH === 0) hub = createHub(CONFIG);
    const kind = prng.chance(0.8) ? "data" : "event";
    const payload = mutate(prng, corpus[kind]);
    const topic = `ferrule/n${prng.below(NODES)}/${kind}`;
    const problem = giveOne(hub, { topic, payload }, sums, decoder);
    if (problem !== undefined) {
      const octets = Buffer.from(payload).toString("hex");
      throw new Error(`pack ${done} of seed ${seed} on ${topic}: ${problem}: ${octets}`);
    }
  }
  return sums;
}

function giveOne(
  hub: Hub,
  { topic, payload }: { topic: string; payload: Uint8Array },
  sums: HubFuzz,
  decoder: Decoder,
): string | undefined {
  const before = hub.totals();
  try {
    hub.message({ topic, payload, qos: 1, retain: false }, WALL_MS);
  } catch (error) {
    return `the hub threw ${String(error)}`;
  }
  const after = hub.totals();
  let refusals = 0;
  for (const [name, total] of Object.entries(after.refused)) {
    const more = total - (before.refused[name] ?? 0);
    refusals += more;
    if (more > 0) sums.refused[name] = (sums.refused[name] ?? 0) + more;
  }
  const taken = after.ingested - before.ingested + after.duplicates - before.duplicates;
  hub.takePublications();
  if (taken === 0) return refusals > 0 ? undefined : "neither refused nor taken";
  sums.accepted++;
  return recordsOf(decoder, payload) === taken + refusals
    ? undefined
    : `${taken} taken and ${refusals} refused of a pack that cbor-x reads otherwise`;
}

// How many maps an independent decoder finds in the array; -1: it is no array of maps.
function recordsOf(decoder: Decoder, payload: Uint8Array): number {
  try {
    const read: unknown = decoder.decode(payload);
    return Array.isArray(read) && read.every((one) => one instanceof Map) ? read.length : -1;
  } catch {
    return -1;
  }
}
