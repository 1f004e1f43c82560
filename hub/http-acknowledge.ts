// SPDX-License-Identifier: MIT
// POST /api/acknowledge: a person says that an alarm was seen.
//
// Guarded as a write (http-writes.ts): the token, JSON, the page's own origin, so many a second.

import type { IncomingMessage } from "node:http";
import type { Acknowledgement } from "./acknowledge.ts";
import * as guard from "./http-writes.ts";
import type { Hub } from "./hub.ts";
import * as limits from "./limits.ts";
import { isName, isNodeId } from "./names.ts";

/** Takes one POST after the other. */
export function createAcknowledger(
  options: guard.WriteOptions,
): (request: IncomingMessage) => Promise<guard.WriteReply> {
  const { hub, token, wallMs } = options;
  const allow = guard.createRate(wallMs);
  return async (request) => {
    if (!allow()) return guard.problem(429, "too many acknowledgements: wait a second");
    const body = await guard.readBody(request);
    if (body === null) return guard.problem(413, "an acknowledgement has at most 1 kB");
    const word = parseWord(body);
    const failed = guard.refusalOf(request, token) ?? take(hub, word, wallMs());
    if (failed !== null)
      hub.refuseWrite({ ...shownOf(word), value: null, reason: failed.error }, wallMs());
    hub.commit(); // what was promised outlasts a kill
    if (failed !== null) return guard.problem(failed.status, failed.error);
    return { status: 200, body: { acknowledged: true } };
  };
}

/** Null: taken; else why not. */
function take(
  hub: Hub,
  word: Acknowledgement | string,
  wallMs: number,
): { status: number; error: string } | null {
  return typeof word === "string" ? { status: 400, error: word } : hub.acknowledge(word, wallMs);
}

/** The acknowledgement, or in one sentence what is wrong with it. */
function parseWord(body: string): Acknowledgement | string {
  const found = guard.parseObject(body);
  if (typeof found === "string") return found;
  const { node, channel, alarm, by, comment = "" } = found;
  if (typeof node !== "string" || !isNodeId(node)) return "node is no node id";
  if (!isNamed(channel)) return "channel is no name of a channel";
  if (!isNamed(alarm)) return "alarm is no name of an alarm";
  if (typeof by !== "string" || !guard.isWriter(by))
    return "by is who acknowledges, 1 to 64 characters";
  if (typeof comment !== "string" || !isComment(comment))
    return `comment is one line of at most ${limits.COMMENT_CHARS_MAX} characters`;
  return { node, channel, alarm, by, comment: comment.trim() };
}

function isNamed(name: unknown): name is string {
  return typeof name === "string" && name.length <= limits.NAME_CHARS_MAX && isName(name);
}

function isComment(text: string): boolean {
  return text.length <= limits.COMMENT_CHARS_MAX && !/\p{C}/u.test(text);
}

/** What of a refused one is written down. */
function shownOf(word: Acknowledgement | string): { node: string; name: string; by: string } {
  if (typeof word === "string") return { node: "", name: "", by: "" };
  return { node: word.node, name: `${word.channel}/${word.alarm}`, by: word.by };
}
