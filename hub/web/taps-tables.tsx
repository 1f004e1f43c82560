// SPDX-License-Identifier: MIT
// What is read from a line: registers of a bus, fields of text lines.
//
// Both tables begin alike: channel, value now, its last change, when it was heard, its last minutes.

import type { ComponentChildren, JSX } from "preact";
import type { ChannelView, NodeView } from "../api.ts";
import { formatNumber } from "./format.ts";
import { CHANGE_MARK_MS } from "./limits.ts";
import { When } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { timeSpan } from "./scale.ts";
import { Spark, useChart, useHeldMs } from "./spark.tsx";
import { ValueNotes, ValueNumber } from "./value.tsx";

interface TableProps {
  node: NodeView;
  channels: readonly ChannelView[];
}

export function RegisterTable({ node, channels }: TableProps): JSX.Element {
  return (
    <table class="table stack registers">
      <Head first="Register">
        <th scope="col" class="right">
          Unit
        </th>
        <th scope="col">Table</th>
        <th scope="col" class="right" title="zero-based, as on the wire">
          Address
        </th>
        <th scope="col">Type</th>
      </Head>
      <tbody>
        {channels.map((channel) => (
          <HeardRow key={channel.name} node={node} channel={channel}>
            <RegisterCells {...channel} />
          </HeardRow>
        ))}
      </tbody>
    </table>
  );
}

export function FieldTable({ node, channels }: TableProps): JSX.Element {
  return (
    <table class="table stack registers fields">
      <Head first="Channel">
        <th scope="col">Pattern</th>
        <th scope="col">Field</th>
      </Head>
      <tbody>
        {channels.map((channel) => (
          <HeardRow key={channel.name} node={node} channel={channel}>
            <td data-label="pattern">{channel.field?.pattern}</td>
            <td data-label="field">{channel.field?.field}</td>
          </HeardRow>
        ))}
      </tbody>
    </table>
  );
}

export function ObjectTable({ node, channels }: TableProps): JSX.Element {
  return (
    <table class="table stack registers objects">
      <Head first="Channel">
        <th scope="col">Object</th>
        <th scope="col">Meter</th>
      </Head>
      <tbody>
        {channels.map((channel) => (
          <HeardRow key={channel.name} node={node} channel={channel}>
            <td data-label="object">{objectText(channel)}</td>
            <td data-label="meter">{channel.object?.meter ?? "the only one"}</td>
          </HeardRow>
        ))}
      </tbody>
    </table>
  );
}

function objectText({ object }: ChannelView): string {
  if (object === null) return "";
  return object.value === 0 ? object.object : `${object.object}, value ${object.value}`;
}

function Head({ first, children }: { first: string; children: ComponentChildren }): JSX.Element {
  return (
    <thead>
      <tr>
        <th scope="col">{first}</th>
        <th scope="col" class="right">
          Value
        </th>
        <th scope="col">Last change</th>
        <th scope="col" class="right">
          Heard
        </th>
        <th scope="col">Trend</th>
        {children}
      </tr>
    </thead>
  );
}

interface HeardProps {
  node: NodeView;
  channel: ChannelView;
  children: ComponentChildren; // cells that say where it stands
}

function HeardRow({ node, channel, children }: HeardProps): JSX.Element {
  const hubMs = usePage().live.hubMs.value;
  const chart = useChart(node.id, channel.name);
  const heldMs = useHeldMs(node);
  const span = timeSpan([chart.series], hubMs);
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
      {children}
    </tr>
  );
}

/** Modbus tables by the function code that reads them. */
const TABLES: Record<number, string> = { 1: "coil", 2: "discrete", 3: "holding", 4: "input" };

function RegisterCells({ register }: ChannelView): JSX.Element {
  const code = register?.functionCode ?? 0;
  return (
    <>
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
    </>
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
