// SPDX-License-Identifier: MIT
// Commands of a run: who writes them, what they may be, and who keeps the limits.
//
// Goal: a command of another client reaches the node past the hub, absurd ones included; duties and effective values
// beyond node.json are seen. Method: the oven in virtual time, and once with limits that it does not know.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { randomCommands, strangersCommand } from "../../host-sim/commands.ts";
import type { CommandPlan, PlantPlan } from "../../host-sim/plan.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { accountProblem } from "../../host-sim/scenario.ts";
import { runSimulation } from "../../host-sim/simulation.ts";
import { buildPair, calm, changeNode } from "../scenarios/plants.ts";
import { traced } from "../scenarios/runs.ts";

let pair: PlantPlan;

before(async () => {
  pair = await buildPair();
});

const command = (atMs: number, value: number, by: CommandPlan["by"]): CommandPlan => {
  return { atMs, node: "oven-1", setpoint: "target", value, by };
};

test("the hub refuses what is out of limits; past the hub link refuses it", () => {
  const commands = [
    command(10_000, 150, "hub"),
    command(12_000, 500, "hub"),
    command(14_000, 500, "broker"),
    command(16_000, -1e12, "broker"),
    command(18_000, 120, "broker"),
  ];
  const { lines, result } = traced(pair, { ...calm(30_000), commands });
  const taken = lines
    .filter(({ e }) => e === "mailbox-take")
    .map(({ record }) => Buffer.from(String(record), "hex").readInt32LE(8));
  assert.deepEqual(taken, [1500, 1200]);
  assert.deepEqual(result.writes, { refused: 1, sent: 1, applied: 1 });
  assert.equal(lines.filter(({ e }) => e === "command").length, commands.length);
});

test("a stranger's command to a set-point or a node that is not there does no harm", () => {
  const commands = ["oven-1", "meter-1"].map((node) => ({
    ...command(10_000, 5, "broker"),
    ...{ node, setpoint: "nothing" },
  }));
  const { topic, payload } = strangersCommand(commands[0]!, pair.nodes, 0);
  assert.equal(topic, "ferrule/oven-1/set");
  assert.ok(payload.length > 10, "a whole command");
  assert.equal(accountProblem(runSimulation(pair, { ...calm(20_000), commands })), undefined);
});

test("commands of a seed follow from it: half past the hub, some absurd, none for a meter", () => {
  const make = (seed: number): CommandPlan[] =>
    randomCommands(createPrng(seed), pair.nodes, 600_000);
  assert.deepEqual(make(1), make(1));
  assert.notDeepEqual(make(1), make(2));
  const all = Array.from({ length: 20 }, (_, seed) => make(seed)).flat();
  assert.equal(all.length, 20 * 40);
  assert.ok(all.every(({ node }) => node === "oven-1"));
  const absurd = all.filter(({ value }) => value < 100 || value > 220).length;
  const past = all.filter(({ by }) => by === "broker").length;
  assert.ok(absurd > 200 && absurd < 450, `${absurd} absurd`);
  assert.ok(past > 300 && past < 500, `${past} past the hub`);
});

test("a duty beyond the limits is seen, and so is an effective value", () => {
  const [oven] = pair.nodes;
  const narrow = oven!.outputs.map((output) => ({ ...output, maxDuty: 30_000 }));
  const hot = runSimulation(changeNode(pair, "oven-1", { outputs: narrow }), calm(20_000));
  assert.match(accountProblem(hot) ?? "", /^oven-1 put \d+ values beyond the limits/);
  const low = oven!.setpoints!.map((setpoint) => ({ ...setpoint, max: 1700 }));
  const high = runSimulation(changeNode(pair, "oven-1", { setpoints: low }), calm(20_000));
  assert.match(accountProblem(high) ?? "", /^oven-1 put \d+ values beyond the limits/);
  assert.equal(accountProblem(runSimulation(pair, calm(20_000))), undefined);
});
