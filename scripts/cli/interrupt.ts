// SPDX-License-Identifier: MIT
// Ctrl-C and the wish of a service manager, as a signal to wait for.
//
// The first signal asks for an orderly end, a second one ends at once with 130.

import { setTimeout as wait } from "node:timers/promises";
import { EXIT_INTERRUPTED } from "./failure.ts";

export interface Interruption {
  signal: AbortSignal; // its reason is the name of the system's signal
  /** Waits for `lengthMs` or the interruption; true when it was interrupted. */
  wait(lengthMs: number): Promise<boolean>;
}

const WAIT_MS_MAX = 2 ** 31 - 1; // a timer's maximum; Infinity means until interrupted

/** Watches SIGINT and SIGTERM from now on. */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
      controller.abort(name);
    });
  const { signal } = controller;
  return {
    signal,
    async wait(lengthMs) {
      const endMs = Date.now() + lengthMs;
      while (!signal.aborted && Date.now() < endMs) {
        const stepMs = Math.min(endMs - Date.now(), WAIT_MS_MAX);
        await wait(stepMs, undefined, { signal }).catch(() => undefined);
      }
      return signal.aborted;
    },
  };
}
