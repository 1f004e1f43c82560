// SPDX-License-Identifier: MIT
// One machine: state and values over time, limits, outputs, versions.

import type { JSX } from "preact";
import { AlarmList } from "./alarms.tsx";
import { machineState, openAlarms } from "./condition.ts";
import { EventLines } from "./event-lines.tsx";
import { Production } from "./machine-totals.tsx";
import { Trends } from "./machine-trends.tsx";
import { ChannelTable, Delivery, OutputTable, Versions } from "./machine-tables.tsx";
import { Empty, For, Mark } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { SetpointPanel, useAudit } from "./setpoint.tsx";
import { TextsPanel } from "./texts.tsx";

/** Events under the tables. */
const LATEST_EVENTS = 8;

export function MachineView({ id }: { id: string }): JSX.Element {
  const { store } = usePage();
  void store.nodeIds.value;
  const node = store.nodes.get(id)?.value;
  const audit = useAudit(node);
  if (node === undefined) return <UnknownMachine id={id} />;
  const { condition, sinceMs } = machineState(node);
  const alarms = openAlarms([node]);
  const events = store.events.value.filter((event) => event.node === id).slice(0, LATEST_EVENTS);
  return (
    <>
      <header class="head">
        <p class="crumb">
          <a href={routeHref("machines")}>Machines</a>
        </p>
        <h1 tabIndex={-1}>{id}</h1>
        <Mark condition={condition}>
          <span class="muted">
            <For sinceMs={sinceMs} />
          </span>
        </Mark>
        <p class="sub">
          {node.type ?? "type not known yet"} · {node.line} / {node.cell}
        </p>
      </header>
      {alarms.length > 0 && (
        <section class="panel">
          <h2>Alarms</h2>
          <AlarmList alarms={alarms} />
        </section>
      )}
      <Trends node={node} audit={audit.rows ?? []} />
      <TextsPanel node={node} />
      {node.setpoints.length > 0 && <SetpointPanel node={node} {...audit} />}
      <Production node={node} />
      <ChannelTable node={node} />
      {node.outputs.length > 0 && <OutputTable node={node} />}
      <div class="columns">
        <Versions node={node} />
        <Delivery node={node} />
      </div>
      <section class="panel">
        <div class="panel-head">
          <h2>Latest events</h2>
          <a href={routeHref("events", [], { node: id })}>All of {id}</a>
        </div>
        <EventLines events={events} />
      </section>
    </>
  );
}

function UnknownMachine({ id }: { id: string }): JSX.Element {
  return (
    <Empty
      title={`No machine \u201c${id}\u201d`}
      why="The hub has not heard of it since it started."
    >
      <p>
        <a href={routeHref("machines")}>Show all machines</a>
      </p>
    </Empty>
  );
}
