// SPDX-License-Identifier: MIT
// A source, heard through the node's decoder into an inventory.

import { createProgress, tellCompiling } from "../cli/progress.ts";
import type { Protocol } from "./decoder-entry.ts";
import { buildDecoder, createDecoder } from "./decoder.ts";
import type { TapEvent } from "./event.ts";
import { createInventory, noteCharacters, noteEvent, type Register } from "./inventory.ts";
import { showSeconds, type Batch, type Line } from "./line.ts";
import type { Heard } from "./report.ts";
import { openSource, type Source } from "./source.ts";

export interface Wish extends Partial<Line> {
  protocol: Protocol;
  quiet?: boolean; // no progress: something else is shown
}

/** What a command wants to know while it runs. */
export interface Hearers {
  opened?: (source: Source, heard: Heard) => void;
  event?: (event: TapEvent, changed: Register[]) => void;
  batch?: (batch: Batch) => void; // after its events
  ended?: () => void; // after all of them
}

/** Hears a source to its end, or until the signal. */
export async function hear(
  name: string,
  { protocol, quiet = false, ...wish }: Wish,
  signal: AbortSignal,
  hearers: Hearers = {},
): Promise<Heard> {
  const module = await tellCompiling((compiling) => buildDecoder(protocol, { signal, compiling }));
  const source = await openSource(name, wish, signal);
  const { line } = source;
  const decoder = createDecoder(module, line);
  const inventory = createInventory();
  const heard: Heard = { source: name, line, protocol, inventory, counters: [] };
  hearers.opened?.(source, heard);
  const progress = createProgress();
  const note = (event: TapEvent): void => {
    const changed = noteEvent(inventory, event);
    hearers.event?.(event, changed);
  };
  for await (const batch of source.batches) {
    noteCharacters(inventory, batch.characters);
    decoder.put(batch, note);
    heard.counters = decoder.counters();
    hearers.batch?.(batch);
    if (!quiet) progress.show(showProgress(heard, batch));
  }
  decoder.end(note);
  heard.counters = decoder.counters();
  progress.end();
  hearers.ended?.();
  return heard;
}

function showProgress({ inventory }: Heard, { nowUs }: Batch): string {
  const { characters, registers } = inventory;
  return `${showSeconds(nowUs)} s of the line, ${characters} octets, ${registers.size} registers`;
}
