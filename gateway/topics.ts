// SPDX-License-Identifier: MIT
// Topic ids: the table of a client, the numbers of a gateway, predefined names.
//
// Spec: MQTT-SN 1.2 §5.3.11, §6.5. Ids ascend over all clients of a gateway from a first one that the
// seed gives, and no CONNECT resets them: a stale id is refused, it never names another topic.
// (I1) A name has at most one id and an id at most one name. (I2) 0000 and FFFF are never given.

import { MUTED_TOPICS_MAX, TOPICS_BYTES_MAX, TOPICS_MAX } from "./limits.ts";

export const TOPIC_ID_NONE = 0; // a wildcard, or a refusal
const TOPIC_ID_MAX = 0xfffe;

export interface TopicEntry {
  readonly topicId: number;
  readonly name: string;
  known: boolean; // the client has it: from REGACK or SUBACK, or it accepted a REGISTER
}

export interface TopicIds {
  next: number; // 0001..FFFE
}

/** Topic ids that start at a number made of the seed. */
export function createTopicIds(seed: number): TopicIds {
  // A multiplicative hash: neighbouring seeds give distant ids.
  return { next: (Math.imul(seed | 0, 0x9e37_79b1) >>> 16) % TOPIC_ID_MAX || 1 };
}

export interface Topics {
  readonly byName: Map<string, TopicEntry>;
  readonly byId: Map<number, TopicEntry>;
  readonly muted: Set<string>; // refused by the client until its next SUBSCRIBE or CONNECT
  bytes: number; // of all names, as UTF-16 units times two
}

/** An empty table. */
export function createTopics(): Topics {
  return { byName: new Map(), byId: new Map(), muted: new Set(), bytes: 0 };
}

/** The entry of a name, with a new id if it has none; undefined: the table is full. */
export function registerTopic(topics: Topics, ids: TopicIds, name: string): TopicEntry | undefined {
  const old = topics.byName.get(name);
  if (old !== undefined) return old;
  const bytes = topics.bytes + name.length * 2;
  if (topics.byName.size >= TOPICS_MAX || bytes > TOPICS_BYTES_MAX) return undefined;
  const entry: TopicEntry = { topicId: takeId(topics, ids), name, known: false };
  topics.byName.set(name, entry);
  topics.byId.set(entry.topicId, entry);
  topics.bytes = bytes;
  return entry;
}

/** Forgets an entry; its id is not given again soon. */
export function dropTopic(topics: Topics, entry: TopicEntry): void {
  if (!topics.byName.delete(entry.name)) return;
  topics.byId.delete(entry.topicId);
  topics.bytes -= entry.name.length * 2;
}

/** Nothing is sent on this name any more. A full set forgets its oldest name. */
export function muteTopic(topics: Topics, name: string): void {
  if (topics.muted.size >= MUTED_TOPICS_MAX) {
    const [oldest] = topics.muted;
    if (oldest !== undefined) topics.muted.delete(oldest);
  }
  topics.muted.add(name);
}

// A table holds far fewer than all numbers, so the loop ends after TOPICS_MAX + 1 turns at most.
function takeId(topics: Topics, ids: TopicIds): number {
  let id = ids.next;
  while (topics.byId.has(id)) id = id === TOPIC_ID_MAX ? 1 : id + 1;
  ids.next = id === TOPIC_ID_MAX ? 1 : id + 1;
  return id;
}

export interface Predefined {
  nameOf(topicId: number): string | undefined;
  idOf(name: string): number | undefined;
}

/** The names that gateway and clients agreed on beforehand. */
export function createPredefined(table: Readonly<Record<string, number>>): Predefined {
  const byName = new Map(Object.entries(table));
  const byId = new Map<number, string>();
  for (const [name, id] of byName) {
    if (!Number.isInteger(id) || id < 1 || id > TOPIC_ID_MAX || byId.has(id)) {
      throw new RangeError(`predefined topic "${name}": id ${id} is taken or not in 1..65534`);
    }
    byId.set(id, name);
  }
  return { nameOf: (id) => byId.get(id), idOf: (name) => byName.get(name) };
}
