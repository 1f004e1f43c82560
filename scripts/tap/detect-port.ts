// SPDX-License-Identifier: MIT
// The node that finds its line, at a port of this machine.
//
// It asks for one rate and format after another; the port is opened anew for each. What was heard before that is dropped.
// Ends when the protocol is known, all was tried, or with the signal.

import { setTimeout as wait } from "node:timers/promises";
import { createProgress } from "../cli/progress.ts";
import { hearPort } from "./port.ts";
import { FORMATS, type Character, type Line } from "./line.ts";
import { createProbe, TICK_US, type LineFinding } from "./probe.ts";

const TICK_MS = TICK_US / 1000;

/** What the node told, until it knew the protocol. */
export async function detectPort(
  module: WebAssembly.Module,
  path: string,
  signal: AbortSignal,
): Promise<LineFinding[]> {
  const progress = createProgress();
  const startMs = performance.now();
  const nowUs = (): number => Math.floor((performance.now() - startMs) * 1000);
  let waiting: Character[] = [];
  let ear = openEar(path, undefined, () => undefined);
  const probe = createProbe(module, {
    unitPs: 0,
    edges: () => [],
    characters(capacity) {
      const taken = waiting.slice(0, capacity);
      waiting = waiting.slice(capacity);
      return taken;
    },
    open(baud, format, inverted) {
      const known = FORMATS.find((each) => each === format);
      const line =
        baud === 0 || inverted || known === undefined ? undefined : { baud, format: known };
      waiting = [];
      const before = ear;
      ear = openEar(path, line, (characters) => waiting.push(...characters), before.closed, nowUs);
      before.close();
      if (line) progress.show(`tries ${baud} ${format}: a port tells octets, not edges`);
      return baud === 0 || line !== undefined;
    },
  });
  const told: LineFinding[] = [];
  while (!signal.aborted && told.at(-1)?.phase !== "protocol" && !ear.failed()) {
    told.push(...probe.tick(nowUs()));
    await wait(TICK_MS);
  }
  ear.close();
  await ear.closed;
  progress.end();
  const failure = ear.failed();
  if (failure !== undefined) throw failure;
  return told;
}

interface Ear {
  closed: Promise<void>;
  close(): void;
  failed(): unknown;
}

function openEar(
  path: string,
  line: Line | undefined,
  heard: (characters: readonly Character[]) => void,
  after: Promise<void> = Promise.resolve(),
  nowUs: () => number = () => 0,
): Ear {
  const closing = new AbortController();
  let failure: unknown;
  async function run(): Promise<void> {
    await after;
    if (line === undefined || closing.signal.aborted) return;
    let offsetUs: number | undefined;
    for await (const batch of hearPort(path, line, closing.signal)) {
      offsetUs ??= nowUs() - batch.nowUs;
      heard(batch.characters.map((each) => ({ ...each, atUs: each.atUs + offsetUs! })));
    }
  }
  return {
    closed: run().catch((error: unknown) => {
      failure = error;
    }),
    close: () => closing.abort(),
    failed: () => failure,
  };
}
