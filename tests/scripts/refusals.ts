// SPDX-License-Identifier: MIT
// How a command refuses, word for word.

import assert from "node:assert/strict";
import type { Finished } from "../support/ferrule.ts";

/** What stderr holds of a refusal. */
export function refusal(message: string, next: string): string {
  return `ferrule: ${message}\n  next: ${next}\n`;
}

/** Lines of stderr that depend on what other tests have built, and on how fast the machine is. */
const TIMELY = new RegExp(
  `^(${[
    "compiling (loop|link) of .*",
    "compiled in [\\d.]+ s",
    "\\d+ %, \\d+ of \\d+ s simulated",
    "\\d+ ticks were given up: .*",
    "waiting for what is still under way",
  ].join("|")})\n`,
  "gm",
);

/** stderr without what compiling and progress say. */
export function spoken(stderr: string): string {
  return stderr.replace(TIMELY, "");
}

/** Asserts that a run said this and nothing else, on either stream. */
export function assertRefused(run: Finished, code: number, message: string, next: string): void {
  assert.equal(spoken(run.stderr), refusal(message, next));
  assert.deepEqual([run.code, run.stdout], [code, ""]);
}
