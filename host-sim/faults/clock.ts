// SPDX-License-Identifier: MIT
// A node's own clock: starts at 0 with power, may run fast or slow.
//
// Only now_us() and the stamps of tap characters are off; the ticks stay where they are, so a run with
// drift differs from one without in nothing but times. (K1) it never runs backwards.

import { CLOCK_PPM_MAX } from "../limits.ts";

export interface NodeClock {
  /** Stands at 0 now. */
  start(nowUs: number): void;
  /** Microseconds since its start, as this clock counts them; a whole number. */
  at(nowUs: number): number;
  /** Runs fast by so many millionths more from now on; negative: slow. */
  addDrift(ppm: number, nowUs: number): void;
}

export function createNodeClock(): NodeClock {
  let baseUs = 0; // of the run
  let ownUs = 0; // of this clock at that time
  let sumPpm = 0;
  let ppm = 0; // the sum within bounds
  const at = (nowUs: number): number =>
    ppm === 0
      ? ownUs + nowUs - baseUs
      : ownUs + Math.floor(((nowUs - baseUs) * (1_000_000 + ppm)) / 1_000_000);

  return {
    start(nowUs) {
      baseUs = nowUs;
      ownUs = 0;
    },
    at,
    addDrift(more, nowUs) {
      ownUs = at(nowUs); // (K1)
      baseUs = nowUs;
      sumPpm += more;
      ppm = Math.max(-CLOCK_PPM_MAX, Math.min(CLOCK_PPM_MAX, sumPpm));
    },
  };
}
