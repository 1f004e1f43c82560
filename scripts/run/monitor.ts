// SPDX-License-Identifier: MIT
// Follows what a running plant says, by the stream of its hub.
//
// A side that goes away is said once and tried again after RETRY_MS_MIN, doubled up to RETRY_MS_MAX; nothing
// is kept meanwhile. The first connection must work: else the address is wrong, or nothing runs there.

import { setTimeout as wait } from "node:timers/promises";
import type { Change, Snapshot } from "../../hub/api.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { say } from "../cli/terminal.ts";
import type { Said } from "./said.ts";

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 10_000;
const CONNECT_MS_MAX = 5000;
const SILENT_MS_MAX = 40_000; // the hub says something at least each 15 s
const LINE_LENGTH_MAX = 1 << 20; // of the stream; a node with 250 channels is a tenth of it

/** Follows the hub whose page is at `url` until the signal; throws a Failure when it never answered. */
export async function followHub(
  url: string,
  heard: (said: Said) => void,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = RETRY_MS_MIN;
  let everThere = false;
  while (!signal.aborted) {
    try {
      await followOnce(url, heard, signal, () => {
        if (everThere) say(`${url} is there again`);
        everThere = true;
        retryMs = RETRY_MS_MIN;
      });
      throw new Error("the connection ended");
    } catch (error) {
      if (signal.aborted) return;
      if (!everThere) throw notThere(url, error);
      if (retryMs === RETRY_MS_MIN) say(`${url} went away (${reasonOf(error)}); trying again`);
    }
    await wait(retryMs, undefined, { signal }).catch(() => undefined);
    retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
  }
}

function notThere(url: string, error: unknown): Failure {
  return new Failure(
    EXIT_FAILED,
    `no hub answers at ${url} (${reasonOf(error)})`,
    "start ferrule up, or give the address of its page, as ferrule monitor http://127.0.0.1:8081",
    error,
  );
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}

async function followOnce(
  url: string,
  heard: (said: Said) => void,
  signal: AbortSignal,
  there: () => void,
): Promise<void> {
  const first = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS_MAX)]);
  const answer = await fetch(`${url}/api/snapshot`, { signal: first });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const snapshot = (await answer.json()) as Snapshot;
  const units = new Map<string, string | null>();
  const learn = (node: Snapshot["nodes"][number]): void => {
    for (const { name, unit } of node.channels) units.set(`${node.id}/${name}`, unit);
  };
  snapshot.nodes.forEach(learn);
  there();
  for await (const change of streamChanges(`${url}/api/stream?since=${snapshot.changeId}`, signal))
    if (change.kind === "node") learn(change.node);
    else heard(toSaid(change, units));
}

function toSaid(
  change: Exclude<Change, { kind: "node" }>,
  units: ReadonlyMap<string, string | null>,
): Said {
  if (change.kind === "reading") {
    const { node, channel, wallMs, value, quality, cause } = change;
    const unit = units.get(`${node}/${channel}`) ?? null;
    return {
      atMs: wallMs,
      node,
      kind: "reading",
      channel,
      value,
      unit,
      quality,
      cause,
      text: null,
    };
  }
  const { wallMs, node, channel, value, text } = change.event;
  const nothing = { unit: null, quality: null, cause: null };
  return { atMs: wallMs, node, kind: "event", channel, value, ...nothing, text };
}

// Server-sent events: lines of `data:` hold a change each; a reset means that some were missed.
async function* streamChanges(url: string, signal: AbortSignal): AsyncGenerator<Change> {
  const silence = new AbortController();
  const end = (): void => silence.abort(new Error("it fell silent"));
  let timer = setTimeout(end, SILENT_MS_MAX);
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, silence.signal]) });
    if (!answer.ok || answer.body === null) throw new Error(`status ${answer.status}`);
    let rest = "";
    let reset = false;
    const decoder = new TextDecoder();
    for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(end, SILENT_MS_MAX);
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_LENGTH_MAX) throw new Error("a line without an end");
      for (const line of lines) {
        if (line === "event: reset") reset = true;
        if (!line.startsWith("data: ")) continue;
        if (reset) say("some were missed: the hub was faster than this terminal");
        else yield JSON.parse(line.slice("data: ".length)) as Change;
        reset = false;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
