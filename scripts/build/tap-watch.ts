// SPDX-License-Identifier: MIT
// Which taps of a node learn an inventory, and which tell notices.
//
// A bit for each tap, in the order of node.json. A tap of protocol auto does both; a Modbus tap when
// node.json says so, since each costs memory that a small board may lack. A tap that polls tells notices
// unless node.json says that it does not: a second master is one.

import { polls } from "./polls.ts";
import type { NodeType } from "./schema.ts";

interface Watch {
  protocol: string;
  learn?: boolean | undefined;
  notices?: boolean | undefined;
  mode?: "listen" | "poll" | undefined;
}

/** Taps whose registers and questions are learned. */
export function learnedTaps(node: Pick<NodeType, "taps">): number {
  return bits(node, ({ protocol, learn }) => protocol === "auto" || learn === true);
}

/** Taps whose security events are told. */
export function watchedTaps(node: Pick<NodeType, "taps">): number {
  return bits(node, (tap) => tap.notices ?? (tap.protocol === "auto" || polls(tap)));
}

/** Whether the node publishes what its taps find out. */
export function findsOut(node: Pick<NodeType, "taps">): boolean {
  return learnedTaps(node) !== 0;
}

function bits({ taps }: Pick<NodeType, "taps">, holds: (tap: Watch) => boolean): number {
  return Object.values(taps).reduce((all, tap: Watch, i) => all | (holds(tap) ? 1 << i : 0), 0);
}
