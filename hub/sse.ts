// SPDX-License-Identifier: MIT
// Open pages and what each was told: server-sent events over the ring of changes.
//
// A page holds a place in the ring, not a queue: what it does not take stays there for all. When its
// place is gone it gets `event: reset` and goes on from now.
// (S1) at most STREAMS_MAX pages; of each at most STREAM_BYTES_MAX octets and one batch are unsent.
// (S2) a page that takes nothing for STREAM_STALLED_MS is cut off.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hub } from "./hub.ts";
import { STREAM_BYTES_MAX, STREAM_COMMENT_MS, STREAM_STALLED_MS, STREAMS_MAX } from "./limits.ts";

interface Stream {
  response: ServerResponse;
  toldId: number;
  writtenMs: number; // when something was written last
}

export interface Streams {
  open(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void;
  flush(): void;
  close(): void;
}

export function createStreams(hub: Hub, wallMs: () => number): Streams {
  const streams = new Set<Stream>();

  function flushAll(): void {
    const newestId = hub.changeId();
    const batches = new Map<number, string>(); // most pages stand at the same place
    for (const stream of streams) flushOne(hub, stream, newestId, batches, wallMs());
  }

  return {
    open: (request, response, query) => {
      const since = sinceOf(request, query) ?? hub.changeId();
      if (streams.size >= STREAMS_MAX) {
        response.writeHead(503, { "Content-Type": "application/json", "Retry-After": "10" });
        response.end(
          JSON.stringify({ error: `${STREAMS_MAX} pages are open, no more are served` }),
        );
        return;
      }
      response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
      if (request.method === "HEAD") {
        response.end();
        return;
      }
      response.write("retry: 2000\n\n");
      const stream = { response, toldId: since, writtenMs: wallMs() };
      streams.add(stream);
      response.once("close", () => streams.delete(stream));
      flushOne(hub, stream, hub.changeId(), new Map(), wallMs());
    },
    flush: () => {
      if (streams.size > 0) flushAll();
    },
    close: () => {
      for (const { response } of streams) response.end();
      streams.clear();
    },
  };
}

/** Where a page wants to go on; -1, which no ring holds, when it says something odd; null: from now. */
function sinceOf(request: IncomingMessage, query: URLSearchParams): number | null {
  const header = request.headers["last-event-id"];
  const text = typeof header === "string" && header !== "" ? header : query.get("since");
  if (text === null) return null;
  return /^[0-9]{1,16}$/.test(text) ? Number(text) : -1;
}

function flushOne(
  hub: Hub,
  stream: Stream,
  newestId: number,
  batches: Map<number, string>,
  nowMs: number,
): void {
  const { response } = stream;
  if (response.writableLength > STREAM_BYTES_MAX) {
    if (nowMs - stream.writtenMs > STREAM_STALLED_MS) response.destroy();
    return;
  }
  if (stream.toldId === newestId) {
    if (nowMs - stream.writtenMs < STREAM_COMMENT_MS) return;
    response.write(":\n\n");
  } else {
    response.write(batchOf(hub, stream.toldId, newestId, batches));
    stream.toldId = newestId;
  }
  stream.writtenMs = nowMs;
}

function batchOf(hub: Hub, toldId: number, newestId: number, batches: Map<number, string>): string {
  const known = batches.get(toldId);
  if (known !== undefined) return known;
  const text = hub.holdsChangesSince(toldId)
    ? hub
        .changesSince(toldId)
        .map((change) => `id: ${change.id}\ndata: ${JSON.stringify(change)}\n\n`)
        .join("")
    : `event: reset\nid: ${newestId}\ndata: {}\n\n`;
  batches.set(toldId, text);
  return text;
}
