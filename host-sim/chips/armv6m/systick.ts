// SPDX-License-Identifier: MIT
// SysTick: 24 bits that count down; known by the cycle at which they reach 0.
//
// Spec: Armv6-M ARM §B3.3. From 0 the next pulse loads RVR; a reload of 0 stops it there. The phase of the
// reference clock is not modelled: a write of CVR begins a pulse.

import type { Machine, SysTick } from "./machine.ts";

/** Cycles of a pulse. */
function unitOf({ tick, options }: Machine): number {
  return tick.reference ? (options.referenceCycles ?? 1) : 1;
}

/** The counter at this cycle. */
export function tickValue(m: Machine): number {
  const { due, held, reload } = m.tick;
  if (due === Infinity) return held;
  const value = Math.ceil((due - m.cycle) / unitOf(m));
  return value > reload ? 0 : value;
}

/** Counts from `value` on, or holds it. */
export function setTick(m: Machine, value: number): void {
  const { tick } = m;
  const pulses = value === 0 ? tick.reload + 1 : value;
  const counts = tick.enabled && (value !== 0 || tick.reload !== 0);
  tick.held = value;
  tick.due = counts ? m.cycle + pulses * unitOf(m) : Infinity;
}

/** Reaches 0 where that is due. */
export function expireTick(m: Machine): void {
  const { tick } = m;
  while (m.cycle >= tick.due) {
    tick.counted = true;
    if (tick.interrupt) pend(m, tick);
    if (tick.reload === 0) {
      tick.held = 0;
      tick.due = Infinity;
    } else tick.due += (tick.reload + 1) * unitOf(m);
  }
}

function pend(m: Machine, tick: SysTick): void {
  tick.pending = true;
  m.attention = true;
}
