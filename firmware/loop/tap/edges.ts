// SPDX-License-Identifier: MIT
// A window of edges, and how well a rate fits the pulses in it.
//
// Spec: SPEC.md §1.1 (edge_take). Fixed memory, EDGES_PER_WINDOW edges. Only complete pulses count. What real
// lines do sets the tolerances: pulses at the start level are longer or shorter by a constant (optical heads, slow
// transistors), software shifts single edges, clocks are off by 2 %, wires carry glitches and breaks.
//
//   edges ─putEdge─► raw ─mergeGlitches(rate)─► smooth ─fitPulses(idle level)─► offset, slope, which lengths occur
//
// Work: each function looks at each edge once or twice; fitPulses divides once a pulse.

import { EDGES_PER_WINDOW } from "../../limits";
import { Scale, scaled } from "./bits";

const LEVEL: u32 = 0x80000000;
const DISTANCE: u32 = 0x7fffffff;
const ONE: i32 = 256; // a bit in fixed point
const BREAK: i32 = 2714; // 10.6 bits: longer at the start level is no data
const OFFSET_MAX: i32 = 56; // 0.22 bit
const OFFSET_ALONE_MAX: i32 = 31; // 0.12 bit, where only one length occurs
const NEAR: i32 = 56; // a pulse is whole bits within 0.22 of one
const LENGTH_MAX: i32 = 10; // bits: start, nine of data or parity
const BIN: i32 = 4; // of a fraction
const BINS: i32 = ONE / BIN;
const SLOPE_SHARE: i32 = 28; // 3.6 %: between 28,800 and 31,250 are 8
const PULSES_MIN: i32 = 6;

/** Followed in memory by the raw and the smooth edges, u32 each, and the bins. */
@unmanaged
export class EdgeWindow {
  count: i32; // raw edges
  smooth: i32; // of them after glitches are gone
  glitches: i32; // edges that went with them
}

const RAW: usize = offsetof<EdgeWindow>();
const SMOOTH: usize = RAW + EDGES_PER_WINDOW * 4;
const HISTOGRAM: usize = SMOOTH + EDGES_PER_WINDOW * 4;

/** Memory of a window, a multiple of 4. */
export const EDGE_WINDOW_BYTES: usize = HISTOGRAM + BINS;

/** What fitPulses found. */
@unmanaged
export class Fit {
  offset: i32; // of pulses at the start level, in 1/256 bit
  bit: i32; // scaled, as measured; the nominal one where that cannot be
  lengths: u32; // bit k: pulses of k bits are a share of at least 4 %
  longest: i32; // bits, of any pulse that fits
  breaks: i32;
  pulses: i32; // without breaks
}

/** Forgets all edges. */
export function clearEdges(window: EdgeWindow): void {
  window.count = 0;
}

/** Appends an edge as edge_take gives it; false: full. */
export function putEdge(window: EdgeWindow, edge: u32): bool {
  if (window.count >= EDGES_PER_WINDOW) return false;
  store<u32>(changetype<usize>(window) + (window.count << 2), edge, RAW);
  window.count++;
  return true;
}

/** Level before smooth edge `index`. */
export function levelAt(window: EdgeWindow, index: i32): u32 {
  return smoothAt(window, index) >> 31;
}

/** Distance of smooth edge `index` to the one before, in units. */
export function distanceAt(window: EdgeWindow, index: i32): u32 {
  return smoothAt(window, index) & DISTANCE;
}

/** Takes pulses below a quarter of a bit out of the first `count` edges. False: more than a tenth, so it is no such line. */
export function mergeGlitches(window: EdgeWindow, scale: Scale, count: i32): bool {
  const base = changetype<usize>(window);
  const shortest: i32 = scale.bit >> 2;
  let kept = 0;
  let gone = 0;
  for (let i = 0; i < count; i++) {
    const edge = load<u32>(base + (i << 2), RAW);
    const level = edge & LEVEL;
    const again = kept > 0 && (smoothAt(window, kept - 1) & LEVEL) == level;
    const glitch = !again && kept > 0 && scaled(scale, edge & DISTANCE) < shortest;
    if (again || glitch) {
      // The pulse before goes on through the glitch, and through what follows it at its own level.
      const before = smoothAt(window, kept - 1);
      const sum = min((before & DISTANCE) + (edge & DISTANCE), DISTANCE);
      store<u32>(base + ((kept - 1) << 2), (before & LEVEL) | sum, SMOOTH);
      if (glitch) gone += 2;
    } else {
      store<u32>(base + (kept << 2), edge, SMOOTH);
      kept++;
    }
  }
  window.smooth = kept;
  window.glitches = gone;
  return gone * 10 <= count;
}

/** How the pulses opposite to `idle` fit the rate of `scale`; false: not at all. */
export function fitPulses(window: EdgeWindow, scale: Scale, idle: u32, fit: Fit): bool {
  if (!countFractions(window, scale, idle, fit)) return false;
  if (!findOffset(window, fit)) return false;
  return fitLine(window, scale, idle, fit);
}

function smoothAt(window: EdgeWindow, index: i32): u32 {
  return load<u32>(changetype<usize>(window) + (index << 2), SMOOTH);
}

// Length of the pulse before an edge in 1/256 bit, rounded; at most LONG_BITS.
function pulseAt(window: EdgeWindow, scale: Scale, index: i32): i32 {
  const width = scaled(scale, distanceAt(window, index));
  return ((width << 8) + (scale.bit >> 1)) / scale.bit;
}

function countFractions(window: EdgeWindow, scale: Scale, idle: u32, fit: Fit): bool {
  const bins = changetype<usize>(window) + HISTOGRAM;
  memory.fill(bins, 0, BINS);
  fit.breaks = fit.pulses = 0;
  for (let i = 1; i < window.smooth; i++) {
    if (levelAt(window, i) == idle) continue;
    const x = pulseAt(window, scale, i);
    if (x > BREAK) {
      fit.breaks++;
      continue;
    }
    fit.pulses++;
    const bin = bins + (x & (ONE - 1)) / BIN;
    store<u8>(bin, load<u8>(bin) + 1);
  }
  return fit.pulses >= PULSES_MIN && fit.breaks * 6 <= fit.pulses;
}

// The middle of the fullest stretch of fractions. Of several as full the one that lies best.
function findOffset(window: EdgeWindow, fit: Fit): bool {
  const reach = NEAR / BIN;
  let best = -1;
  let from = 0;
  let to = 0;
  for (let center = -reach; center <= reach; center++) {
    let sum = 0;
    for (let bin = center - reach; bin <= center + reach; bin++) sum += binAt(window, bin);
    if (sum > best) {
      best = sum;
      from = center;
    }
    if (sum >= best) to = center;
  }
  fit.offset = meanFraction(window, (from + to) >> 1);
  return best * 100 >= fit.pulses * 85 && abs(fit.offset) <= OFFSET_MAX;
}

function meanFraction(window: EdgeWindow, center: i32): i32 {
  const reach = NEAR / BIN;
  let sum = 0;
  let count = 0;
  for (let bin = center - reach; bin <= center + reach; bin++) {
    const here = binAt(window, bin);
    count += here;
    sum += here * (bin * BIN + BIN / 2);
  }
  return count == 0 ? 0 : sum / count;
}

function binAt(window: EdgeWindow, bin: i32): i32 {
  return load<u8>(changetype<usize>(window) + HISTOGRAM + (bin & (BINS - 1)));
}

// Least squares through (whole bits, width): its slope is the bit of the line, free of the offset.
function fitLine(window: EdgeWindow, scale: Scale, idle: u32, fit: Fit): bool {
  const near = NEAR + (scale.shift > 0 ? ((1 << scale.shift) * 128) / scale.bit : 0);
  const counts = changetype<usize>(window) + HISTOGRAM; // the bins are done with
  memory.fill(counts, 0, LENGTH_MAX + 1);
  let fitting = 0;
  let sumK = 0;
  let sumX = 0;
  let sumKK = 0;
  let sumKX = 0;
  for (let i = 1; i < window.smooth; i++) {
    if (levelAt(window, i) == idle) continue;
    const x = pulseAt(window, scale, i);
    if (x > BREAK) continue;
    const k = (x - fit.offset + ONE / 2) >> 8;
    if (k < 1 || k > LENGTH_MAX || abs(x - fit.offset - k * ONE) > near) continue;
    fitting++;
    sumK += k;
    sumX += x;
    sumKK += k * k;
    sumKX += k * x;
    store<u8>(counts + k, load<u8>(counts + k) + 1);
  }
  if (fitting * 100 < fit.pulses * 92) return false;
  fit.lengths = fit.longest = 0;
  for (let k = 1; k <= LENGTH_MAX; k++) {
    const here: i32 = load<u8>(counts + k);
    if (here > 0) fit.longest = k;
    if (here * 25 >= fit.pulses) fit.lengths |= 1 << k;
  }
  const spread = fitting * sumKK - sumK * sumK;
  if (popcnt(fit.lengths) < 2 || spread == 0) {
    fit.bit = scale.bit;
    return abs(fit.offset) <= OFFSET_ALONE_MAX;
  }
  const slope = ((fitting * sumKX - sumK * sumX) * 8) / spread; // of 2,048
  if (abs(slope - 8 * ONE) * SLOPE_SHARE > 8 * ONE) return false;
  fit.bit = (scale.bit * slope) >> 11;
  return true;
}
