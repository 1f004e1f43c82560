// SPDX-License-Identifier: MIT
// Which stretch of time the charts show: choices, zoom, earlier and later, CSV.
//
// Choices are links, so that each has its address. What has nothing to do is disabled.

import type { JSX } from "preact";
import { exportView } from "./export.ts";
import type { Past } from "./history-load.ts";
import {
  RANGES,
  rangeQuery,
  shifted,
  type ShownRange,
  zoomedIn,
  zoomedOut,
} from "./history-range.ts";
import { RANGE_MS_MIN } from "./limits.ts";
import { usePage } from "./page-context.ts";
import { routeHref } from "./route.ts";

export function RangeBar(props: { node: string; range: ShownRange; past: Past }): JSX.Element {
  const { node, range, past } = props;
  const page = usePage();
  const { channel = "" } = page.route.value.query;
  const nowMs = page.live.hubMs.value;
  const key = range.kind === "live" ? "" : range.kind === "moving" ? range.key : null;
  const href = (query: Record<string, string>): string =>
    routeHref("machines", [node], { channel, ...query });
  const go = (wanted: ShownRange) => (): void => void (location.hash = href(rangeQuery(wanted)));
  const isNow = range.kind !== "fixed" || range.span.toMs >= nowMs;
  const isShort = range.kind === "fixed" && range.span.toMs - range.span.fromMs <= RANGE_MS_MIN;
  return (
    <div class="range-bar" role="group" aria-label="Time shown">
      <div class="choices">
        {RANGES.map((choice) => (
          <a
            key={choice.key}
            href={href({ range: choice.key })}
            aria-current={choice.key === key ? "true" : undefined}
          >
            {choice.label}
          </a>
        ))}
      </div>
      <div class="row steps">
        <button type="button" onClick={go(shifted(range, -1, nowMs))}>
          Earlier
        </button>
        <button type="button" disabled={isNow} onClick={go(shifted(range, 1, nowMs))}>
          Later
        </button>
        <button type="button" disabled={isShort} onClick={go(zoomedIn(range, nowMs))}>
          Zoom in
        </button>
        <button type="button" onClick={go(zoomedOut(range, nowMs))}>
          Zoom out
        </button>
      </div>
      <button type="button" onClick={() => exportView(page)}>
        Export CSV
      </button>
      {channel !== "" && (
        <a href={routeHref("machines", [node], rangeQuery(range))}>All channels</a>
      )}
      <span class="muted small" role="status">
        {range.kind !== "live" && past.state === "loading" && "Loading\u2026"}
      </span>
      {range.kind !== "live" && past.state === "failed" && (
        <span class="problem" role="alert">
          The hub did not give all of this stretch.{" "}
          <button type="button" onClick={past.again}>
            Ask again
          </button>
        </span>
      )}
    </div>
  );
}
