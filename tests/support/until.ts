// SPDX-License-Identifier: MIT
// Waits for a condition, as long as a slow machine that is busy needs.
//
// Never sleep for a fixed time and then look: what is right after 200 ms on a desk takes 10 s elsewhere. Where a test
// shows that nothing happens, it waits for something that comes after it.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

/** How long a condition is waited for, in ms: only a failing test takes as long. */
export const PATIENCE_MS = 90_000;

const LOOK_MS = 20;

/** Looks until it holds; else fails with what was waited for, which may be told at that moment. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await holds())) {
    const isOver = performance.now() > endMs;
    assert.ok(!isOver, `waited in vain for ${typeof what === "string" ? what : what()}`);
    await wait(LOOK_MS);
  }
}
