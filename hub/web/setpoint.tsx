// SPDX-License-Identifier: MIT
// The set-points of a machine: what holds, who set it, a new value, and the audit.
//
// A write takes two steps: review, then apply. A page that does not know the newest value writes nothing.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { AuditRow, NodeView, SetpointView } from "../api.ts";
import { conditionOf } from "./condition.ts";
import { NO_VALUE } from "./format.ts";
import { Mark, When } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { SetpointEntry } from "./setpoint-entry.tsx";
import { boundsText, outcomeCondition, setpointCondition, show, storyOf } from "./setpoint-text.ts";
import { askAudit } from "./setpoint-write.ts";

/** Rows of the audit before the reader asks for the rest. */
const AUDIT_FIRST = 6;

/** The audit of a machine, asked for again whenever one of its set-points changed; null: no answer. */
export function useAudit(node: NodeView | undefined): {
  rows: AuditRow[] | null;
  again: () => void;
} {
  const { live } = usePage();
  const [rows, setRows] = useState<AuditRow[] | null>([]);
  const [asked, setAsked] = useState(0);
  const id = node?.id ?? "";
  const steps = (node?.setpoints ?? []).map(({ requestedAtMs, state }) => [requestedAtMs, state]);
  const key = JSON.stringify([steps, live.connection.value.state === "live", asked]);
  useEffect(() => {
    if (steps.length === 0) return undefined;
    let wanted = true;
    void askAudit(id).then((found) => {
      if (wanted) setRows(found);
    });
    return () => {
      wanted = false;
    };
  }, [id, key]);
  return { rows, again: () => setAsked((count) => count + 1) };
}

export function SetpointPanel(props: {
  node: NodeView;
  rows: readonly AuditRow[] | null;
  again: () => void;
}): JSX.Element {
  const { node, rows, again } = props;
  return (
    <section class="panel flush setpoints" aria-labelledby="setpoints">
      <h2 id="setpoints">Set-points</h2>
      {node.setpoints.map((setpoint) => (
        <Setpoint key={setpoint.name} node={node} setpoint={setpoint} again={again} />
      ))}
      <AuditTable node={node} rows={rows} again={again} />
    </section>
  );
}

function Setpoint(props: {
  node: NodeView;
  setpoint: SetpointView;
  again: () => void;
}): JSX.Element {
  const { node, setpoint, again } = props;
  const { effective, effectiveAtMs, requestedAtMs } = setpoint;
  return (
    <div class="setpoint">
      <div class="setpoint-now">
        <h3>{setpoint.name}</h3>
        <span class="big">
          <span class="value" data-setpoint={`${node.id}/${setpoint.name}`}>
            {show(setpoint, effective)}
          </span>
        </span>
        <span class="muted small">
          {effectiveAtMs === null ? (
            "The node has not told it yet"
          ) : (
            <>
              effective, changed <When wallMs={effectiveAtMs} />
            </>
          )}
        </span>
      </div>
      <div class="setpoint-story" role="status">
        <Mark condition={setpointCondition(setpoint)}>
          {requestedAtMs !== null && (
            <span class="muted">
              <When wallMs={requestedAtMs} />
            </span>
          )}
        </Mark>
        <p>{storyOf(setpoint)}</p>
        <p class="muted small">{boundsText(setpoint)}</p>
      </div>
      <SetpointEntry node={node} setpoint={setpoint} obstacle={useObstacle(node)} refused={again} />
    </div>
  );
}

/** Why nothing can be written now, with what to do; null: it can. */
function useObstacle(node: NodeView): string | null {
  const { live } = usePage();
  const { state } = live.connection.value;
  if (live.paused.value) return "The page is paused and may be old. Resume it to write.";
  if (state !== "live") return "The hub is not heard, so what stands here may be old.";
  if (node.state === "offline" || node.state === "lost")
    return `${node.id} is ${conditionOf(node.state).word} and would not hear a write.`;
  return null;
}

function AuditTable(props: {
  node: NodeView;
  rows: readonly AuditRow[] | null;
  again: () => void;
}): JSX.Element {
  const { node, rows, again } = props;
  const [all, setAll] = useState(false);
  if (rows === null)
    return (
      <p class="pad" role="alert">
        The audit did not come from the hub.{" "}
        <button type="button" onClick={again}>
          Ask again
        </button>
      </p>
    );
  if (rows.length === 0) return <p class="pad muted">No write so far.</p>;
  return (
    <>
      <table class="table stack audit">
        <caption>Audit, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Set-point</th>
            <th scope="col">Outcome</th>
            <th scope="col" class="right">
              Requested
            </th>
            <th scope="col" class="right">
              Effective
            </th>
            <th scope="col">By</th>
            <th scope="col">When</th>
            <th scope="col" class="wide">
              Reason
            </th>
          </tr>
        </thead>
        <tbody>
          {(all ? rows : rows.slice(0, AUDIT_FIRST)).map((row) => (
            <AuditLine key={row.id} node={node} row={row} />
          ))}
        </tbody>
      </table>
      {!all && rows.length > AUDIT_FIRST && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          Show all {rows.length} rows
        </button>
      )}
    </>
  );
}

function AuditLine({ node, row }: { node: NodeView; row: AuditRow }): JSX.Element {
  const setpoint = node.setpoints.find(({ name }) => name === row.name);
  const text = (value: number | null): string =>
    setpoint === undefined ? String(value ?? NO_VALUE) : show(setpoint, value);
  return (
    <tr>
      <th scope="row">{row.name === "" ? NO_VALUE : row.name}</th>
      <td class="lead">
        <Mark condition={outcomeCondition(row.outcome)} />
      </td>
      <td class="right" data-label="requested">
        {text(row.value)}
      </td>
      <td class="right" data-label="effective">
        {text(row.effective)}
      </td>
      <td data-label="by">{row.by === "" ? NO_VALUE : row.by}</td>
      <td data-label="when">
        <When wallMs={row.wallMs} />
      </td>
      <td class="wide">{row.reason ?? ""}</td>
    </tr>
  );
}
