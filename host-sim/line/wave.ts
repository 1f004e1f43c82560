// SPDX-License-Identifier: MIT
// A wire as data: its first level and the times of its edges; what lines do to it.
//
// Pure functions. Times are ns, ascending; the level toggles at each. Edges at the same time cancel out.
// Mark, the idle level, is 1 until invert(); space, 0, wins where two drive (open collector, RS-485 with its
// bias). Bounded by what goes in: no function gives more edges than it was given pulses and edges.

import type { Prng } from "../prng.ts";

export interface Wave {
  readonly initial: number; // level before the first edge, 0 or 1
  readonly edges: readonly number[];
}

export interface Pulse {
  fromNs: number;
  toNs: number;
}

/** A wire that rests. */
export const IDLE: Wave = { initial: 1, edges: [] };

/** Mark and space swapped: A and B, or an inverting transceiver. */
export function invert({ initial, edges }: Wave): Wave {
  return { initial: 1 - initial, edges };
}

/** Everything so much later. */
export function delay({ initial, edges }: Wave, ns: number): Wave {
  return { initial, edges: edges.map((at) => at + ns) };
}

/** Two transmitters on one wire: space wins. */
export function collide(a: Wave, b: Wave): Wave {
  return combine(a, b, (x, y) => x & y);
}

/** Pulses of the other level: glitches, spikes. */
export function strike(wave: Wave, pulses: readonly Pulse[]): Wave {
  return combine(wave, waveOf(0, pulses), (x, y) => x ^ y);
}

/** The wire is at mark meanwhile, whatever is sent: a drop-out. */
export function dropOut(wave: Wave, pulses: readonly Pulse[]): Wave {
  return combine(wave, waveOf(0, pulses), (x, y) => x | y);
}

/** The wire is at space meanwhile: a break, or a short circuit. */
export function holdSpace(wave: Wave, pulses: readonly Pulse[]): Wave {
  return combine(wave, waveOf(1, pulses), (x, y) => x & y);
}

/** Each pulse of space lasts so much longer, as behind an optical head; negative: shorter. Too short a one vanishes. */
export function stretch({ initial, edges }: Wave, ns: number): Wave {
  const stretched: number[] = [];
  let level = initial;
  for (const edge of edges) {
    level = 1 - level;
    const at = level === 1 ? edge + ns : edge;
    // Overtaken: the pulse between the two is gone.
    if (stretched.length > 0 && at <= stretched.at(-1)!) stretched.pop();
    else stretched.push(at);
  }
  return { initial, edges: stretched };
}

/** As a capture of this pitch sees it: an edge stands at the first sample behind it. */
export function sampled({ initial, edges }: Wave, pitchNs: number): Wave {
  const seen: number[] = [];
  for (const edge of edges) {
    const at = Math.ceil(edge / pitchNs) * pitchNs;
    if (at === seen.at(-1)) seen.pop();
    else seen.push(at);
  }
  return { initial, edges: seen };
}

/** `count` pulses of this width at random within a span, in order, none over another. */
export function scatter(span: Pulse, count: number, widthNs: number, prng: Prng): Pulse[] {
  const lengthNs = span.toNs - span.fromNs;
  const starts = Array.from({ length: count }, () => span.fromNs + fraction(prng) * lengthNs);
  starts.sort((a, b) => a - b);
  const pulses: Pulse[] = [];
  for (const fromNs of starts)
    if (fromNs >= (pulses.at(-1)?.toNs ?? -Infinity))
      pulses.push({ fromNs, toNs: fromNs + widthNs });
  return pulses;
}

/** 0 up to 1. */
export function fraction(prng: Prng): number {
  return prng.nextU32() / 2 ** 32;
}

/** The level at a time; an edge counts from its time on. */
export function levelAt({ initial, edges }: Wave, ns: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= ns) low = middle + 1;
    else high = middle;
  }
  return initial ^ (low & 1);
}

function waveOf(initial: number, pulses: readonly Pulse[]): Wave {
  return { initial, edges: pulses.flatMap(({ fromNs, toNs }) => [fromNs, toNs]) };
}

function combine(a: Wave, b: Wave, of: (x: number, y: number) => number): Wave {
  const edges: number[] = [];
  const initial = of(a.initial, b.initial);
  let [x, y, level] = [a.initial, b.initial, initial];
  for (let i = 0, j = 0; i < a.edges.length || j < b.edges.length;) {
    const at = Math.min(a.edges[i] ?? Infinity, b.edges[j] ?? Infinity);
    for (; a.edges[i] === at; i++) x = 1 - x;
    for (; b.edges[j] === at; j++) y = 1 - y;
    const next = of(x, y);
    if (next !== level) edges.push(at);
    level = next;
  }
  return { initial, edges };
}
