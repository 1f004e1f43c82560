// SPDX-License-Identifier: MIT
// Goal: what lasts over a second shows how far it is, on a terminal and in a pipe.
//
// Method: a place with a clock of its own; every octet that is written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgress, type ProgressPlace, tellCompiling } from "../../scripts/cli/progress.ts";

const ERASE = "\r\u001b[K";

function place(terminal: boolean): ProgressPlace & { clock: number; said: string } {
  return {
    terminal,
    clock: 0,
    said: "",
    nowMs() {
      return this.clock;
    },
    write(text) {
      this.said += text;
    },
  };
}

test("a pipe gets a line for each tenth after the first second", () => {
  const pipe = place(false);
  const progress = createProgress(pipe);
  for (let done = 0; done <= 200; done++) {
    pipe.clock = done * 50; // two tenths are through when the first second is over
    progress.show(`${done} of 200`, done / 200);
  }
  progress.show("draining", 1.2);
  progress.end();
  const tenths = [20, 40, 60, 80, 100, 120, 140, 160, 180, 200].map(
    (done) => `${done / 2} %, ${done} of 200\n`,
  );
  assert.equal(pipe.said, tenths.join(""));
});

test("a pipe is told every ten seconds where nobody knows the length", () => {
  const pipe = place(false);
  const progress = createProgress(pipe);
  for (pipe.clock = 0; pipe.clock <= 25_000; pipe.clock += 100) progress.show(`${pipe.clock} ms`);
  progress.end();
  assert.equal(pipe.said, "1000 ms\n11000 ms\n21000 ms\n");
});

test("a terminal has one line that is overwritten five times a second and taken away", () => {
  const terminal = place(true);
  const progress = createProgress(terminal);
  for (const atMs of [0, 999, 1000, 1100, 1199, 1200, 1450]) {
    terminal.clock = atMs;
    progress.show(`at ${atMs}`, atMs / 2000);
  }
  progress.end();
  const lines = ["50 %, at 1000", "60 %, at 1200", "72 %, at 1450", ""];
  assert.equal(terminal.said, lines.map((line) => ERASE + line).join(""));
});

test("what is done within a second is silent", () => {
  for (const terminal of [true, false]) {
    const quick = place(terminal);
    const progress = createProgress(quick);
    quick.clock = 999;
    progress.show("all", 1);
    progress.end();
    assert.equal(quick.said, "");
  }
});

test("compiling tells each module, and the time when all took over a second", async () => {
  for (const [tookMs, last] of [
    [1000, ""],
    [1260, "compiled in 1.3 s\n"],
  ] as const) {
    const pipe = place(false);
    const built = await tellCompiling(async (compiling) => {
      pipe.clock += 5000; // what comes from the cache is not compiled
      compiling("loop of a");
      compiling("link of a");
      pipe.clock += tookMs;
      return Promise.resolve("modules");
    }, pipe);
    assert.equal(built, "modules");
    assert.equal(pipe.said, `compiling loop of a\ncompiling link of a\n${last}`);
  }
  const pipe = place(false);
  await tellCompiling(async () => Promise.resolve((pipe.clock += 5000)), pipe);
  assert.equal(pipe.said, "", "all of it was in the cache");
});
