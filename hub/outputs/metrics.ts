// SPDX-License-Identifier: MIT
// Prometheus metrics of the hub, its nodes and their newest values.
//
// Everything is read from the hub when it is asked for; nothing is counted here. Labels come from the
// registry, whose names and numbers are bounded. What a node counts may start again at 0: gauges.

import { Counter, Gauge, Registry } from "prom-client";
import type { NodeView, Snapshot } from "../api.ts";
import type { Hub } from "../hub.ts";

const STATES = ["online", "offline", "lost", "unknown"] as const;
const QUALITIES = ["good", "uncertain", "bad"] as const;

/** Gives the text of /metrics, in the format 0.0.4. */
export function createMetrics(hub: Hub, wallMs: () => number): () => Promise<string> {
  const registry = new Registry();
  const history = new Counter({
    name: "ferrule_hub_history_dropped_total",
    help: "Points that found no room in the history.",
    registers: [registry],
  });
  const writers = [hubCounters(registry), refusals(registry), nodeGauges(registry)];
  const channels = channelGauges(registry);
  return () => {
    const snapshot = hub.snapshot(wallMs());
    for (const write of writers) write(snapshot);
    channels(snapshot);
    history.reset();
    history.inc(hub.historyDropped());
    return registry.metrics();
  };
}

type Writer = (snapshot: Snapshot) => void;

function hubCounters(registry: Registry): Writer {
  const counter = (name: string, help: string): Counter => {
    return new Counter({ name: `ferrule_hub_${name}_total`, help, registers: [registry] });
  };
  const counters = {
    messages: counter("messages", "Messages from the broker, refused ones included."),
    ingested: counter("ingested", "New readings and events that came at QoS 1."),
    unconfirmed: counter("unconfirmed", "New readings and events that came at QoS 0."),
    duplicates: counter("duplicates", "Readings and events seen again and not taken twice."),
    readings: counter("readings", "New readings."),
    events: counter("events", "New events."),
    publicationsDropped: counter(
      "publications_dropped",
      "Values not published because the broker was away too long.",
    ),
    historyUnsaved: counter(
      "history_unsaved",
      "Points held in memory alone since the history's file failed.",
    ),
  };
  return ({ totals }) => {
    for (const name of Object.keys(counters) as (keyof typeof counters)[]) {
      counters[name].reset();
      counters[name].inc(totals[name]);
    }
  };
}

function refusals(registry: Registry): Writer {
  const refused = new Counter({
    name: "ferrule_hub_refused_total",
    help: "Messages, readings and events refused, by reason.",
    labelNames: ["reason"],
    registers: [registry],
  });
  return ({ totals }) => {
    refused.reset();
    for (const [reason, count] of Object.entries(totals.refused)) refused.inc({ reason }, count);
  };
}

function nodeGauges(registry: Registry): Writer {
  const gauge = (name: string, help: string, ...labelNames: string[]): Gauge => {
    return new Gauge({ name: `ferrule_${name}`, help, labelNames, registers: [registry] });
  };
  const state = gauge("node_state", "1 for the state that the node is in.", "node", "state");
  const boot = gauge("node_boot", "Boot number of the node.", "node");
  const seen = gauge("node_last_seen_timestamp_seconds", "When the node was heard last.", "node");
  const uptime = gauge("node_uptime_seconds", "Age of the node's link at its last status.", "node");
  const counter = gauge("node_counted", "What the node counts since its start.", "node", "name");
  const tap = gauge("tap_counted", "What a tap counts since its start.", "node", "tap", "name");
  const write = (view: NodeView): void => {
    const node = view.id;
    for (const name of STATES) state.set({ node, state: name }, view.state === name ? 1 : 0);
    if (view.boot !== null) boot.set({ node }, view.boot);
    if (view.lastSeenMs !== null) seen.set({ node }, view.lastSeenMs / 1000);
    if (view.uptimeMs !== null) uptime.set({ node }, view.uptimeMs / 1000);
    for (const [name, count] of Object.entries(view.counters)) counter.set({ node, name }, count);
    for (const { name: tapName, counters } of view.taps)
      for (const [name, count] of Object.entries(counters))
        tap.set({ node, tap: tapName, name }, count);
  };
  return ({ nodes }) => {
    for (const one of [state, boot, seen, uptime, counter, tap]) one.reset();
    nodes.forEach(write);
  };
}

function channelGauges(registry: Registry): Writer {
  const labelNames = ["node", "channel", "unit"];
  const registers = [registry];
  const value = new Gauge({
    name: "ferrule_channel_value",
    help: "Newest value of a channel; absent while its quality is bad.",
    labelNames,
    registers,
  });
  const quality = new Gauge({
    name: "ferrule_channel_quality",
    help: "Quality of the newest reading: 0 good, 1 uncertain, 2 bad.",
    labelNames,
    registers,
  });
  const alarm = new Gauge({
    name: "ferrule_alarm_active",
    help: "1 while an alarm is active.",
    labelNames: ["node", "channel", "alarm"],
    registers,
  });
  return ({ nodes }) => {
    for (const gauge of [value, quality, alarm]) gauge.reset();
    for (const { id: node, channels } of nodes)
      for (const channel of channels) {
        const labels = { node, channel: channel.name, unit: channel.unit ?? "" };
        if (channel.value !== null) value.set(labels, channel.value);
        if (channel.atMs !== null) quality.set(labels, QUALITIES.indexOf(channel.quality));
        for (const { name, active } of channel.alarms)
          alarm.set({ node, channel: channel.name, alarm: name }, active ? 1 : 0);
      }
  };
}
