// SPDX-License-Identifier: MIT
// The plant: is anything wrong, where, since when; a tile for each machine.

import type { JSX } from "preact";
import type { ChannelView, NodeView } from "../api.ts";
import { AlarmList } from "./alarms.tsx";
import { activeAlarms, keyChannels, stateCondition, worstCondition } from "./condition.ts";
import { EventLines } from "./event-lines.tsx";
import { formatDuration } from "./format.ts";
import { Empty, For, Mark } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { timeSpan } from "./scale.ts";
import { extentOf } from "./series.ts";
import { Spark, useChart } from "./spark.tsx";
import { Bar, bandText, ValueNotes, ValueNumber } from "./value.tsx";

/** Values on a tile; the rest is one tap away. */
const KEY_VALUES = 2;

/** Events under the tiles. */
const LATEST_EVENTS = 8;

export function PlantView(): JSX.Element {
  const { store } = usePage();
  const plant = store.plant.value;
  const nodes = readNodes(store);
  const alarms = activeAlarms(nodes);
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
          <Tile key={node.id} id={node.id} />
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
function Tile({ id }: { id: string }): JSX.Element | null {
  const node = usePage().store.nodes.get(id)?.value;
  if (node === undefined) return null;
  const worst = worstCondition(node);
  const state = stateCondition(node);
  const more = Math.max(0, node.channels.length - KEY_VALUES);
  return (
    <article class={`panel tile tone-${worst.tone}`}>
      <header class="tile-head">
        <h2>
          <a class="cover" href={routeHref("machines", [id])}>
            {id}
          </a>
        </h2>
        <Mark condition={state}>
          <span class="muted">
            <For sinceMs={node.sinceMs} />
          </span>
        </Mark>
        <p class="muted">{tilePlace(node)}</p>
        {worst.word !== state.word && <Mark condition={worst} />}
      </header>
      {keyChannels(node, KEY_VALUES).map((channel) => (
        <TileValue key={channel.name} node={node} channel={channel} />
      ))}
      {node.channels.length === 0 && (
        <p class="muted">Its birth message has not arrived yet: no channels are known.</p>
      )}
      {more > 0 && <p class="muted tile-foot">{more} more</p>}
    </article>
  );
}

function tilePlace(node: NodeView): string {
  return [node.type ?? "type not known yet", `${node.line} / ${node.cell}`].join(" \u00b7 ");
}

function TileValue({ node, channel }: { node: NodeView; channel: ChannelView }): JSX.Element {
  const hubMs = usePage().live.hubMs.value;
  const chart = useChart(node.id, channel.name);
  const span = timeSpan([chart.series], hubMs);
  return (
    <div class="tile-value">
      <span class="name">{channel.name}</span>
      <span class="big">
        <ValueNumber node={node} channel={channel} />
      </span>
      <Spark channel={channel} series={chart.series} span={span} />
      <span class="context">
        <Bar node={node} channel={channel} extent={extentOf(chart.series)} />
        <span class="muted">{bandText(channel)}</span>
        <ValueNotes node={node} channel={channel} />
      </span>
      <span class="span muted">last {formatDuration(span.toMs - span.fromMs)}</span>
    </div>
  );
}
