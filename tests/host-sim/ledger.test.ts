// SPDX-License-Identifier: MIT
// A power cut is accounted for, however many readings wait.
//
// Goal: more than a thousand readings in the outbox are lost with the RAM and each is counted. Method: a node type
// with 2,048 slots that samples fast behind a network that delivers nothing, and a cut while they wait.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runSimulation } from "../../host-sim/simulation.ts";
import { buildPlant, calm } from "../scenarios/plants.ts";
import { assertAccounted } from "../scenarios/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-"));
after(() => rmSync(folder, { recursive: true }));

const NODE = {
  type: "fast",
  periodMs: 10,
  transport: { outboxSlots: 2048 },
  channels: {
    level: {
      ...{ kind: "analog", input: 0, everyMs: 10, decimals: 0, deadband: 0, heartbeatMs: 10 },
      scale: { raw: [0, 4095], value: [0, 4095] },
    },
  },
  simulate: { machine: "oven" },
};

test("1,024 readings and more that wait at a power cut are lost and counted", async () => {
  writeFileSync(join(folder, "node.json"), JSON.stringify(NODE));
  const plan = await buildPlant({ "fast-1": folder });
  const faults = [
    { atMs: 0, forMs: 30_000, fault: "partition" as const },
    { atMs: 20_000, forMs: 1000, fault: "power-cut" as const, node: "fast-1" },
  ];
  const result = runSimulation({ ...plan, faults }, calm(40_000));
  assertAccounted(result, "fast");
  assert.ok(result.lost > 1800, `${result.lost} lost`);
});
