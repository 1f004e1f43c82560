// SPDX-License-Identifier: MIT
// A plant may put a press or a scale at the pins of any node type.
//
// Goal: the machines reach the modules through ADC and tap. Method: an oven's firmware before a press, a meter's before
// a scale, one minute: what the loops took against what the machines do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { plantSchema, toPlantPlan } from "../../scripts/build/plant.ts";
import { calm, NODES_FOLDER } from "./plants.ts";
import { assertAccounted, traced } from "./runs.ts";

const PLACE = { enterprise: "acme", site: "north", area: "works", line: "one", cell: "a" };

function plant(simulate: object): ReturnType<typeof toPlantPlan> {
  const type = plantSchema.parse({
    ...PLACE,
    nodes: [
      { id: "press-1", node: "oven", simulate: { machine: "press" } },
      { id: "scale-1", node: "meter", simulate },
    ],
  });
  return toPlantPlan({ folder: NODES_FOLDER, type });
}

test("a press draws its current and a scale talks where the plant puts them", async () => {
  const { result, lines } = traced(await plant({ machine: "scale", tap: "bus" }), calm(60_000));
  assertAccounted(result, "press and scale");
  const taken = lines
    .filter(({ e, n }) => e === "tap-take" && n === "scale-1")
    .reduce((sum, line) => sum + Number(line["taken"]), 0);
  assert.ok(Math.abs(taken - 60 * 5 * 14) < 100, `${taken} characters in a minute`);
  const readings = lines.filter(
    ({ e, n, record }) => e === "ring-put" && n === "press-1" && String(record).startsWith("0100"),
  );
  assert.ok(readings.length > 50, "the strokes are beyond the dead band");
});

test("a scale on a tap that is not there is refused with the taps that are", async () => {
  await assert.rejects(plant({ machine: "scale", tap: "rs232" }), /no tap "rs232" for its scale/);
});
