// SPDX-License-Identifier: MIT
// A machine in tables: channels, outputs, versions, what became of its readings.

import type { ComponentChildren, JSX } from "preact";
import type { ChannelView, NodeView } from "../api.ts";
import { formatCount, formatDuration, formatPeriod, NO_VALUE } from "./format.ts";
import { When } from "./marks.tsx";
import { routeHref } from "./route.ts";
import { bandText, ValueNotes, ValueNumber } from "./value.tsx";

/** Digits of a hash that people compare by eye; the rest is on hover. */
const HASH_SHOWN = 12;

export function ChannelTable({ node }: { node: NodeView }): JSX.Element {
  return (
    <section class="panel flush">
      <h2>Channels</h2>
      <table class="table stack">
        <thead>
          <tr>
            <th scope="col">Channel</th>
            <th scope="col" class="right">
              Value
            </th>
            <th scope="col">Quality</th>
            <th scope="col">Normal</th>
            <th scope="col">Source</th>
            <th scope="col" class="right">
              Every
            </th>
            <th scope="col" class="right">
              Read
            </th>
          </tr>
        </thead>
        <tbody>
          {node.channels.map((channel) => (
            <tr key={channel.name}>
              <th scope="row">{channel.name}</th>
              <td class="right lead">
                <ValueNumber node={node} channel={channel} />
              </td>
              <td data-label="quality">
                <Quality node={node} channel={channel} />
              </td>
              <td data-label="normal">{bandText(channel) || NO_VALUE}</td>
              <td data-label="source">
                <Source node={node} channel={channel} />
              </td>
              <td class="right" data-label="every">
                {everyText(channel)}
              </td>
              <td class="right" data-label="read">
                {channel.atMs === null ? "never" : <When wallMs={channel.atMs} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function everyText(channel: ChannelView): string {
  if (channel.periodMs > 0) return formatPeriod(channel.periodMs);
  return ["register", "field", "object"].includes(channel.kind) ? "as heard" : "on change";
}

function Quality({ node, channel }: { node: NodeView; channel: ChannelView }): JSX.Element {
  const notes = <ValueNotes node={node} channel={channel} />;
  return channel.quality === "good" && channel.atMs !== null ? <>good {notes}</> : notes;
}

function Source({ node, channel }: { node: NodeView; channel: ChannelView }): JSX.Element {
  const { register, field, object } = channel;
  if (object !== null) {
    return (
      <a
        href={routeHref("taps", [node.id, object.tap])}
        title={`object ${object.object} of a meter, heard by tap ${object.tap}`}
      >
        {object.tap} · {object.object}
      </a>
    );
  }
  if (field !== null) {
    return (
      <a
        href={routeHref("taps", [node.id, field.tap])}
        title={`field of the pattern ${field.pattern}, heard by tap ${field.tap}`}
      >
        {field.tap} · {field.field}
      </a>
    );
  }
  if (register === null) return <>{channel.kind}</>;
  return (
    <a
      href={routeHref("taps", [node.id, register.tap])}
      title={`register ${register.address} heard by tap ${register.tap}`}
    >
      {register.tap} · {register.address}
    </a>
  );
}

export function OutputTable({ node }: { node: NodeView }): JSX.Element {
  return (
    <section class="panel flush">
      <h2>Outputs</h2>
      <table class="table stack">
        <thead>
          <tr>
            <th scope="col">Output</th>
            <th scope="col">Allowed</th>
            <th scope="col">Safe value</th>
          </tr>
        </thead>
        <tbody>
          {node.outputs.map((output) => (
            <tr key={output.name}>
              <th scope="row">{output.name}</th>
              <td class="lead">
                {percent(output.min)} – {percent(output.max)}
              </td>
              <td data-label="safe value">{percent(output.safe)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Versions({ node }: { node: NodeView }): JSX.Element {
  return (
    <section class="panel">
      <h2>Births and versions</h2>
      <dl class="facts">
        <Fact name="boot">{node.boot ?? NO_VALUE}</Fact>
        <Fact name="up">{node.uptimeMs === null ? NO_VALUE : formatDuration(node.uptimeMs)}</Fact>
        <Fact name="firmware">{node.firmware ?? NO_VALUE}</Fact>
        <Fact name="loop.wasm">{hash(node.loopHash)}</Fact>
        <Fact name="link.wasm">{hash(node.linkHash)}</Fact>
        <Fact name="loop period">
          {node.periodUs === null ? NO_VALUE : formatPeriod(node.periodUs / 1000)}
        </Fact>
        <Fact name="host">{node.host ?? NO_VALUE}</Fact>
        <Fact name="EUI-64">{node.eui64 === null ? NO_VALUE : <code>{node.eui64}</code>}</Fact>
      </dl>
    </section>
  );
}

/** What a node did with its readings; names as in its status. */
const DELIVERY: readonly [name: string, counter: string][] = [
  ["queued", "queued"],
  ["acknowledged", "acknowledged"],
  ["waiting", "waiting"],
  ["dropped readings", "droppedTelemetry"],
  ["dropped alarms", "droppedAlarm"],
  ["refused by the gateway", "droppedRefused"],
  ["sent again", "retransmissions"],
  ["loop traps", "loopTraps"],
  ["late ticks", "loopOverruns"],
  ["link traps", "linkTraps"],
];

export function Delivery({ node }: { node: NodeView }): JSX.Element {
  const known = DELIVERY.filter(([, counter]) => node.counters[counter] !== undefined);
  return (
    <section class="panel">
      <h2>Delivery</h2>
      {known.length === 0 && <p class="muted">No status yet; a node sends one every 10 s.</p>}
      <dl class="facts">
        {known.map(([name, counter]) => (
          <Fact key={counter} name={name}>
            {formatCount(node.counters[counter] ?? 0)}
          </Fact>
        ))}
      </dl>
    </section>
  );
}

export function Fact(props: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function hash(hex: string | null): JSX.Element | string {
  return hex === null ? NO_VALUE : <code title={hex}>{hex.slice(0, HASH_SHOWN)}</code>;
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))}\u00a0%`;
}
