// SPDX-License-Identifier: MIT
// What a receiver makes of a whole wave.

import { createReceiver, type ReceiverSettings } from "./receiver.ts";
import type { Wave } from "./wave.ts";

export interface HeardCharacter {
  data: number; // up to 9 bits
  flags: number; // TAP_FLAG_*
  atNs: number; // in the middle of its stop bit
}

/** All characters that are decided before this time. */
export function hear(wave: Wave, settings: ReceiverSettings, endNs: number): HeardCharacter[] {
  const heard: HeardCharacter[] = [];
  const receiver = createReceiver(
    settings,
    (data, flags, atNs) => heard.push({ data, flags, atNs }),
    wave.initial,
  );
  let level = wave.initial;
  for (const edge of wave.edges) receiver.level((level = 1 - level), edge);
  receiver.runTo(endNs);
  return heard;
}
