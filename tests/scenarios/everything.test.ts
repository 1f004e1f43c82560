// SPDX-License-Identifier: MIT
// All faults at once for ten minutes: the sums match reading by reading.
//
// Goal: host-sim/scenarios/everything.json is the same twice, byte for byte, and each QoS 1 reading that reached an
// outbox is in the hub once, counted as dropped, or listed as lost. Method: the trace, its packs read by cbor-x.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { Decoder } from "cbor-x";
import { runScenario, type ScenarioResult } from "../../host-sim/scenario.ts";
import { toPlantPlan } from "../../scripts/build/plant.ts";
import { readScenario } from "../../scripts/build/scenario.ts";
import { messages, type Line } from "./runs.ts";

const FILE = join(import.meta.dirname, "../../host-sim/scenarios/everything.json");
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
let first: { texts: string[]; ran: ScenarioResult };
let again: { texts: string[]; ran: ScenarioResult };

before(async () => {
  const { plant, scenario } = readScenario(FILE);
  const plan = await toPlantPlan(plant);
  const run = (): typeof first => {
    const texts: string[] = [];
    return { ran: runScenario(plan, scenario, { trace: (line) => texts.push(line) }), texts };
  };
  first = run();
  again = run();
});

// (boot, sequence) of all that the broker took of one node, packs and events, as "boot/sequence".
function arrivals(lines: Line[], node: string): Set<string> {
  const seen = new Set<string>();
  for (const topic of ["data", "event"]) {
    for (const { payload } of messages(lines, `ferrule/${node}/${topic}`)) {
      let sequence = 0;
      let boot = 0;
      for (const record of decoder.decode(payload) as Map<unknown, unknown>[]) {
        boot = Number(record.get("b") ?? boot);
        sequence = Number(record.get("q") ?? sequence + 1);
        seen.add(`${boot}/${sequence}`);
      }
    }
  }
  return seen;
}

// What waited when a life of link ended, as "boot/sequence".
function outstanding(lines: Line[], node: string): string[] {
  return lines
    .filter(({ e, n }) => e === "outstanding" && n === node)
    .flatMap(({ boot, sequences }) =>
      String(sequences)
        .split(" ")
        .filter((sequence) => sequence !== "")
        .map((sequence) => `${boot}/${sequence}`),
    );
}

test("everything: the same seed gives the same trace", () => {
  assert.ok(first.texts.length > 10_000, `${first.texts.length} lines`);
  assert.equal(again.texts.join("\n"), first.texts.join("\n"));
  assert.deepEqual(again.ran, first.ran);
});

test("everything: each reading is in the hub once, dropped, or listed as lost", () => {
  const lines = first.texts.map((text) => JSON.parse(text) as Line);
  const { result } = first.ran;
  for (const { id, queued, dropped, lost } of result.perNode) {
    const arrived = arrivals(lines, id);
    const gone = outstanding(lines, id).filter((reading) => !arrived.has(reading));
    assert.equal(gone.length, lost, `${id} lost`);
    assert.equal(queued, arrived.size + dropped + lost, `${id} in the end`);
  }
  const arrived = result.perNode.reduce((sum, { id }) => sum + arrivals(lines, id).size, 0);
  assert.equal(result.ingested, arrived);
  assert.ok(result.lost > 20 && result.duplicates > 100, JSON.stringify(result));
});

test("everything: each kind of trouble was there", () => {
  const lines = first.texts.map((text) => JSON.parse(text) as Line);
  const struck = lines.filter(({ e }) => e === "fault").map(({ fault }) => String(fault));
  const wanted = ["loss", "duplicate", "reorder", "gateway-restart", "broker-down", "power-cut"];
  for (const fault of wanted) assert.ok(struck.includes(fault), fault);
  assert.equal(struck.filter((fault) => fault === "partition").length, 2);
  assert.equal(first.ran.result.network.lost > 300, true, "a fifth is lost");
  const taken = lines.filter(({ e, n }) => e === "mailbox-take" && n === "oven-1").length;
  assert.equal(taken, 3, "of five commands one was refused by the hub and one by link");
});
