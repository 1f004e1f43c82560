// SPDX-License-Identifier: MIT
// Waits for what a page is about to do, however slow the machine is.
//
// The page draws in frames, and what follows a drawing (titles, focus, keys) runs after the next frame. Readings come
// all the time, so nothing here waits for silence.

import type { Locator, Page } from "playwright-core";
import { until } from "../support/until.ts";

/** The page runs what follows a drawing this long after it at the latest, in its own order of timers. */
const AFTER_DRAWING_MS = 200;

/** Until what was under way is drawn, and what follows a drawing has run. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    (afterMs) =>
      new Promise((resolve) => {
        requestAnimationFrame(() =>
          requestAnimationFrame(() => setTimeout(() => resolve(null), afterMs)),
        );
      }),
    AFTER_DRAWING_MS,
  );
}

/** Until the text of an element matches. */
export async function showsText(place: Locator, pattern: RegExp): Promise<void> {
  let text = "";
  await until(
    () => `${pattern} in "${text}"`,
    async () => {
      text = (await place.textContent()) ?? "";
      return pattern.test(text);
    },
  );
}

/** Until so many elements are there. */
export async function showsCount(
  places: Locator,
  wanted: (count: number) => boolean,
): Promise<void> {
  let count = 0;
  await until(
    () => `another count than ${count}`,
    async () => wanted((count = await places.count())),
  );
}
