// SPDX-License-Identifier: MIT
// Signals that are no serial line: what a tap may be clamped onto by mistake.
//
// Manchester (DALI, RC5, old field buses), NRZ with bit stuffing (CAN), pulse width (servos, dimmers,
// fans), noise of an open wire. Pure; all chance is the prng's.

import type { Prng } from "../prng.ts";
import { fraction, type Wave } from "./wave.ts";

const FRAME_BITS_MIN = 16;
const FRAME_BITS_MORE = 96;
const STUFF_AFTER = 5; // equal bits, ISO 11898-1 §10.5

export type NotUart = (prng: Prng, bitNs: number, edgeCount: number) => Wave;

/** Words of 16 to 111 bits, a change in the middle of each bit, pauses between. */
export function manchester(prng: Prng, bitNs: number, edgeCount: number): Wave {
  return frames(prng, edgeCount, (levels) => {
    for (let i = bitCount(prng); i > 0; i--) {
      const bit = prng.below(2);
      levels.push([1 - bit, bitNs / 2], [bit, bitNs / 2]);
    }
  });
}

/** Frames whose bits change after five equal ones. */
export function stuffed(prng: Prng, bitNs: number, edgeCount: number): Wave {
  return frames(prng, edgeCount, (levels) => {
    levels.push([0, bitNs]);
    let [last, run] = [0, 1];
    for (let i = bitCount(prng); i > 0; i--) {
      const bit = run === STUFF_AFTER ? 1 - last : prng.below(2);
      run = bit === last ? run + 1 : 1;
      last = bit;
      levels.push([bit, bitNs]);
    }
  });
}

/** A fixed period, a duty that wanders. */
export function pulseWidth(prng: Prng, bitNs: number, edgeCount: number): Wave {
  const periodNs = 20 * bitNs;
  const edges: number[] = [];
  let duty = 0.1 + 0.8 * fraction(prng);
  for (let ns = periodNs; edges.length < edgeCount; ns += periodNs) {
    duty = Math.min(0.95, Math.max(0.05, duty + 0.02 * (fraction(prng) - 0.5)));
    edges.push(ns, ns + duty * periodNs);
  }
  return { initial: 1, edges };
}

/** Pulses of any length: mostly short, some long. */
export function noise(prng: Prng, bitNs: number, edgeCount: number): Wave {
  const edges: number[] = [];
  let ns = 0;
  for (let i = 0; i < edgeCount; i++)
    edges.push((ns += bitNs * (0.05 - 2 * Math.log(1 - fraction(prng)))));
  return { initial: 1, edges };
}

type Level = [level: number, ns: number];

function frames(prng: Prng, edgeCount: number, frame: (levels: Level[]) => void): Wave {
  const edges: number[] = [];
  let [level, ns] = [1, 0];
  while (edges.length < edgeCount) {
    const levels: Level[] = [];
    frame(levels);
    const frameNs = levels.reduce((sum, [, lengthNs]) => sum + lengthNs, 0);
    levels.push([1, frameNs * (0.2 + fraction(prng))]); // rest
    for (const [next, lengthNs] of levels) {
      if (next !== level) edges.push(ns);
      level = next;
      ns += lengthNs;
    }
  }
  return { initial: 1, edges: edges[0] === 0 ? edges.map((edge) => edge + 1) : edges };
}

function bitCount(prng: Prng): number {
  return FRAME_BITS_MIN + prng.below(FRAME_BITS_MORE);
}
