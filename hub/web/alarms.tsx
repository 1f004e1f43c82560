// SPDX-License-Identifier: MIT
// Alarms: what, where, since when, limit, value now, way back, who has seen it.
//
// A flood collapses into one line with a count that opens; no standing alarm is ever left out.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { alarmEntries, type AlarmEntry, type OpenAlarm } from "./condition.ts";
import { formatLimit } from "./format.ts";
import { ALARM_FLOOD_SHOWN } from "./limits.ts";
import { For, Mark, When } from "./marks.tsx";
import { usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";
import { useStill } from "./rows.tsx";
import { ValueNotes, ValueNumber } from "./value.tsx";

export function AlarmList({ alarms }: { alarms: readonly OpenAlarm[] }): JSX.Element {
  const { items, ...hold } = useStill(alarmEntries(alarms), ({ key }) => key);
  return (
    <ul class="alarms" {...hold}>
      {items.map((entry) => (
        <Entry key={entry.key} entry={entry} />
      ))}
    </ul>
  );
}

function Entry({ entry }: { entry: AlarmEntry }): JSX.Element {
  return entry.flood === null ? <AlarmLine {...entry.alarm} /> : <Flood {...entry} />;
}

/** Many in one line, under the mark of the worst of them. */
function Flood(props: {
  node: OpenAlarm["node"] | null;
  flood: readonly OpenAlarm[];
}): JSX.Element {
  const { node, flood } = props;
  const { acknowledging } = usePage();
  const [open, setOpen] = useState(false);
  const [worst] = flood;
  if (worst === undefined) return <li />;
  const shown = flood.slice(0, ALARM_FLOOD_SHOWN);
  const asking = shown.filter(({ alarm }) => !alarm.acknowledged);
  const unseen = flood.filter(({ alarm }) => !alarm.acknowledged).length;
  const oldest = Math.min(...flood.map(({ alarm }) => alarm.sinceMs ?? Infinity));
  const machines = new Set(flood.map((each) => each.node.id)).size;
  const word = `${flood.length} alarms`;
  return (
    <li class="flood">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <Mark condition={{ ...worst.condition, word }} />
          <span>{node === null ? `of ${machines} machines` : node.id}</span>
          <span class="muted">
            {unseen} not acknowledged, the oldest for <For sinceMs={oldest} />
          </span>
        </summary>
        {open && (
          <ul>
            {asking.length > 1 && (
              <li>
                <button type="button" onClick={() => (acknowledging.value = asking)}>
                  Acknowledge these {asking.length}
                </button>
              </li>
            )}
            {shown.map((each) => (
              <AlarmLine
                key={`${each.node.id}/${each.channel.name}/${each.alarm.name}`}
                {...each}
              />
            ))}
            {flood.length > ALARM_FLOOD_SHOWN && (
              <li class="muted">
                and {flood.length - ALARM_FLOOD_SHOWN} more, each on its machine's view
              </li>
            )}
          </ul>
        )}
      </details>
    </li>
  );
}

function AlarmLine({ node, channel, alarm, condition }: OpenAlarm): JSX.Element {
  const { acknowledging } = usePage();
  const limit = formatLimit(alarm.limit, channel.unit);
  const [side, other] = alarm.above ? ["above", "below"] : ["below", "above"];
  const back = alarm.above ? -alarm.hysteresis : alarm.hysteresis;
  const normal = formatLimit(alarm.limit + back, channel.unit);
  const what = `${channel.name} ${alarm.name}`;
  return (
    <li class="alarm">
      <Mark condition={{ ...condition, word: what }} />
      <a href={routeHref("machines", [node.id])}>{node.id}</a>
      <span class="now">
        <ValueNumber node={node} channel={channel} />
        <ValueNotes node={node} channel={channel} />
      </span>
      <span class="muted">
        limit {side} {limit}, normal {other} {normal}
        {alarm.latch && ", latched until the machine resets it"}
      </span>
      <span class="muted since">
        <Since alarm={alarm} />
      </span>
      {!alarm.acknowledged && (
        <button
          type="button"
          aria-label={`Acknowledge ${node.id} ${what}`}
          onClick={() => (acknowledging.value = [{ node, channel, alarm, condition }])}
        >
          Acknowledge
        </button>
      )}
    </li>
  );
}

/** `3 min`, `4 ×, 3 min`, `acknowledged by Ann, 3 min`; a returned one has its time struck out. */
function Since({ alarm }: Pick<OpenAlarm, "alarm">): JSX.Element {
  const { sinceMs, returnedMs, raises, acknowledgedBy } = alarm;
  return (
    <>
      {raises > 1 && `${raises} ×, `}
      {acknowledgedBy !== null && `acknowledged by ${acknowledgedBy}, `}
      {sinceMs !== null &&
        (returnedMs === null ? <For sinceMs={sinceMs} /> : <Struck {...{ sinceMs }} />)}
      {returnedMs !== null && (
        <>
          {" "}
          returned <When wallMs={returnedMs} />
        </>
      )}
    </>
  );
}

function Struck({ sinceMs }: { sinceMs: number }): JSX.Element {
  return (
    <s>
      <For sinceMs={sinceMs} />
    </s>
  );
}
