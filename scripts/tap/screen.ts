// SPDX-License-Identifier: MIT
// A live table at a terminal.
//
// Written over in place a few times a second, and left standing at the end.

import { textOf } from "./event.ts";
import { showScreen } from "./live.ts";
import { TAP_EVENT_TEXT } from "../../firmware/wire/tap.ts";
import type { RegisterMap } from "./map.ts";
import type { Heard } from "./report.ts";
import type { Hearers } from "./session.ts";

const PERIOD_MS = 250;
const LINES_KEPT = 200; // of text: more than a terminal has rows
const SIZE_DEFAULT = { rows: 24, columns: 80 };

/** Hearers that keep the screen. */
export function createScreen(map: RegisterMap): Hearers {
  let heard: Heard;
  let live = true;
  let shownMs = -Infinity;
  let height = 0;
  let lastUs = 0;
  const said: string[] = [];

  function draw(nowUs: number): void {
    const { rows, columns } = { ...SIZE_DEFAULT, ...sizeOf(process.stdout) };
    const text = showScreen(heard, map, said, nowUs, { rows, columns });
    const up = height === 0 ? "" : `\u001b[${height}A`;
    process.stdout.write(`${up}\u001b[J${text}\n`);
    height = text.split("\n").length;
  }

  return {
    opened(source, it) {
      heard = it;
      live = source.live;
    },
    event(event) {
      if (event.kind !== TAP_EVENT_TEXT || event.name !== "") return;
      said.push(textOf(event));
      if (said.length > LINES_KEPT) said.shift();
    },
    batch({ nowUs }) {
      lastUs = nowUs;
      if (!live || performance.now() < shownMs + PERIOD_MS) return;
      shownMs = performance.now();
      draw(nowUs);
    },
    ended: () => draw(lastUs),
  };
}

function sizeOf({ rows, columns }: NodeJS.WriteStream): { rows?: number; columns?: number } {
  return { ...(rows > 0 && { rows }), ...(columns > 0 && { columns }) };
}
