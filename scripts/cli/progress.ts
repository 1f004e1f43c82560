// SPDX-License-Identifier: MIT
// How far a long work is, on stderr.
//
// The first second stays silent. A terminal has one line that is overwritten and taken away at the end; a pipe
// gets a line for each tenth where the length is known, else one each PIPE_PERIOD_MS.

const SILENT_MS = 1000; // what is done by then needs no word
const TERMINAL_PERIOD_MS = 200;
const PIPE_PERIOD_MS = 10_000; // a log file wants few lines
const ERASE_LINE = "\r\u001b[K";

export interface ProgressPlace {
  terminal: boolean;
  write(text: string): void;
  nowMs(): number;
}

export interface Progress {
  /** `share` of the whole, 0 to 1; absent: nobody knows how long it is. */
  show(text: string, share?: number): void;
  end(): void;
}

/** Begins now. */
export function createProgress(place: ProgressPlace = stderrPlace()): Progress {
  let nextMs = place.nowMs() + SILENT_MS;
  let tenths = 0; // told in a pipe
  let shown = false;
  return {
    show(text, share) {
      if (place.nowMs() < nextMs) return;
      const line = share === undefined ? text : `${percentOf(share)} %, ${text}`;
      if (place.terminal) {
        nextMs = place.nowMs() + TERMINAL_PERIOD_MS;
        place.write(ERASE_LINE + line);
        shown = true;
      } else if (share === undefined) {
        nextMs = place.nowMs() + PIPE_PERIOD_MS;
        place.write(`${line}\n`);
      } else if (Math.floor(percentOf(share) / 10) > tenths) {
        tenths = Math.floor(percentOf(share) / 10);
        place.write(`${line}\n`);
      }
    },
    end() {
      if (shown) place.write(ERASE_LINE);
    },
  };
}

/** Tells each thing that `work` compiles, and how long all took when that was over a second. */
export async function tellCompiling<T>(
  work: (compiling: (what: string) => void) => Promise<T>,
  place: ProgressPlace = stderrPlace(),
): Promise<T> {
  let startMs: number | undefined;
  const result = await work((what) => {
    startMs ??= place.nowMs();
    place.write(`compiling ${what}\n`);
  });
  const tookMs = startMs === undefined ? 0 : place.nowMs() - startMs;
  if (tookMs > SILENT_MS) place.write(`compiled in ${(tookMs / 1000).toFixed(1)} s\n`);
  return result;
}

function percentOf(share: number): number {
  return Math.floor(Math.min(1, share) * 100);
}

function stderrPlace(): ProgressPlace {
  return {
    terminal: process.stderr.isTTY === true,
    write: (text) => void process.stderr.write(text),
    nowMs: () => Date.now(),
  };
}
