// SPDX-License-Identifier: MIT
// Joins the parts of a birth, in any order, to what a node announces.
//
// Spec: SPEC.md §5. Parts of one boot and one count belong together; what lies in the broker from an
// earlier boot stays alone and is never mixed in.
// (B1) at most BIRTHS_OPEN collections of BIRTH_PARTS_MAX parts; the one not touched longest goes.

import type { OutputView } from "./api.ts";
import type { BirthPart, ChannelBirth, Identity, TapBirth } from "./decode-birth.ts";
import { BIRTHS_OPEN } from "./limits.ts";

/** A whole birth. */
export interface NodeBirth {
  boot: number;
  identity: Identity;
  channels: ChannelBirth[];
  outputs: OutputView[];
  taps: TapBirth[];
}

interface Collection {
  boot: number;
  parts: (BirthPart | null)[];
  whole: boolean; // it was complete once
}

/** Collections under way, the one touched last at the end. */
export interface BirthParts {
  open: Collection[];
}

export function createBirthParts(): BirthParts {
  return { open: [] };
}

/** Puts a part to its like; gives the birth once it is whole. "bad-birth": it contradicts itself. */
export function joinBirth(parts: BirthParts, part: BirthPart): NodeBirth | null | "bad-birth" {
  const collection = collectionOf(parts, part);
  const held = collection.parts[part.index];
  if (collection.whole && JSON.stringify(held) === JSON.stringify(part)) return null; // said again
  collection.parts[part.index] = part;
  const whole: BirthPart[] = [];
  for (const one of collection.parts) {
    if (one === null) return null;
    whole.push(one);
  }
  collection.whole = true;
  return joined(whole) ?? "bad-birth";
}

function collectionOf(parts: BirthParts, part: BirthPart): Collection {
  const index = parts.open.findIndex(
    ({ boot, parts: held }) => boot === part.boot && held.length === part.count,
  );
  const known = index < 0 ? undefined : parts.open.splice(index, 1)[0];
  const collection = known ?? {
    boot: part.boot,
    parts: new Array<BirthPart | null>(part.count).fill(null), // count was checked: BIRTH_PARTS_MAX
    whole: false,
  };
  parts.open.push(collection);
  if (parts.open.length > BIRTHS_OPEN) parts.open.shift();
  return collection;
}

function joined(parts: BirthPart[]): NodeBirth | null {
  const identity = parts[0]?.identity ?? null;
  const last = parts[parts.length - 1];
  if (identity === null || last === undefined) return null;
  const channels = parts.flatMap((part) => part.channels);
  const taps = last.taps ?? [];
  const names = new Set(channels.map(({ name }) => name));
  if (channels.length !== identity.channelCount || names.size !== channels.length) return null;
  const tapOf = ({ register, field, object }: ChannelBirth): number =>
    (register ?? field ?? object)?.tap ?? -1;
  if (channels.some((channel) => tapOf(channel) >= taps.length)) return null;
  return { boot: last.boot, identity, channels, outputs: last.outputs ?? [], taps };
}
