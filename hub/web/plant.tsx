// SPDX-License-Identifier: MIT
// The plant: is anything wrong, where, since when; a tile for each machine.

import type { JSX } from "preact";
import type { ChannelView, NodeView } from "../api.ts";
import { AlarmList } from "./alarms.tsx";
import { keyChannels, machineState, openAlarms, valueNotes, worstCondition } from "./condition.ts";
import { EventLines } from "./event-lines.tsx";
import { formatCount, formatDuration, formatPercent } from "./format.ts";
import { SPARK_MACHINES_MAX } from "./limits.ts";
import { Empty, For, Mark } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { timeSpan } from "./scale.ts";
import { extentOf, type Series } from "./series.ts";
import { Spark, type SparkProps, useCharts, useHeldMs } from "./spark.tsx";
import { Bar, bandText, ValueNotes, ValueNumber } from "./value.tsx";

/** Values on a tile; the rest is one tap away. */
const KEY_VALUES = 2;

/** Events under the tiles. */
const LATEST_EVENTS = 8;

export function PlantView(): JSX.Element {
  const { store } = usePage();
  const plant = store.plant.value;
  const nodes = readNodes(store);
  const alarms = openAlarms(nodes);
  const events = store.events.value.slice(0, LATEST_EVENTS);
  const place = plant === null ? "" : [plant.enterprise, plant.site, plant.area].join(" / ");
  if (nodes.length === 0) return <NoMachines />;
  return (
    <>
      <header class="head">
        <h1 tabIndex={-1}>Plant</h1>
        <p class="sub">{place}</p>
      </header>
      {alarms.length > 0 && (
        <section class="panel">
          <h2>Alarms</h2>
          <AlarmList alarms={alarms} />
        </section>
      )}
      <div class="tiles">
        {nodes.map((node) => (
          <Tile key={node.id} id={node.id} spark={nodes.length <= SPARK_MACHINES_MAX} />
        ))}
      </div>
      {store.hiddenNodes.value > 0 && (
        <p class="muted">{store.hiddenNodes.value} more machines are not shown.</p>
      )}
      <section class="panel">
        <div class="panel-head">
          <h2>Latest events</h2>
          <a href={routeHref("events")}>All events</a>
        </div>
        <EventLines events={events} />
      </section>
    </>
  );
}

export function NoMachines(): JSX.Element {
  return (
    <Empty
      title="No machine yet"
      why="The hub is up, but no node has announced itself at its broker. Start the example plant:"
      command="npx ferrule up"
    />
  );
}

/** Drawn again for its own machine only. */
function Tile({ id, spark }: { id: string; spark: boolean }): JSX.Element | null {
  const { store, live } = usePage();
  const node = store.nodes.get(id)?.value;
  const channels = node === undefined ? [] : keyChannels(node, KEY_VALUES);
  const charts = useCharts(id, spark ? channels : []);
  const heldMs = useHeldMs(node);
  if (node === undefined) return null;
  const span = timeSpan(
    charts.map((chart) => chart.series),
    live.hubMs.value,
  );
  return (
    <article class={`panel tile tone-${worstCondition(node).tone}`}>
      <TileHead node={node} />
      {channels.map((channel, index) => (
        <TileValue
          key={channel.name}
          node={node}
          channel={channel}
          series={charts[index]?.series}
          span={span}
          heldMs={heldMs}
        />
      ))}
      {channels.length === 0 && (
        <p class="muted">Its birth message has not arrived yet: no channels are known.</p>
      )}
      <p class="muted tile-foot">
        <Totals node={node} />
        <span>{moreText(node.channels.length - channels.length)}</span>
        {charts.length > 0 && <span>last {formatDuration(span.toMs - span.fromMs)}</span>}
      </p>
    </article>
  );
}

function TileHead({ node }: { node: NodeView }): JSX.Element {
  const worst = worstCondition(node);
  const { condition: state, sinceMs } = machineState(node);
  const [alarm, ...others] = openAlarms([node]);
  const word = alarm === undefined ? worst.word : `${alarm.channel.name} ${alarm.alarm.name}`;
  const also = others.length > 0 ? ` and ${others.length} more` : "";
  return (
    <header class="tile-head">
      <div>
        <h2>
          <a class="cover" href={routeHref("machines", [node.id])}>
            {node.id}
          </a>
        </h2>
        <Mark condition={state}>
          <span class="muted">
            <For sinceMs={sinceMs} />
          </span>
        </Mark>
      </div>
      <div>
        <p class="muted">
          {node.type ?? "type not known yet"} · {node.line} / {node.cell}
        </p>
        {worst.word !== state.word && <Mark condition={{ ...worst, word: word + also }} />}
      </div>
    </header>
  );
}

/** Raw totals: the share of its heard time that the machine ran, and what it counted. */
function Totals({ node }: { node: NodeView }): JSX.Element | null {
  const { stateMs, counts } = node.totals;
  const parts = Object.entries(counts).map(([name, count]) => `${name}\u00a0${formatCount(count)}`);
  if (stateMs !== null) {
    const heardMs = Object.values(stateMs).reduce((sum, ms) => sum + ms, 0);
    if (heardMs > 0) parts.unshift(`ran\u00a0${formatPercent(stateMs.run / heardMs)}`);
  }
  const { oee = null } = node.oee ?? {};
  if (oee !== null) parts.unshift(`OEE\u00a0${formatPercent(oee)}`);
  return parts.length === 0 ? null : (
    <span class="totals">
      {parts.map((part) => (
        <span key={part}>{part}</span>
      ))}
    </span>
  );
}

function moreText(count: number): string {
  if (count <= 0) return "";
  return count === 1 ? "1 more value" : `${count} more values`;
}

interface TileValueProps {
  node: NodeView;
  channel: ChannelView;
  series: Series | undefined; // undefined: a plant too large for sparklines
  span: SparkProps["span"];
  heldMs: number;
}

function TileValue({ node, channel, series, span, heldMs }: TileValueProps): JSX.Element {
  const band = bandText(channel);
  // A note takes the place of the band, so that a tile keeps its height; the bar still shows the limits.
  const noted = valueNotes(node, channel, usePage().live.hubMs.value).length > 0;
  return (
    <div class="tile-value">
      <span class="name">{channel.name}</span>
      <span class="big">
        <ValueNumber node={node} channel={channel} />
      </span>
      {series !== undefined && (
        <Spark channel={channel} series={series} span={span} heldMs={heldMs} />
      )}
      <span class="context">
        <Bar
          node={node}
          channel={channel}
          extent={series === undefined ? null : extentOf(series)}
        />
        {!noted && band !== "" && <span class="muted">{band}</span>}
        <ValueNotes node={node} channel={channel} />
      </span>
    </div>
  );
}
