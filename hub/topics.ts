// SPDX-License-Identifier: MIT
// Topics of nodes: which node, which kind of message.
//
// Spec: SPEC.md §2. Parsed topics are kept, since the same ones come with each message; at most
// TOPICS_KEPT, then all are forgotten and parsed again.

import * as wire from "../firmware/wire/topics.ts";
import { BIRTH_PARTS_MAX, TOPICS_KEPT } from "./limits.ts";
import { isNodeId } from "./names.ts";

export interface NodeTopic {
  node: string;
  kind: "data" | "event" | "status" | "presence" | "birth" | "time" | "set" | "result" | "tap";
  part: number; // of a birth; -1
}

/** Parses a topic; null: not one of a node. */
export type TopicParser = (topic: string) => NodeTopic | null;

/** What the hub subscribes to. */
export const NODE_TOPICS = `${wire.TOPIC_ROOT}/#`;

export function createTopicParser(): TopicParser {
  const known = new Map<string, NodeTopic>();
  return (topic) => {
    const found = known.get(topic);
    if (found !== undefined) return found;
    const parsed = parseTopic(topic);
    if (parsed === null) return null;
    if (known.size >= TOPICS_KEPT) known.clear();
    known.set(topic, parsed);
    return parsed;
  };
}

const TOPIC_CHARS_MAX = 64; // root, the longest id, the longest suffix, with room
const PART = /^(?:0|[1-9][0-9]{0,2})$/;
const PLAIN = [
  wire.TOPIC_DATA,
  wire.TOPIC_EVENT,
  wire.TOPIC_STATUS,
  wire.TOPIC_PRESENCE,
  wire.TOPIC_TAP,
] as const;

function parseTopic(topic: string): NodeTopic | null {
  if (topic.length > TOPIC_CHARS_MAX) return null;
  const [root, node = "", ...rest] = topic.split("/");
  if (root !== wire.TOPIC_ROOT || !isNodeId(node)) return null;
  const suffix = rest.join("/");
  for (const kind of PLAIN) if (suffix === kind) return { node, kind, part: -1 };
  if (suffix === wire.TOPIC_TIME || suffix === wire.TOPIC_TIME_GET)
    return { node, kind: "time", part: -1 };
  if (suffix === wire.TOPIC_SET) return { node, kind: "set", part: -1 };
  if (suffix === wire.TOPIC_SET_RESULT) return { node, kind: "result", part: -1 };
  const [birth, part = ""] = rest;
  if (birth !== wire.TOPIC_BIRTH || rest.length !== 2 || !PART.test(part)) return null;
  return Number(part) < BIRTH_PARTS_MAX ? { node, kind: "birth", part: Number(part) } : null;
}
