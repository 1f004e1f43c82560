// SPDX-License-Identifier: MIT
// Adapter: asks the hub for a stretch of the past of several channels.
//
// A moving range is asked for again as it moves, not while the page is paused. What was there stays on screen
// until the answer comes. A failed answer is said, and asked for again with the next one or by hand.

import { useEffect, useState } from "preact/hooks";
import type { HistoryAnswer } from "../api.ts";
import { type ShownRange, type Span, spanOf } from "./history-range.ts";
import { EMPTY_TRACE, pastTrace, type Trace } from "./history-trace.ts";
import { PAST_AGAIN_MS_MAX, PAST_AGAIN_MS_MIN, PAST_POINTS } from "./limits.ts";
import { usePage } from "./page-context.ts";

/** The past on screen. */
export interface Past {
  state: "loading" | "there" | "failed";
  traces: ReadonlyMap<string, Trace>; // by channel
  again: () => void;
}

interface Loaded {
  key: string; // of the range and channels that were asked for
  isWhole: boolean;
  traces: Map<string, Trace>;
}

const ANSWER_MS = 15_000; // a week of a busy channel takes a slow disk a while

/** Nothing is asked for while the range is live. */
export function usePast(node: string, channels: readonly string[], range: ShownRange): Past {
  const { live } = usePage();
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [asked, setAsked] = useState(0);
  const connected = live.connection.value;
  const hubMs = live.hubMs.value;
  const turn = range.kind === "moving" ? Math.floor(hubMs / againMs(range.lengthMs)) : 0;
  const key = JSON.stringify([node, channels, range]);
  const since = connected.state === "live" ? connected.sinceMs : 0;
  useEffect(() => {
    if (range.kind === "live" || since === 0) return undefined;
    let wanted = true;
    const span = spanOf(range, hubMs);
    void Promise.all(channels.map((name) => askPast(node, name, span))).then((answers) => {
      if (!wanted) return;
      const traces = new Map(channels.map((name, index) => [name, answers[index] ?? EMPTY_TRACE]));
      setLoaded({ key, isWhole: !answers.includes(null), traces });
    });
    return () => {
      wanted = false;
    };
  }, [key, turn, since, asked]);
  const isThere = loaded?.key === key;
  return {
    state: !isThere ? "loading" : loaded.isWhole ? "there" : "failed",
    traces: loaded?.traces ?? new Map<string, Trace>(),
    again: () => setAsked((count) => count + 1),
  };
}

function againMs(lengthMs: number): number {
  return Math.min(PAST_AGAIN_MS_MAX, Math.max(PAST_AGAIN_MS_MIN, lengthMs / 360));
}

/** Null on any failure. */
async function askPast(
  node: string,
  channel: string,
  { fromMs, toMs }: Span,
): Promise<Trace | null> {
  const query = new URLSearchParams({
    node,
    channel,
    since: String(Math.floor(fromMs)),
    until: String(Math.ceil(toMs)),
    points: String(PAST_POINTS),
  });
  try {
    const response = await fetch(`/api/history?${query.toString()}`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return response.ok ? pastTrace((await response.json()) as HistoryAnswer) : null;
  } catch {
    return null;
  }
}
