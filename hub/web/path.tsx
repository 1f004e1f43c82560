// SPDX-License-Identifier: MIT
// The path: who is connected, over what, what was sent again, dropped or refused.
//
// Node, gateway and broker are shown as far as nodes and the hub count them: a gateway tells nothing of itself, so its
// state is what its nodes show. What was not told is a dash, never 0.

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
import { useStill } from "./rows.tsx";
import { setFilter, useQuery } from "./search.tsx";

/** How often health and totals are asked for while this view is open. */
const REFRESH_MS = 2_000;

/** Machines in the map; the table below has all. */
const MAP_MACHINES = 5;

const CONNECTED: Condition = { word: "connected", shape: "dot", tone: "normal", rank: 0 };
const AWAY: Condition = { word: "away", shape: "ring", tone: "warning", rank: 4 };
const UNKNOWN: Condition = { word: "not known", shape: "ring", tone: "off", rank: 2 };
const PASSES: Condition = { word: "passes messages", shape: "dot", tone: "normal", rank: 0 };
const SILENT: Condition = { word: "no machine connected", shape: "ring", tone: "warning", rank: 4 };
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
        <MachinesStop nodes={noisiestFirst(nodes)} />
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
            <span class="muted">
              {roundTrip(node)} · {lossShare(node)}
            </span>
            <Mark condition={stateCondition(node)} />
          </li>
        ))}
      </ul>
      {nodes.length > MAP_MACHINES && <p class="muted">and {nodes.length - MAP_MACHINES} more</p>}
    </Stop>
  );
}

function GatewayStop({ nodes }: { nodes: readonly NodeView[] }): JSX.Element {
  const { live } = usePage();
  const online = nodes.filter((node) => node.state === "online").length;
  const away = live.health.value?.broker !== "connected";
  const condition = away ? UNKNOWN : online > 0 ? PASSES : SILENT;
  const sent = nodes.reduce((total, { link }) => total + link.sent, 0);
  const again = nodes.reduce((total, { link }) => total + link.retransmissions, 0);
  return (
    <Stop title="Gateway" link="MQTT" condition={condition}>
      <dl class="facts">
        <Fact name="clients">
          {online} of {nodes.length}
        </Fact>
        <Fact name="connects">{formatCount(sum(nodes, "connects"))}</Fact>
        <Fact name="sent again">{formatShare(again, sent)}</Fact>
      </dl>
      <p class="muted">
        {away
          ? "It is heard through the broker, which is away."
          : online > 0
            ? "As its nodes count it; it tells nothing of itself."
            : "It is down, or every node is: ask on its machine."}
      </p>
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

type PathSort = "node" | "state" | "trip" | "again" | "dropped" | "waiting" | "connects" | "up";

/** Title and sort of each column; the largest comes first. */
const COLUMNS: readonly [name: PathSort, title: string, key: (node: NodeView) => number][] = [
  ["state", "State", (node) => stateCondition(node).rank],
  ["trip", "Round trip", ({ link }) => link.roundTripMs ?? -1],
  ["again", "Sent again", ({ link }) => (link.sent > 0 ? link.retransmissions / link.sent : -1)],
  ["dropped", "Dropped", (node) => dropped(node) ?? -1],
  ["waiting", "Waiting", ({ counters }) => counters["waiting"] ?? -1],
  ["connects", "Reconnects", ({ counters }) => counters["connects"] ?? -1],
  ["up", "Up", ({ uptimeMs }) => uptimeMs ?? -1],
];

/** What sends most again first, then what answers slowest. */
function noisiestFirst(nodes: readonly NodeView[]): NodeView[] {
  return sortNodes(sortNodes(nodes, "trip"), "again");
}

/** Largest first; equals stay as they were. */
function sortNodes(nodes: readonly NodeView[], sort: string): NodeView[] {
  const key = COLUMNS.find(([name]) => name === sort)?.[2];
  return key === undefined ? [...nodes] : [...nodes].sort((one, other) => key(other) - key(one));
}

function NodeTable({ nodes }: { nodes: readonly NodeView[] }): JSX.Element {
  const page = usePage();
  const { sort = "again" } = useQuery();
  const sorted = sort === "again" ? noisiestFirst(nodes) : sortNodes(nodes, sort);
  const { items, ...hold } = useStill(sorted, ({ id }) => id);
  return (
    <section class="panel flush">
      <h2>Slowest and noisiest nodes</h2>
      <table class="table stack" {...hold}>
        <thead>
          <tr>
            <Column name="node" title="Node" sort={sort} page={page} />
            {COLUMNS.map(([name, title]) => (
              <Column key={name} name={name} title={title} sort={sort} page={page} />
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((node) => (
            <NodeRow key={node.id} node={node} />
          ))}
        </tbody>
      </table>
      <p class="pad muted">
        {NO_VALUE} not known: the node sent no status yet, or its link does not count it. Round trip
        is between node and gateway. Sent again is the share of a link's datagrams that got no
        answer in time, since it started; what it sent without asking for an answer may be lost
        beyond that.
      </p>
    </section>
  );
}

function Column(props: {
  name: PathSort;
  title: string;
  sort: string;
  page: ReturnType<typeof usePage>;
}): JSX.Element {
  const { name, title, sort, page } = props;
  const sorted = sort === name;
  const direction = name === "node" ? "ascending" : "descending";
  const left = name === "node" || name === "state";
  return (
    <th scope="col" class={left ? "" : "right"} aria-sort={sorted ? direction : "none"}>
      <button type="button" class="plain muted" onClick={() => setFilter(page, "sort", name)}>
        {title}
        {sorted && (name === "node" ? " \u2191" : " \u2193")}
      </button>
    </th>
  );
}

/** All that the node had to give up, by its own counters; null: not told. */
function dropped({ counters }: NodeView): number | null {
  const names = ["droppedTelemetry", "droppedAlarm", "droppedRefused", "ringDropped"];
  const known = names.flatMap((name) => counters[name] ?? []);
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0);
}

function roundTrip({ link }: NodeView): string {
  return link.roundTripMs === null ? NO_VALUE : `${formatCount(link.roundTripMs)}\u00a0ms`;
}

function lossShare({ link }: NodeView): string {
  return formatShare(link.retransmissions, link.sent);
}

function countOf(count: number | null | undefined): string {
  return count === null || count === undefined ? NO_VALUE : formatCount(count);
}

function NodeRow({ node }: { node: NodeView }): JSX.Element {
  const { connects, waiting } = node.counters;
  return (
    <tr>
      <th scope="row">
        <a href={routeHref("machines", [node.id])}>{node.id}</a>
      </th>
      <td class="lead">
        <Mark condition={stateCondition(node)} />
      </td>
      <td class="right" data-label="round trip">
        {roundTrip(node)}
      </td>
      <td class="right" data-label="sent again">
        <span title={`${node.link.retransmissions} of ${node.link.sent} datagrams`}>
          {lossShare(node)}
        </span>
      </td>
      <td class="right" data-label="dropped">
        {countOf(dropped(node))}
      </td>
      <td class="right" data-label="waiting">
        {countOf(waiting)}
      </td>
      <td class="right" data-label="reconnects">
        {connects === undefined ? NO_VALUE : formatCount(Math.max(0, connects - 1))}
      </td>
      <td class="right" data-label="up">
        {node.uptimeMs === null ? NO_VALUE : formatDuration(node.uptimeMs)}
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
