// SPDX-License-Identifier: MIT
// Goal: a tap that nobody configured ends with an inventory within a minute.
// Method: the whole road with a bare tap on a replayed line, of Modbus and of a meter; the hub is asked as the page asks it.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { SimulationOptions } from "../../host-sim/simulation.ts";
import { plantSchema, toPlantPlan } from "../../scripts/build/plant.ts";
import type { Hub } from "../../hub/hub.ts";
import { KIND_READING } from "../../firmware/wire/record.ts";
import { playLine, readCapture } from "../support/capture.ts";
import { parseNode } from "../support/link-host.ts";
import { buildLoop } from "../support/loop-host.ts";
import { calm } from "./plants.ts";
import { assertAccounted, traced } from "./runs.ts";

const METER = resolve(import.meta.dirname, "../vectors/meter-p1.jsonl");
const TRACE = resolve(import.meta.dirname, "../vectors/modbus-libmodbus-mbpoll.jsonl");

const place = { enterprise: "acme", site: "north", area: "bake", line: "one", cell: "a" };

/** A minute of a bare tap on this line; what the hub knows then. */
async function minute(trace: string, trouble: Partial<SimulationOptions> = {}): Promise<Hub> {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-unknown-"));
  try {
    mkdirSync(join(folder, "tapped"));
    const node = {
      type: "tapped",
      taps: { bus: { uart: 0, protocol: "auto" } },
      channels: {},
      simulate: { machine: "replay", tap: "bus", trace },
    };
    writeFileSync(join(folder, "tapped", "node.json"), JSON.stringify(node));
    const nodes = [{ id: "tapped-1", node: "tapped" }];
    const plan = await toPlantPlan({ folder, type: plantSchema.parse({ ...place, nodes }) });
    let hub: Hub | undefined;
    const watch = (one: Hub): void => void (hub = one);
    const { result } = traced(plan, { ...calm(60_000), ...trouble, watch });
    assertAccounted(result, "a bare tap");
    return hub!;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a bare tap on an unknown line: inventory, notices and a node.json in a minute", async () => {
  const hub = await minute(TRACE);
  const found = hub.inventory("tapped-1", "bus")!;
  assert.equal(found.line?.protocol, "modbus-rtu");
  assert.deepEqual(
    found.units.map(({ unit }) => unit),
    [17, 18],
  );
  assert.ok(found.registers.length > 30, `${found.registers.length} registers`);
  const proposed = parseNode(hub.proposal("tapped-1", "bus")!);
  assert.ok(Object.keys(proposed.channels).length > 0);
  const { events } = hub.snapshot(0);
  assert.ok(events.some(({ notice }) => notice?.word === "write" && notice.unit === 17));
});

test("a bare tap on a meter: a node.json in a minute, which reads that meter", async () => {
  const hub = await minute(METER);
  const { line, proposed } = hub.inventory("tapped-1", "bus")!;
  assert.deepEqual([line?.protocol, proposed], ["dsmr-p1", 6]);
  const node = parseNode(hub.proposal("tapped-1", "bus")!);
  const { flagged, timesUs } = readCapture(METER);
  const host = playLine(await buildLoop(node), flagged, timesUs);
  const power = Object.keys(node.channels).indexOf("power");
  const said = host.records.filter(
    ({ kind, channel }) => kind === KIND_READING && channel === power,
  );
  assert.deepEqual(
    said.slice(0, 2).map(({ value }) => value),
    [244, 1193],
  );
});

const notices = (hub: Hub): string[] =>
  hub
    .snapshot(0)
    .events.flatMap(({ notice }) => (notice ? [notice] : []))
    .map(({ word, unit, code, address, quantity, value, times }) =>
      [word, unit, code, address, quantity, value, times].join(" "),
    )
    .sort();

test("over a network that loses, doubles and disorders, each notice is there once", async () => {
  const told = notices(await minute(TRACE));
  assert.ok(told.length >= 2, told.join("; "));
  assert.equal(new Set(told).size, told.length, told.join("; "));
  for (const seed of [1, 2, 3]) {
    const trouble = { seed, loss: 0.3, duplicate: 0.2, reorder: 0.2 };
    assert.deepEqual(notices(await minute(TRACE, trouble)), told, `seed ${seed}`);
  }
});
