// SPDX-License-Identifier: MIT
// How often a channel has a new value, as the birth tells it.
//
// Not how often its input is read: a decimated channel passes one sample of many, a burst gives one value.

import { burstMs } from "./generate-vibration.ts";
import type { AnyChannel, NodeType } from "./schema.ts";

const DAY_MS = 86_400_000; // the hub believes no longer one

/** Milliseconds from one value to the next, rounded, a day at most; 0: when something happens. */
export function valuePeriodMs(channel: AnyChannel, node: NodeType): number {
  return Math.min(Math.round(exactMs(channel, node)), DAY_MS);
}

function exactMs(channel: AnyChannel, { periodMs, accelerometers }: NodeType): number {
  if (channel.kind === "analog" || channel.kind === "counter") {
    const everyMs = Math.round(channel.everyMs / periodMs) * periodMs;
    return channel.kind === "analog" ? everyMs * channel.decimate : everyMs;
  }
  if (channel.kind !== "vibration") return 0;
  const { rateHz, samples, everyMs } = accelerometers[channel.accelerometer]!;
  // A burst begins in a tick; where they take longer than they should be apart, they follow each other.
  return Math.max(Math.ceil(everyMs / periodMs) * periodMs, burstMs(rateHz, samples));
}
