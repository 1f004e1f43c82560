// SPDX-License-Identifier: MIT
// Time of the run against time of a chip since its power-on.
//
// A line: the chip's crystal may run fast or slow, and the chip may stand still while the run goes on (a machine
// that was too busy in real time). Both in µs.
// (P1) neither ever runs backwards.

import { CLOCK_PPM_MAX } from "../limits.ts";

export interface Span {
  /** Power comes: the chip is at 0 now. */
  start(runUs: number): void;
  /** The chip's time of a time of the run, with its fraction. */
  chipUs(runUs: number): number;
  runUs(chipUs: number): number;
  /** The crystal runs fast by so many millionths more from now on; negative: slow. */
  addDrift(ppm: number, runUs: number): void;
  /** The chip stood still from one time of the run to another. */
  standStill(fromUs: number, toUs: number): void;
  /** Until then it last stood still. */
  stoodUntilUs(): number;
}

export function createSpan(): Span {
  let baseRunUs = 0;
  let baseChipUs = 0;
  let sumPpm = 0;
  let rate = 1;
  let stoodUntilUs = 0;
  const chipUs = (runUs: number): number => baseChipUs + (runUs - baseRunUs) * rate;
  return {
    start(runUs) {
      baseRunUs = runUs;
      baseChipUs = 0;
    },
    chipUs,
    runUs: (us) => baseRunUs + (us - baseChipUs) / rate,
    addDrift(ppm, runUs) {
      baseChipUs = chipUs(runUs); // (P1)
      baseRunUs = runUs;
      sumPpm += ppm;
      rate = 1 + Math.max(-CLOCK_PPM_MAX, Math.min(CLOCK_PPM_MAX, sumPpm)) / 1e6;
    },
    standStill(fromUs, toUs) {
      baseChipUs = chipUs(fromUs);
      baseRunUs = toUs;
      stoodUntilUs = toUs;
    },
    stoodUntilUs: () => stoodUntilUs,
  };
}
