// SPDX-License-Identifier: MIT
// Goal: what meters say on their lines arrives in the unified namespace.
// Method: the whole road with both templates of meters; every value against what they replay.

import assert from "node:assert/strict";
import { test } from "node:test";
import { buildPlant, calm } from "./plants.ts";
import { assertAccounted, messages, traced } from "./runs.ts";

const ELECTRIC = "grid-1";
const HEAT = "heat-1";

// As the telegrams of tests/vectors have them, in the unit of the channel.
const SAID: Record<string, number[]> = {
  "grid-1/power": [244, 1193, 871, 0],
  "grid-1/power-back": [0, 412],
  "grid-1/energy": [4426, 4427, 4428].map((wattHours) => wattHours * 3600),
  "grid-1/voltage": [230.1, 229.8, 230, 231.4],
  "grid-1/gas": [107.248],
  "heat-1/energy": [15_204, 15_205].map((kilowattHours) => kilowattHours * 3.6e6),
  "heat-1/volume": [3114.218, 3114.231, 3114.244],
  "heat-1/power": [12_431, 12_806, 12_550],
  "heat-1/flow": [74.2, 74.3, 74.1],
  "heat-1/return": [71.3, 71.2],
};

test("numbers of an electricity and of a heat meter arrive in the namespace, exact", async () => {
  const plan = await buildPlant({
    [ELECTRIC]: "../../templates/p1-meter",
    [HEAT]: "../../templates/heat-meter",
  });
  const { result, lines } = traced(plan, calm(60_000));
  assertAccounted(result, "two meters");
  for (const [channel, wanted] of Object.entries(SAID)) {
    const values = messages(lines, `_raw/${channel}`).map(
      ({ payload }) => (JSON.parse(payload.toString()) as { value: number }).value,
    );
    const seen = new Set(values);
    for (const value of seen) assert.ok(wanted.includes(value), `${channel}: ${value}`);
    // Two volts may be within the dead band of each other.
    const least = channel === "grid-1/voltage" ? 2 : wanted.length;
    assert.ok(seen.size >= least, `${channel}: ${[...seen].join(", ")}`);
    const meta = messages(lines, `_raw/${channel}/_meta`)
      .map(({ payload }) => JSON.parse(payload.toString()) as { kind: string; quality: string })
      .at(-1);
    assert.deepEqual([meta?.kind, meta?.quality], ["object", "good"], channel);
  }
});
