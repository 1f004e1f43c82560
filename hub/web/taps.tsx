// SPDX-License-Identifier: MIT
// Taps: does the tap hear the line, and which register is what.
//
// A tap only listens. Its confidence is the share of requests whose answer it heard and understood.

import type { JSX } from "preact";
import type { ChannelView, NodeView, TapView } from "../api.ts";
import { stateCondition, type Condition } from "./condition.ts";
import { formatCount, formatNumber, formatShare, NO_VALUE } from "./format.ts";
import { CHANGE_MARK_MS } from "./limits.ts";
import { Fact } from "./machine-tables.tsx";
import { Empty, Mark, When } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { NoMachines } from "./plant.tsx";
import { routeHref } from "./route.ts";
import { timeSpan } from "./scale.ts";
import { Spark, useChart, useHeldMs } from "./spark.tsx";
import { ValueNotes, ValueNumber } from "./value.tsx";

/** Shares of understood answers and of noise at which a line is called heard. */
const PAIRED_GOOD = 0.9;
const JUNK_GOOD = 0.05;

const HEARS: Condition = { word: "hears the line", shape: "dot", tone: "normal", rank: 0 };
const WAITS: Condition = { word: "no status yet", shape: "ring", tone: "off", rank: 1 };
const SILENT: Condition = { word: "silent line", shape: "ring", tone: "warning", rank: 2 };
const PARTLY: Condition = { word: "hears it partly", shape: "diamond", tone: "warning", rank: 2 };

export function TapsView({ path }: { path: readonly string[] }): JSX.Element {
  const { store } = usePage();
  const nodes = readNodes(store);
  if (nodes.length === 0) return <NoMachines />;
  const [nodeId, tapName] = path;
  const taps = nodes
    .flatMap((node) => node.taps.map((tap) => ({ node, tap })))
    .filter(
      ({ node, tap }) => nodeId === undefined || (node.id === nodeId && isNamed(tap, tapName)),
    );
  return (
    <>
      <header class="head">
        {nodeId !== undefined && (
          <p class="crumb">
            <a href={routeHref("taps")}>Taps</a>
          </p>
        )}
        <h1 tabIndex={-1}>{nodeId === undefined ? "Taps" : (tapName ?? nodeId)}</h1>
        <p class="sub">Lines that nodes listen to</p>
      </header>
      {taps.map(({ node, tap }) => (
        <TapPanel key={`${node.id}/${tap.name}`} node={node} tap={tap} />
      ))}
      {taps.length === 0 && <NoTaps nodeId={nodeId} />}
    </>
  );
}

function isNamed(tap: TapView, name: string | undefined): boolean {
  return name === undefined || tap.name === name;
}

function NoTaps({ nodeId }: { nodeId: string | undefined }): JSX.Element {
  if (nodeId !== undefined) {
    return (
      <Empty title="No such tap" why="No machine of that name has announced a tap of that name.">
        <p>
          <a href={routeHref("taps")}>Show all taps</a>
        </p>
      </Empty>
    );
  }
  return (
    <Empty
      title="No tap in this plant"
      why="A tap listens to a line between machines; a node.json lists them under taps."
      command="npx ferrule up plants/example"
    />
  );
}

function TapPanel({ node, tap }: { node: NodeView; tap: TapView }): JSX.Element {
  const registers = node.channels.filter((channel) => channel.register?.tap === tap.name);
  return (
    <section class="panel flush">
      <div class="tap-head">
        <h2>
          <a href={routeHref("taps", [node.id, tap.name])}>{tap.name}</a>
        </h2>
        <Mark condition={tapCondition(node, tap)} />
        <span class="muted">
          <a href={routeHref("machines", [node.id])}>{node.id}</a>
          {` · ${tap.protocol} · ${tap.baud} baud · ${tap.format}`}
        </span>
      </div>
      <TapCounters tap={tap} />
      {registers.length === 0 ? (
        <p class="muted pad">No register of this line is mapped to a channel.</p>
      ) : (
        <RegisterTable node={node} registers={registers} />
      )}
    </section>
  );
}

function tapCondition(node: NodeView, tap: TapView): Condition {
  if (node.state !== "online") return stateCondition(node);
  const count = (name: string): number => tap.counters[name] ?? 0;
  if (tap.counters["bytes"] === undefined) return WAITS;
  if (count("bytes") === 0) return SILENT;
  const paired = count("pairs") >= PAIRED_GOOD * (count("pairs") + count("unanswered"));
  return paired && count("junkBytes") <= JUNK_GOOD * count("bytes") ? HEARS : PARTLY;
}

function TapCounters({ tap }: { tap: TapView }): JSX.Element {
  const count = (name: string): number => tap.counters[name] ?? 0;
  const shown = (name: string): string =>
    tap.counters[name] === undefined ? NO_VALUE : formatCount(count(name));
  return (
    <dl class="figures">
      <Fact name="understood">
        {formatShare(count("pairs"), count("pairs") + count("unanswered"))}
      </Fact>
      <Fact name="requests">{shown("requests")}</Fact>
      <Fact name="answers">{shown("responses")}</Fact>
      <Fact name="exceptions">{shown("exceptions")}</Fact>
      <Fact name="unanswered">{shown("unanswered")}</Fact>
      <Fact name="broadcasts">{shown("broadcasts")}</Fact>
      <Fact name="octets">{shown("bytes")}</Fact>
      <Fact name="noise">{formatShare(count("junkBytes"), count("bytes"))}</Fact>
    </dl>
  );
}

function RegisterTable(props: { node: NodeView; registers: readonly ChannelView[] }): JSX.Element {
  return (
    <table class="table stack registers">
      <thead>
        <tr>
          <th scope="col">Register</th>
          <th scope="col" class="right">
            Value
          </th>
          <th scope="col">Last change</th>
          <th scope="col" class="right">
            Heard
          </th>
          <th scope="col">Trend</th>
          <th scope="col" class="right">
            Unit
          </th>
          <th scope="col">Table</th>
          <th scope="col" class="right" title="zero-based, as on the wire">
            Address
          </th>
          <th scope="col">Type</th>
        </tr>
      </thead>
      <tbody>
        {props.registers.map((channel) => (
          <RegisterRow key={channel.name} node={props.node} channel={channel} />
        ))}
      </tbody>
    </table>
  );
}

/** Modbus tables by the function code that reads them. */
const TABLES: Record<number, string> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };

function RegisterRow({ node, channel }: { node: NodeView; channel: ChannelView }): JSX.Element {
  const hubMs = usePage().live.hubMs.value;
  const chart = useChart(node.id, channel.name);
  const heldMs = useHeldMs(node);
  const span = timeSpan([chart.series], hubMs);
  const register = channel.register;
  const code = register?.functionCode ?? 0;
  return (
    <tr>
      <th scope="row">{channel.name}</th>
      <td class="right lead">
        <ValueNumber node={node} channel={channel} />
        <ValueNotes node={node} channel={channel} />
      </td>
      <td data-label="change">
        <ChangeMark node={node} channel={channel} hubMs={hubMs} />
      </td>
      <td class="right" data-label="heard">
        {channel.atMs === null ? "never" : <When wallMs={channel.atMs} />}
      </td>
      <td class="trend-cell">
        <Spark channel={channel} series={chart.series} span={span} heldMs={heldMs} />
      </td>
      <td class="right" data-label="unit">
        {register?.unitId}
      </td>
      <td data-label="table">
        <span>
          {TABLES[code] ?? "function"} <span class="muted">FC {code}</span>
        </span>
      </td>
      <td class="right" data-label="address">
        {register?.address}
      </td>
      <td data-label="type">
        <span>
          {register?.type} <span class="muted">{register?.order}</span>
        </span>
      </td>
    </tr>
  );
}

function ChangeMark(props: { node: NodeView; channel: ChannelView; hubMs: number }): JSX.Element {
  const { node, channel, hubMs } = props;
  const change = usePage().store.valueChanges.get(`${node.id}/${channel.name}`);
  if (change === undefined) return <span class="muted">none seen</span>;
  const difference = change.to - change.from;
  const sign = difference > 0 ? "+" : "";
  const fresh = hubMs - change.atMs < CHANGE_MARK_MS;
  return (
    <span class={fresh ? "change fresh" : "change"}>
      <span class="difference">
        {sign}
        {formatNumber(difference, channel.unit, channel.decimals)}
      </span>
      <span class="muted">
        <When wallMs={change.atMs} />
      </span>
    </span>
  );
}
