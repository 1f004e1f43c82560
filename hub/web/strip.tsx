// SPDX-License-Identifier: MIT
// The strip on top: the worst of the plant, and whether it is live.

import type { JSX } from "preact";
import type { NodeView } from "../api.ts";
import { clockTime, zonedTime } from "./clock.ts";
import {
  machineState,
  openAlarms,
  worstCondition,
  type OpenAlarm,
  type Condition,
} from "./condition.ts";
import { formatDuration } from "./format.ts";
import { For, Mark, Shape } from "./marks.tsx";
import { readNodes, usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";

export function Strip(): JSX.Element {
  const { store } = usePage();
  const nodes = readNodes(store);
  const alarms = openAlarms(nodes);
  const oldest = alarms.find(({ alarm }) => !alarm.acknowledged);
  return (
    <header class="strip">
      <Worst nodes={nodes} alarms={alarms} />
      {oldest !== undefined && <OldestAlarm {...oldest} />}
      <span class="space" />
      <LinkState />
    </header>
  );
}

/** Shape, count and word of the worst condition, then of the next ones. */
function Worst(props: { nodes: readonly NodeView[]; alarms: readonly OpenAlarm[] }): JSX.Element {
  const { nodes, alarms } = props;
  const counts = countConditions(nodes, alarms);
  const running = nodes.filter((node) => machineState(node).condition.word === "running").length;
  return (
    <span class="worst" role="status">
      {counts.map(({ condition, count }) => (
        <Mark
          key={condition.word}
          condition={{ ...condition, word: `${count} ${plural(condition.word, count)}` }}
        />
      ))}
      {nodes.length === 0 && <span class="muted">No machine yet</span>}
      {counts.length === 0 && nodes.length > 0 && (
        <span class="mark tone-normal">
          <Shape name="dot" tone="normal" />
          <span class="word">
            Normal
            <span class="wide-only">
              {" "}
              · {running} of {nodes.length} machines running
            </span>
          </span>
        </span>
      )}
    </span>
  );
}

function plural(word: string, count: number): string {
  return count > 1 && (word === "alarm" || word === "bad value") ? `${word}s` : word;
}

/** Conditions that ask for something, worst first; alarms are counted one by one, the rest by machine. */
function countConditions(
  nodes: readonly NodeView[],
  alarms: readonly OpenAlarm[],
): { condition: Condition; count: number }[] {
  const found = new Map<string, { condition: Condition; count: number }>();
  const add = (condition: Condition): void => {
    const entry = found.get(condition.word) ?? { condition, count: 0 };
    entry.count++;
    found.set(condition.word, entry);
  };
  for (const { condition } of alarms) add(condition);
  for (const node of nodes) {
    const quiet = { ...node, channels: withoutAlarms(node) };
    const condition = worstCondition(quiet);
    if (condition.rank > 0) add(condition);
  }
  return [...found.values()].sort((one, other) => other.condition.rank - one.condition.rank);
}

function withoutAlarms(node: NodeView): NodeView["channels"] {
  return node.channels.map((channel) => ({ ...channel, alarms: [] }));
}

function OldestAlarm({ node, channel, alarm }: OpenAlarm): JSX.Element {
  return (
    <a class="oldest" href={routeHref("machines", [node.id])}>
      {node.id} {channel.name} {alarm.name}
      {alarm.sinceMs !== null && (
        <span class="muted wide-only">
          {" "}
          <For sinceMs={alarm.sinceMs} />
        </span>
      )}
    </a>
  );
}

function LinkState(): JSX.Element {
  const { live } = usePage();
  const state = live.connection.value.state;
  const hubMs = live.hubMs.value;
  if (live.paused.value) {
    return (
      <button type="button" class="resume" onClick={() => live.setPaused(false)}>
        Paused {clockTime(hubMs, hubMs)} · Resume
      </button>
    );
  }
  const tone = state === "live" ? "normal" : state === "lost" ? "warning" : "off";
  return (
    <span class={`mark link-state tone-${tone}`}>
      <Shape name={state === "live" ? "dot" : "ring"} tone={tone} />
      <span class="word">{state}</span>
      <time class="wide-only muted" title={zonedTime(hubMs)}>
        {clockTime(hubMs, hubMs)}
      </time>
    </span>
  );
}

/** Since when the hub, or its broker, is not heard; nothing while they are. */
export function LostNotice(): JSX.Element | null {
  const { live } = usePage();
  const { state, sinceMs } = live.connection.value;
  const awayMs = live.health.value?.awaySinceMs ?? null;
  if (state === "lost")
    return <Notice what="Connection" sinceMs={sinceMs} next="the page tries again by itself" />;
  if (awayMs === null) return null;
  return <Notice what="Broker" sinceMs={awayMs} next="the hub tries it again by itself" />;
}

function Notice(props: { what: string; sinceMs: number; next: string }): JSX.Element {
  const { what, sinceMs, next } = props;
  const hubMs = usePage().live.hubMs.value;
  return (
    <div class="notice" role="alert">
      <Shape name="ring" tone="warning" />
      <span>
        {what} lost since {clockTime(sinceMs, hubMs)} ({formatDuration(hubMs - sinceMs)}). Values
        are old; {next}.
      </span>
    </div>
  );
}
