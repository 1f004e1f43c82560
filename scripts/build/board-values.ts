// SPDX-License-Identifier: MIT
// What a node type has of its own on a board: "boards" of node.json.
//
// A board that is slow has a longer period. Times stay what they are: they are in milliseconds, and a weight
// or a count of samples follows the time from one sample to the next. A median counts samples.

import { z } from "zod";
import { BOARD_NAMES } from "./board-names.ts";
import { checkAccelerometers, checkChannel, type Complain, tenthsOf } from "./checks.ts";
import type { Channel, NodeType } from "./schema.ts";

const PERIOD_MS_MAX = 10_000; // a status is due that often
const OUTBOX_SLOTS_MIN = 128; // a pack in flight and one that is gathered

/** One board's values. */
export const boardValues = z
  .strictObject({
    periodMs: z
      .number()
      .min(0.1)
      .max(PERIOD_MS_MAX)
      .optional()
      .describe("period of the loop there; everyMs of channels is at least that"),
    outboxSlots: z
      .number()
      .int()
      .min(OUTBOX_SLOTS_MIN)
      .max(4096)
      .optional()
      .describe("readings and events that wait there"),
  })
  .describe("what this node has of its own on a board");

/** A checked node type with the values of a board; `board` is absent where none was asked for. */
export type BoardNode = NodeType & { board?: string | undefined };

/** The node type as it is on a board. */
export function onBoard(node: NodeType, board: string | undefined): BoardNode {
  const own = board === undefined ? undefined : node.boards[board];
  const { periodMs = node.periodMs, outboxSlots = node.transport.outboxSlots } = own ?? {};
  const channels = Object.entries(node.channels).map(([key, channel]): [string, Channel] => [
    key,
    periodMs === node.periodMs ? channel : slowed(channel, periodMs),
  ]);
  return {
    ...node,
    ...(board !== undefined && { board }),
    periodMs,
    channels: Object.fromEntries(channels),
    transport: { ...node.transport, outboxSlots },
  };
}

// A channel at another period: sampled at the next multiple of it, its filters as long in time as before.
function slowed(channel: Channel, periodMs: number): Channel {
  if (channel.kind !== "analog" && channel.kind !== "counter") return channel;
  const period = tenthsOf(periodMs);
  const everyMs = (Math.ceil(tenthsOf(channel.everyMs) / period) * period) / 10;
  if (channel.kind === "counter") return { ...channel, everyMs };
  const ratio = everyMs / channel.everyMs;
  return {
    ...channel,
    everyMs,
    ema: 1 - (1 - channel.ema) ** ratio,
    average: Math.max(1, Math.round(channel.average / ratio)),
    decimate: Math.max(1, Math.round(channel.decimate / ratio)),
  };
}

/** What is wrong with the values of boards, each by its path. */
export function checkBoards(node: NodeType, complain: Complain): void {
  for (const [board, { periodMs }] of Object.entries(node.boards)) {
    const path = ["boards", board];
    if (!BOARD_NAMES.includes(board)) {
      complain(path, `there is no board "${board}"; known: ${BOARD_NAMES.join(", ")}`);
      continue;
    }
    if (periodMs === undefined) continue;
    if (tenthsOf(periodMs) / 10 !== periodMs)
      complain([...path, "periodMs"], "a multiple of 0.1 ms");
    const there = onBoard(node, board);
    const here: Complain = (at, message) =>
      complain([...path, "periodMs"], `${at.join(".")}: ${message}`);
    for (const [key, channel] of Object.entries(there.channels))
      checkChannel(key, channel, there, here);
    checkAccelerometers(there, here);
  }
}
