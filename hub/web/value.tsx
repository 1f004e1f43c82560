// SPDX-License-Identifier: MIT
// A value with its unit, quality and age, and a bar with its limits.

import type { JSX } from "preact";
import type { ChannelView, NodeView } from "../api.ts";
import { normalBand, isOld, valueNotes } from "./condition.ts";
import { formatLimit, formatNumber, NO_VALUE, unitView } from "./format.ts";
import { Shape } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { barRange, shareOf } from "./scale.ts";
import type { Extent } from "./series.ts";

export interface ValueProps {
  node: NodeView;
  channel: ChannelView;
}

/** What the numbers of a state channel say. */
const STATE_WORDS: readonly (string | undefined)[] = ["stopped", "idle", "running", "fault"];

export function stateWord(value: number): string {
  return STATE_WORDS[value] ?? NO_VALUE;
}

/** Number and unit, or the text; a dash when there is no value. Grey when it is old. */
export function ValueNumber({ node, channel }: ValueProps): JSX.Element {
  const old = isOld(node, channel, usePage().live.hubMs.value);
  const { value, text, unit, decimals } = channel;
  const { label } = unitView(unit);
  const word = channel.kind === "state" ? STATE_WORDS[value ?? -1] : undefined;
  const number = word ?? (value === null ? NO_VALUE : formatNumber(value, unit, decimals));
  const shown = text ?? number;
  return (
    <span class={old ? "value old" : "value"} data-value={`${node.id}/${channel.name}`}>
      <span class="number">{shown}</span>
      {value !== null && label !== "" && <span class="unit">{label}</span>}
    </span>
  );
}

/** Quality and age in words; nothing when all is well. */
export function ValueNotes({ node, channel }: ValueProps): JSX.Element | null {
  const notes = valueNotes(node, channel, usePage().live.hubMs.value);
  if (notes.length === 0) return null;
  return (
    <span class="notes">
      {notes.map((note) => (
        <span key={note.text} class={`note tone-${note.tone}`}>
          {note.tone === "warning" && <Shape name="diamond" tone="warning" />}
          {note.text}
        </span>
      ))}
    </span>
  );
}

/** `160 – 200 °C`, `below 200 °C`, `above 190 V`; empty without limits. */
export function bandText(channel: ChannelView): string {
  const { low, high } = normalBand(channel);
  const { unit } = channel;
  if (low !== null && high !== null) {
    return `${formatNumber(low, unit, null)} – ${formatLimit(high, unit)}`;
  }
  if (high !== null) return `below ${formatLimit(high, unit)}`;
  return low === null ? "" : `above ${formatLimit(low, unit)}`;
}

/** The value on its range, with the normal band and the limits; nothing when it has no context. */
export function Bar(props: ValueProps & { extent: Extent | null }): JSX.Element | null {
  const { node, channel, extent } = props;
  const range = barRange(channel, extent);
  if (range === null) return null;
  const band = normalBand(channel);
  const at = (value: number): string => `${(100 * shareOf(range, value)).toFixed(2)}%`;
  const start = shareOf(range, band.low ?? range.low);
  const end = shareOf(range, band.high ?? range.high);
  const alarming = channel.alarms.some((alarm) => alarm.active);
  const old = isOld(node, channel, usePage().live.hubMs.value);
  const tone = alarming ? "tone-critical" : old ? "tone-off" : "tone-normal";
  return (
    <span class="scale" aria-hidden="true">
      <span
        class="band"
        style={{ left: `${100 * start}%`, width: `${(100 * (end - start)).toFixed(2)}%` }}
      />
      {channel.alarms.map((alarm) => (
        <span key={alarm.name} class="limit" style={{ left: at(alarm.limit) }} />
      ))}
      {channel.value !== null && (
        <span class={`pointer ${tone}`} style={{ left: at(channel.value) }} />
      )}
    </span>
  );
}
