// SPDX-License-Identifier: MIT
// Ticks start on time whatever link, flash and line do.
//
// Goal: at 10 kHz and at 1 kHz, with the link saturated and sectors being erased, no tick starts later than 60 cycles
// of 125 MHz after its alarm, each cause is known, and none is missed. Method: late-rig.ts, 10^4 ticks; `npm run soak
// -- --ticks 1000000` is the same with more.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { program } from "../support/need.ts";
import { makeBusyNode } from "./busy-node.ts";
import { calmProblems, lateProblems, runBusyNode } from "./late-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule late "));
const TICKS = 10_000;
after(() => rmSync(folder, { recursive: true, force: true }));

for (const periodMs of [0.1, 1])
  test(`${TICKS} ticks of ${periodMs} ms start in time`, tools, async () => {
    const node = await makeBusyNode(join(folder, String(periodMs)), periodMs);
    const report = runBusyNode(node, TICKS, 1);
    assert.deepEqual([...lateProblems(report), ...calmProblems(report)], []);
    assert.ok(report.ticks >= TICKS);
  });
