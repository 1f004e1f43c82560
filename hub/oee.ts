// SPDX-License-Identifier: MIT
// Overall equipment effectiveness from raw totals.
//
// Spec: ISO 22400-2 terms. What cannot be told is null, never 1; nothing is clamped: an effectiveness
// above 1 means a wrong planned run time, which `warning` says. Any unit of time, the same in all.

import type { MachineTotals, OeeView, ProductionPlan } from "./api.ts";

/** Factors 0 and up; null: cannot be told. */
export interface Oee {
  availability: number | null;
  effectiveness: number | null;
  quality: number | null;
  oee: number | null;
  warning: string | null; // one sentence
}

/**
 * `apt` actual production time, `pbt` planned busy time, `pri` planned run time per item, `pq`
 * produced quantity, `gq` good quantity.
 */
export function oee(apt: number, pbt: number, pri: number, pq: number, gq: number): Oee {
  const availability = ratio(apt, pbt);
  const effectiveness = pq > 0 ? ratio(pri * pq, apt) : null;
  const quality = ratio(gq, pq);
  const whole =
    availability === null || effectiveness === null || quality === null
      ? null
      : availability * effectiveness * quality;
  return {
    availability,
    effectiveness,
    quality,
    oee: whole,
    warning: warningOf(availability, effectiveness, quality),
  };
}

/** A machine against its plan; time in which nothing was heard is no planned busy time. */
export function oeeView(plan: ProductionPlan, { stateMs, counts }: MachineTotals): OeeView {
  const { run, idle, stopped, fault } = stateMs ?? { run: NaN, idle: 0, stopped: 0, fault: 0 };
  const busyMs = plan.busyShare * (run + idle + stopped + fault);
  const produced = counts[plan.total] ?? NaN;
  const good = produced - (counts[plan.rejects ?? ""] ?? NaN);
  return {
    plan,
    busyMs: Number.isNaN(busyMs) ? 0 : busyMs,
    produced: known(produced),
    good: known(good),
    ...oee(run, busyMs, plan.itemMs, produced, good),
  };
}

function known(count: number): number | null {
  return Number.isNaN(count) ? null : count;
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 && part >= 0 && Number.isFinite(part / whole) ? part / whole : null;
}

function warningOf(
  availability: number | null,
  effectiveness: number | null,
  quality: number | null,
): string | null {
  if ((effectiveness ?? 0) > 1)
    return "effectiveness is above 1: the planned run time per item is too long";
  if ((availability ?? 0) > 1) return "availability is above 1: the planned busy time is too short";
  if ((quality ?? 0) > 1) return "quality is above 1: more good items than items";
  return null;
}
