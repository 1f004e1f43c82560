// SPDX-License-Identifier: MIT
// Standing alarms: what, where, since when, limit, value now, way back.

import type { JSX } from "preact";
import type { ActiveAlarm } from "./condition.ts";
import { formatLimit } from "./format.ts";
import { For, Shape } from "./marks.tsx";
import { routeHref } from "./route.ts";
import { ValueNotes, ValueNumber } from "./value.tsx";

/** Lines shown; a flood beyond is a count. */
const ALARMS_SHOWN = 12;

export function AlarmList({ alarms }: { alarms: readonly ActiveAlarm[] }): JSX.Element {
  const hidden = Math.max(0, alarms.length - ALARMS_SHOWN);
  return (
    <ul class="alarms">
      {alarms.slice(0, ALARMS_SHOWN).map((each) => (
        <AlarmLine key={`${each.node.id}/${each.channel.name}/${each.alarm.name}`} {...each} />
      ))}
      {hidden > 0 && <li class="muted">and {hidden} more</li>}
    </ul>
  );
}

function AlarmLine({ node, channel, alarm }: ActiveAlarm): JSX.Element {
  const limit = formatLimit(alarm.limit, channel.unit);
  const side = alarm.above ? -alarm.hysteresis : alarm.hysteresis;
  const normal = formatLimit(alarm.limit + side, channel.unit);
  return (
    <li class="alarm">
      <span class="mark tone-critical">
        <Shape name="triangle" tone="critical" />
        <span class="word">
          {channel.name} {alarm.name}
        </span>
      </span>
      <a href={routeHref("machines", [node.id])}>{node.id}</a>
      <span class="now">
        <ValueNumber node={node} channel={channel} />
        <ValueNotes node={node} channel={channel} />
      </span>
      <span class="muted">
        limit {alarm.above ? "above" : "below"} {limit}, normal again{" "}
        {alarm.above ? "below" : "above"} {normal}
      </span>
      <span class="muted since">{alarm.sinceMs !== null && <For sinceMs={alarm.sinceMs} />}</span>
    </li>
  );
}
