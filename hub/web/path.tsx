// SPDX-License-Identifier: MIT
// The path: who is connected, over what, what was sent again, dropped or refused.
//
// Node, gateway and broker are shown as far as nodes and the hub count them; a gateway has no counters here.

import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { NodeView } from "../api.ts";
import { every } from "./clock.ts";
import { stateCondition, type Condition } from "./condition.ts";
import { formatCount, formatDuration, formatShare, NO_VALUE } from "./format.ts";
import { Fact } from "./machine-tables.tsx";
import { Mark } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { NoMachines } from "./plant.tsx";
import { routeHref } from "./route.ts";

/** How often health and totals are asked for while this view is open. */
const REFRESH_MS = 2_000;

/** Machines in the map; the table below has all. */
const MAP_MACHINES = 8;

const CONNECTED: Condition = { word: "connected", shape: "dot", tone: "normal", rank: 0 };
const AWAY: Condition = { word: "away", shape: "ring", tone: "warning", rank: 4 };
const UNKNOWN: Condition = { word: "not known yet", shape: "ring", tone: "off", rank: 2 };
const LIVE: Condition = { word: "live", shape: "dot", tone: "normal", rank: 0 };

export function PathView(): JSX.Element {
  const { store, live } = usePage();
  useEffect(() => {
    live.refreshHealth();
    return every(REFRESH_MS, live.refreshHealth);
  }, [live]);
  const nodes = readNodes(store);
  if (nodes.length === 0) return <NoMachines />;
  return (
    <>
      <header class="head">
        <h1 tabIndex={-1}>Path</h1>
        <p class="sub">From the machines to this page</p>
      </header>
      <div class="map">
        <MachinesStop nodes={nodes} />
        <GatewayStop nodes={nodes} />
        <BrokerStop />
        <HubStop />
      </div>
      <NodeTable nodes={nodes} />
      <Refused />
    </>
  );
}

function Stop(props: {
  title: string;
  link: string | null; // what leads on from here
  condition?: Condition;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="panel stop">
      <h2>{props.title}</h2>
      {props.condition !== undefined && <Mark condition={props.condition} />}
      {props.children}
      {props.link !== null && <span class="hop">{props.link}</span>}
    </section>
  );
}

function MachinesStop({ nodes }: { nodes: readonly NodeView[] }): JSX.Element {
  return (
    <Stop title="Machines" link="MQTT-SN">
      <ul class="stop-list">
        {nodes.slice(0, MAP_MACHINES).map((node) => (
          <li key={node.id}>
            <a href={routeHref("machines", [node.id])}>{node.id}</a>
            <Mark condition={stateCondition(node)} />
          </li>
        ))}
      </ul>
      {nodes.length > MAP_MACHINES && <p class="muted">and {nodes.length - MAP_MACHINES} more</p>}
    </Stop>
  );
}

function GatewayStop({ nodes }: { nodes: readonly NodeView[] }): JSX.Element {
  const online = nodes.filter((node) => node.state === "online").length;
  return (
    <Stop title="Gateway" link="MQTT">
      <dl class="facts">
        <Fact name="clients">
          {online} of {nodes.length}
        </Fact>
        <Fact name="connects">{formatCount(sum(nodes, "connects"))}</Fact>
        <Fact name="sent again">
          {formatShare(sum(nodes, "retransmissions"), sum(nodes, "acknowledged"))}
        </Fact>
      </dl>
      <p class="muted">As its nodes count it.</p>
    </Stop>
  );
}

function BrokerStop(): JSX.Element {
  const { store, live } = usePage();
  const health = live.health.value;
  const totals = store.totals.value;
  const known = health?.broker === "connected" ? CONNECTED : AWAY;
  return (
    <Stop title="Broker" link="MQTT" condition={health === null ? UNKNOWN : known}>
      <dl class="facts">
        <Fact name="messages">{formatCount(totals?.messages ?? 0)}</Fact>
      </dl>
      {health?.reason !== null && health?.reason !== undefined && <p>{health.reason}</p>}
    </Stop>
  );
}

function HubStop(): JSX.Element {
  const { store, live } = usePage();
  const totals = store.totals.value;
  const connected = live.connection.value.state === "live";
  return (
    <Stop title="Hub" link={null} condition={connected ? LIVE : AWAY}>
      <dl class="facts">
        <Fact name="confirmed">{formatCount(totals?.ingested ?? 0)}</Fact>
        <Fact name="unconfirmed">{formatCount(totals?.unconfirmed ?? 0)}</Fact>
        <Fact name="duplicates">{formatCount(totals?.duplicates ?? 0)}</Fact>
        <Fact name="refused">{formatCount(refusedTotal(totals?.refused))}</Fact>
      </dl>
    </Stop>
  );
}

function NodeTable({ nodes }: { nodes: readonly NodeView[] }): JSX.Element {
  return (
    <section class="panel flush">
      <h2>As each node counts it</h2>
      <table class="table stack">
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">State</th>
            <th scope="col" class="right">
              Boot
            </th>
            <th scope="col" class="right">
              Up
            </th>
            <th scope="col" class="right">
              Reconnects
            </th>
            <th scope="col" class="right">
              Acknowledged
            </th>
            <th scope="col" class="right">
              Sent again
            </th>
            <th scope="col" class="right">
              Waiting
            </th>
            <th scope="col" class="right">
              Dropped
            </th>
            <th scope="col" class="right">
              Malformed
            </th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <NodeRow key={node.id} node={node} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function NodeRow({ node }: { node: NodeView }): JSX.Element {
  const count = (...names: string[]): string =>
    names.some((name) => node.counters[name] !== undefined)
      ? formatCount(names.reduce((total, name) => total + (node.counters[name] ?? 0), 0))
      : NO_VALUE;
  const { connects, retransmissions = 0, acknowledged = 0 } = node.counters;
  return (
    <tr>
      <th scope="row">
        <a href={routeHref("machines", [node.id])}>{node.id}</a>
      </th>
      <td class="lead">
        <Mark condition={stateCondition(node)} />
      </td>
      <td class="right" data-label="boot">
        {node.boot ?? NO_VALUE}
      </td>
      <td class="right" data-label="up">
        {node.uptimeMs === null ? NO_VALUE : formatDuration(node.uptimeMs)}
      </td>
      <td class="right" data-label="reconnects">
        {connects === undefined ? NO_VALUE : formatCount(Math.max(0, connects - 1))}
      </td>
      <td class="right" data-label="acknowledged">
        {count("acknowledged")}
      </td>
      <td class="right" data-label="sent again">
        <span>
          {count("retransmissions")}{" "}
          <span class="muted">{formatShare(retransmissions, acknowledged)}</span>
        </span>
      </td>
      <td class="right" data-label="waiting">
        {count("waiting")}
      </td>
      <td class="right" data-label="dropped">
        {count("droppedTelemetry", "droppedAlarm", "droppedRefused", "ringDropped")}
      </td>
      <td class="right" data-label="malformed">
        {count("datagramsMalformed")}
      </td>
    </tr>
  );
}

function Refused(): JSX.Element {
  const totals = usePage().store.totals.value;
  const reasons = Object.entries(totals?.refused ?? {}).filter(([, count]) => count > 0);
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Refused by the hub</h2>
        <a href={routeHref("events", [], { kind: "refused" })}>Events</a>
      </div>
      {reasons.length === 0 ? (
        <p class="muted">
          Nothing: every message was well formed and from a node that may send it.
        </p>
      ) : (
        <dl class="figures">
          {reasons.map(([reason, count]) => (
            <Fact key={reason} name={reason}>
              {formatCount(count)}
            </Fact>
          ))}
        </dl>
      )}
    </section>
  );
}

function sum(nodes: readonly NodeView[], counter: string): number {
  return nodes.reduce((total, node) => total + (node.counters[counter] ?? 0), 0);
}

function refusedTotal(refused: Record<string, number> | undefined): number {
  return Object.values(refused ?? {}).reduce((total, count) => total + count, 0);
}
