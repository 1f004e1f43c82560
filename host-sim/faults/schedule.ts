// SPDX-License-Identifier: MIT
// Begins and ends the faults of a plan on the virtual clock; heals them all.
//
// Each kind of fault has a function that begins it and returns what ends it. Of faults that overlap
// each ends for itself: what they add up to is the business of their domain.
// (F1) each fault that began ends exactly once.  (F2) nothing begins after heal().

import type { Clock } from "../clock.ts";
import type { FaultPlan } from "../plan.ts";
import type { Field, Trace } from "../trace.ts";
import { faultProblem, type FaultName } from "./vocabulary.ts";

/** Begins a fault; what it returns ends it. */
export type Begin = (fault: FaultPlan) => () => void;

export interface Schedule {
  /** Ends all faults, now and for ever. */
  heal(): void;
  /** Faults that go on. */
  active(): number;
}

export interface ScheduleSetup {
  clock: Clock;
  trace: Trace;
  nodes: readonly string[];
  faults: readonly FaultPlan[];
  begin: Record<FaultName, Begin>;
}

/** Plans all faults. Throws RangeError when one is not as its rule says. */
export function createSchedule(setup: ScheduleSetup): Schedule {
  const { clock, trace, begin } = setup;
  const ends = new Set<() => void>();
  let healed = false;

  function strike(fault: FaultPlan): void {
    if (healed) return; // (F2)
    const fields = fieldsOf(fault);
    trace.write(clock.nowUs(), "fault", { ...fields, forMs: fault.forMs });
    const undo = begin[fault.fault](fault);
    const end = (): void => {
      if (!ends.delete(end)) return; // (F1)
      if (!healed) trace.write(clock.nowUs(), "fault-end", fields);
      undo();
    };
    ends.add(end);
    clock.at(clock.nowUs() + Math.round(fault.forMs * 1000), end);
  }

  for (const fault of setup.faults) {
    const problem = faultProblem(fault, setup.nodes);
    if (problem !== undefined) throw new RangeError(`a fault's ${problem.field}: ${problem.text}`);
    clock.at(Math.round(fault.atMs * 1000), () => strike(fault));
  }
  return {
    heal() {
      healed = true;
      for (const end of [...ends]) end();
    },
    active: () => ends.size,
  };
}

function fieldsOf({ node, fault, input, amount }: FaultPlan): Record<string, Field> {
  return {
    ...(node !== undefined && { n: node }),
    fault,
    ...(input !== undefined && { input }),
    ...(amount !== undefined && { amount }),
  };
}
