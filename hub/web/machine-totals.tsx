// SPDX-License-Identifier: MIT
// What a machine added up to: times, pieces, both against the plan.
//
// Spec: ISO 22400-2 terms. What cannot be told is a dash with its reason, never 100 %.

import type { JSX } from "preact";
import type { NodeView, OeeView, StateTimes } from "../api.ts";
import { formatCount, formatDuration, formatPeriod, formatShare, NO_VALUE } from "./format.ts";
import { Fact } from "./machine-tables.tsx";

const STATES: readonly (keyof StateTimes)[] = ["run", "idle", "stopped", "fault"];

/** Nothing for a machine that has neither states nor counters nor a plan. */
export function Production({ node }: { node: NodeView }): JSX.Element | null {
  const { stateMs, counts } = node.totals;
  const counted = Object.entries(counts);
  if (stateMs === null && counted.length === 0 && node.oee === null) return null;
  const allMs = stateMs === null ? 0 : STATES.reduce((sum, state) => sum + stateMs[state], 0);
  return (
    <section class="panel production" aria-labelledby="production">
      <h2 id="production">Production since the hub first heard it</h2>
      <dl class="figures">
        {stateMs !== null &&
          STATES.map((state) => (
            <Fact key={state} name={`${state} · ${formatShare(stateMs[state], allMs)}`}>
              {formatDuration(stateMs[state])}
            </Fact>
          ))}
        {counted.map(([name, count]) => (
          <Fact key={name} name={name}>
            {formatCount(count)}
          </Fact>
        ))}
      </dl>
      {node.oee === null ? <NoPlan node={node} /> : <Ratios {...node.oee} />}
    </section>
  );
}

function NoPlan({ node }: { node: NodeView }): JSX.Element {
  const [total = "parts"] = Object.keys(node.totals.counts);
  return (
    <p class="muted small">
      No plan, so no effectiveness (OEE): availability needs the planned busy time, effectiveness
      the planned run time per item. Give both to {node.id} in plant.json:{" "}
      <code>{`"plan": { "busyShare": 0.5, "itemMs": 1200, "total": "${total}" }`}</code>
    </p>
  );
}

/** Each factor with the two numbers that it is made of. */
function Ratios({ plan, busyMs, produced, good, ...factors }: OeeView): JSX.Element {
  const { availability, effectiveness, quality, oee, warning } = factors;
  const of = plan.rejects === undefined ? "no counter of bad items in the plan" : "";
  return (
    <>
      <dl class="figures">
        <Fact name="availability">{share(availability)}</Fact>
        <Fact name="effectiveness">{share(effectiveness)}</Fact>
        <Fact name="quality">{share(quality)}</Fact>
        <Fact name="OEE">{share(oee)}</Fact>
      </dl>
      <p class="muted small">
        Planned busy {formatDuration(busyMs)} ({formatShare(plan.busyShare, 1)} of the time heard) ·
        planned {formatPeriod(plan.itemMs)} an item · good {count(good)} of {count(produced)}
        {of === "" ? "" : ` · ${of}`}
      </p>
      {warning !== null && <p class="small tone-warning">{sentence(warning)}</p>}
    </>
  );
}

function share(factor: number | null): string {
  return factor === null ? NO_VALUE : formatShare(factor, 1);
}

function count(items: number | null): string {
  return items === null ? NO_VALUE : formatCount(items);
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
