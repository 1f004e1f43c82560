// SPDX-License-Identifier: MIT
// Counts seconds: the smallest code of a node.
//
// decide() runs once a tick, between sampling and telling. Values are whole numbers, in steps of a channel's
// decimals. There is no waiting and no allocation in here: what takes time is spread over ticks.

import { nowMs, report } from "ferrule/loop";
import { BEATS } from "ferrule/node";

export function decide(): void {
  report(BEATS, nowMs() / 1000);
}
