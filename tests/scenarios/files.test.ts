// SPDX-License-Identifier: MIT
// Each scenario file runs as written and everything it expects is seen.
//
// Goal: host-sim/scenarios holds. Method: every file is read and run as `ferrule sim --scenario` does it; files that
// expect what does not come, or name what is not there, are told apart.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { runScenario, type ScenarioResult } from "../../host-sim/scenario.ts";
import { toPlantPlan } from "../../scripts/build/plant.ts";
import { readScenario } from "../../scripts/build/scenario.ts";

const FOLDER = join(import.meta.dirname, "../../host-sim/scenarios");
const EXAMPLE = join(import.meta.dirname, "../../plants/example");
const own = mkdtempSync(join(tmpdir(), "ferrule-"));
const plans = new Map<string, PlantPlan>(); // by the folder of the plant: built once
after(() => rmSync(own, { recursive: true }));

async function run(file: string): Promise<ScenarioResult> {
  const { plant, scenario } = readScenario(file);
  const plan = plans.get(plant.folder) ?? (await toPlantPlan(plant));
  plans.set(plant.folder, plan);
  return runScenario(plan, scenario);
}

function write(changes: object): string {
  const file = join(own, "scenario.json");
  const written = { name: "own", plant: EXAMPLE, for: "20s", expect: [{ sums: true }], ...changes };
  writeFileSync(file, JSON.stringify(written));
  return file;
}

for (const name of readdirSync(FOLDER)) {
  const file = join(FOLDER, name);
  const { name: title } = JSON.parse(readFileSync(file, "utf8")) as { name: string };
  test(`${name}: ${title}`, async () => {
    const { verdicts } = await run(file);
    const failed = verdicts.filter(({ met }) => !met).map(({ text, seen }) => `${text}: ${seen}`);
    assert.deepEqual(failed, [], `ferrule sim --scenario host-sim/scenarios/${name}`);
  });
}

test("what does not come in its time is not met, and says so", async () => {
  const file = write({
    faults: [{ at: "10s", fault: "sensor-open-wire", node: "oven-1", input: 0, for: "5s" }],
    expect: [
      { channel: "oven-1/temperature", becomes: "bad", cause: "under-range", within: "5s" },
      { channel: "oven-1/temperature", becomes: "bad", cause: "open-wire", by: "9s" },
      { channel: "oven-1/temperature", becomes: "bad", cause: "open-wire", within: "5s" },
      { node: "oven-1", becomes: "lost", by: "20s" },
      { alarm: "oven-1/temperature/too-hot", raised: true, by: "20s" },
      { node: "oven-1", counts: "queued", atMost: 1 },
    ],
  });
  const { verdicts } = await run(file);
  assert.deepEqual(
    verdicts.map(({ met }) => met),
    [false, false, true, false, false, false],
  );
  assert.equal(
    verdicts[0]!.text,
    "oven-1/temperature becomes bad (under-range) between 10 s and 15 s",
  );
  assert.equal(verdicts[0]!.seen, "never in that time");
});

const REFUSED: [string, object, RegExp][] = [
  ["an unknown fault", { faults: [{ at: 1, fault: "fire", for: 1 }] }, /fault/],
  ["a fault without its node", { faults: [{ at: 1, fault: "overrun", for: 1 }] }, /say which/],
  [
    "a probability above 1",
    { faults: [{ at: 1, fault: "loss", amount: 2, for: 1 }] },
    /takes 0 to 1/,
  ],
  [
    "a delay that is no length of time",
    { faults: [{ at: 1, fault: "delay", amount: "soon", for: 1 }] },
    /a length of time/,
  ],
  [
    "an input where none is",
    { faults: [{ at: 1, fault: "loss", input: 1, for: 1 }] },
    /has no input/,
  ],
  ["an unknown node", { expect: [{ node: "x", becomes: "lost", by: 1 }] }, /no node "x"; known/],
  ["no time", { expect: [{ node: "oven-1", becomes: "lost" }] }, /exactly one of/],
  ["two times", { expect: [{ node: "oven-1", becomes: "lost", by: 1, within: 1 }] }, /exactly one/],
  ["nothing expected", { expect: [] }, /expect/],
  [
    "a command to an unknown node",
    { commands: [{ at: 1, setpoint: "x/target", value: 1 }] },
    /commands\.0: there is no node "x"; known/,
  ],
  [
    "a command without its node",
    { commands: [{ at: 1, setpoint: "target", value: 1 }] },
    /written as node\/set-point/,
  ],
  [
    "a command by nobody",
    { commands: [{ at: 1, setpoint: "oven-1/target", value: 1, by: "me" }] },
    /commands\.0\.by/,
  ],
];

for (const [what, changes, message] of REFUSED) {
  test(`a scenario with ${what} is refused by name`, () => {
    assert.throws(() => readScenario(write(changes)), message);
  });
}

function ferrule(...args: string[]): { code: number | null; out: string; err: string } {
  const root = join(import.meta.dirname, "../..");
  const command = [join(root, "scripts/ferrule.js"), "sim", ...args];
  const { status, stdout, stderr } = spawnSync("node", command, { cwd: root, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

test("ferrule sim --scenario says what was seen and fails when something was not", () => {
  const expect = [{ sums: true }, { node: "oven-1", becomes: "lost", by: "5s" }];
  const { code, out, err } = ferrule("--scenario", write({ expect }), "--for", "8s");
  assert.equal(code, 1, err);
  assert.match(out, /^ok {5}queued = ingested \+ dropped \+ lost, .*: \d+ = \d+ \+ 0 \+ 0$/m);
  assert.match(out, /^FAILED oven-1 becomes lost between 0 s and 5 s: never in that time$/m);
  assert.match(err, /1 of 2 expectations were not met/);
  const absent = ferrule("--scenario", join(own, "absent.json"));
  assert.match(absent.err, /there is no file .*absent\.json/);
});
