// SPDX-License-Identifier: MIT
// A source, heard through the node's decoder into an inventory.

import { createProgress, tellCompiling } from "../cli/progress.ts";
import { say } from "../cli/terminal.ts";
import { buildDecoder, createDecoder } from "./decoder.ts";
import type { TapEvent } from "./event.ts";
import { createInventory, noteCharacters, noteEvent, type Register } from "./inventory.ts";
import { openKnown, type Wanted } from "./known.ts";
import { showSeconds, type Batch } from "./line.ts";
import type { Heard } from "./report.ts";
import type { Source } from "./source.ts";

export interface Wish extends Wanted {
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
  { quiet = false, ...wanted }: Wish,
  signal: AbortSignal,
  hearers: Hearers = {},
): Promise<Heard> {
  const { source, protocol, end, why } = await openKnown(name, wanted, signal);
  const module = await tellCompiling((compiling) => buildDecoder(protocol, { signal, compiling }));
  const { line } = source;
  const decoder = createDecoder(module, line, { protocol, ...(end && { end }) });
  const inventory = createInventory();
  const heard: Heard = { source: name, line, protocol, end, inventory, counters: [] };
  hearers.opened?.(source, heard);
  if (why.length > 0) say(`${protocol}: ${why.join("; ")}`);
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
  const { characters, registers, readings, texts } = inventory;
  const found = [
    registers.size > 0 && `${registers.size} registers`,
    readings.size > 0 && `${readings.size} objects`,
    texts.size > 0 && `${texts.size} kinds of lines`,
  ].filter((each) => each !== false);
  return [`${showSeconds(nowUs)} s of the line, ${characters} octets`, ...found].join(", ");
}
