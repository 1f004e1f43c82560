// SPDX-License-Identifier: MIT
// Goal: plant.json becomes the plan of a run, or is refused with remedies.
//
// Method: the example plant, a node folder as plant, and plants with planted mistakes; exact values and texts.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { eui64Of, readPlant, toPlantPlan } from "../../scripts/build/plant.ts";
import { listDescriptions, validateFolder } from "../../scripts/build/validate.ts";
import { Failure } from "../../scripts/cli/failure.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";

const PROJECT = resolve(import.meta.dirname, "../..");
const top = makeFolder();

function plantJson(more: Record<string, unknown>): string {
  const place = { enterprise: "e", site: "s", area: "a", line: "l", cell: "c" };
  return JSON.stringify({ ...place, nodes: [{ id: "n-1", node: "../probe" }], ...more });
}

function refusal(name: string, text: string): { code: number; text: string } {
  const folder = putFiles(join(top, name), { "plant.json": text });
  try {
    readPlant(folder);
  } catch (error) {
    assert.ok(error instanceof Failure);
    return { code: error.exitCode, text: error.message.replaceAll(`${folder}/`, "") };
  }
  return { code: 0, text: "read" };
}

test("the example plant is six nodes of four types, three presses of one image", async () => {
  const plan = await toPlantPlan(readPlant(join(PROJECT, "plants/example")));
  const presses = plan.nodes.filter(({ machine }) => machine.kind === "press");
  assert.deepEqual(plan.nodes.map(({ id }) => id).sort(), [
    ...["meter-1", "oven-1", "press-1", "press-2", "press-3", "scale-1"],
  ]);
  assert.equal(new Set(plan.nodes.map(({ loopHash }) => String(loopHash))).size, 4);
  assert.equal(new Set(presses.map(({ linkHash }) => String(linkHash))).size, 1);
  assert.equal(new Set(presses.map(({ eui64 }) => String(eui64))).size, 3);
});

test("a plant becomes a plan of an oven and a meter", async () => {
  const plan = await toPlantPlan(readPlant(join(PROJECT, "plants/pair")));
  assert.deepEqual(plan.hub, {
    root: "umh/v1",
    enterprise: "example",
    site: "workshop",
    area: "heat-treatment",
    line: "line-1",
    cell: "cell-1",
    nodes: { "oven-1": {}, "meter-1": { cell: "supply" } },
  });
  const [oven, meter] = plan.nodes;
  assert.deepEqual(oven?.outputs, [
    { name: "heater", output: 0, safeDuty: 0, minDuty: -4, maxDuty: 62_262 },
  ]);
  assert.deepEqual(oven?.machine, { kind: "oven" });
  assert.equal(oven?.periodUs, 10_000);
  assert.deepEqual(meter?.taps, [{ name: "bus", uart: 0, baud: 9600, format: "8E1" }]);
  assert.ok(meter?.machine.kind === "replay" && meter.machine.trace.length > 400);
  assert.notDeepEqual(oven?.loopHash, meter?.loopHash);
  assert.deepEqual(plan.faults, []);
});

test("a node folder counts as the plant of that node", async () => {
  const plan = await toPlantPlan(readPlant(join(PROJECT, "firmware/nodes/oven")));
  assert.deepEqual(
    plan.nodes.map(({ id }) => id),
    ["oven"],
  );
});

test("an EUI-64 follows from the id, is locally administered and no group", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const eui64 = eui64Of(`node-${i}`);
    assert.equal(eui64.length, 8);
    assert.equal((eui64[0] ?? 0) & 0x03, 0x02);
    seen.add(Buffer.from(eui64).toString("hex"));
  }
  assert.equal(seen.size, 200);
  const rest = createHash("sha256").update("node-0").digest().subarray(1, 8);
  assert.deepEqual(Buffer.from(eui64Of("node-0").subarray(1)), rest);
});

test("nodes of one type are built once, and what is given wins over what follows", async () => {
  putFiles(join(top, "probe"), { "node.json": nodeJson() });
  const folder = putFiles(join(top, "two nodes"), {
    "plant.json": plantJson({
      nodes: [
        { id: "n-1", node: "../probe", eui64: "0200000000000001", line: "l2" },
        { id: "n-2", node: "../probe", simulate: { machine: "oven" } },
      ],
      faults: [{ at: "1m", node: "n-2", fault: "power-cut", for: 5 }],
    }),
  });
  const compiled = new Set<string>();
  const compiling = (what: string): void => {
    assert.ok(!compiled.has(what), `${what} is compiled twice`);
    compiled.add(what);
  };
  const plan = await toPlantPlan(readPlant(folder), { compiling });
  assert.deepEqual(plan.nodes[0]?.eui64, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 1));
  assert.deepEqual(plan.nodes[0]?.machine, { kind: "none" });
  assert.deepEqual(plan.nodes[1]?.machine, { kind: "oven" });
  assert.equal(plan.nodes[0]?.loopWasm, plan.nodes[1]?.loopWasm);
  assert.deepEqual(plan.hub.nodes, { "n-1": { line: "l2" }, "n-2": {} });
  const fault = { atMs: 60_000, node: "n-2", fault: "power-cut", forMs: 5000 };
  assert.deepEqual(plan.faults, [fault]);
});

test("mistakes of a plant are named, all at once", () => {
  const nodes = [
    { id: "n-1", node: "a" },
    { id: "n-1", node: "b" },
  ];
  const faults = [{ at: 1, node: "n-9", fault: "power-cut", for: "1m" }];
  assert.deepEqual(refusal("bad ids", plantJson({ nodes, faults })), {
    code: 1,
    text: [
      'plant.json:1 nodes.1.id: "n-1" stands here a second time',
      'plant.json:1 faults.0.node: there is no node "n-9"; known: n-1',
    ].join("\n"),
  });
  assert.deepEqual(refusal("bad level", plantJson({ site: "my site", sit: 1 })), {
    code: 1,
    text: [
      "plant.json:1 site: 1 to 64 letters, digits, - and _: it is a topic level",
      'plant.json:1 sit: unknown field; did you mean "site"?',
    ].join("\n"),
  });
  const long = [{ at: "2x", node: "n-1", fault: "power-cut", for: "1m" }];
  assert.match(
    refusal("bad length", plantJson({ faults: long })).text,
    /faults\.0\.at: a length of/,
  );
});

test("a plant, a node or a capture that is not there is named", async () => {
  assert.throws(() => readPlant(join(top, "none")), { exitCode: 3 });
  const folder = putFiles(join(top, "lost"), {
    "plant.json": plantJson({ nodes: [{ id: "n", node: "../nix" }] }),
  });
  await assert.rejects(toPlantPlan(readPlant(folder)), {
    exitCode: 3,
    message: `there is no folder ${join(top, "nix")}`,
  });
  const taps = { bus: { uart: 0, protocol: "modbus-rtu" } };
  const simulate = { machine: "replay", tap: "bus", trace: "line.jsonl" };
  const deaf = putFiles(join(top, "deaf"), { "node.json": nodeJson({ taps, simulate }) });
  const capture = join(deaf, "line.jsonl");
  await assert.rejects(toPlantPlan(readPlant(deaf)), {
    exitCode: 3,
    message: `${join(deaf, "node.json")}: simulate.trace: there is no file ${capture}`,
  });
  putFiles(deaf, { "line.jsonl": "not JSON\n" });
  await assert.rejects(toPlantPlan(readPlant(deaf)), {
    exitCode: 1,
    message: `${capture}: line 1 of the capture: not JSON`,
  });
});

test("validate finds every description below a folder and says what it holds", () => {
  const found = listDescriptions(join(PROJECT, "firmware"));
  assert.deepEqual(
    found.map((folder) => folder.slice(PROJECT.length + 1)),
    ["meter", "oven", "press", "scale"].map((name) => `firmware/nodes/${name}`),
  );
  const oven = validateFolder(join(PROJECT, "firmware/nodes/oven"));
  assert.deepEqual(oven.text, "node type oven: 2 channels, 1 outputs, 0 taps");
  const plant = validateFolder(join(PROJECT, "plants/example"));
  assert.equal(plant.text, "plant workshop: 6 nodes of 4 types");
});

test("a plant with Windows line ends, blanks and umlauts reads as any other", () => {
  const windows = (text: string): string => `\ufeff${text.replaceAll("\n", "\r\n")}`;
  const nodes = [{ id: "oven-1", node: join(PROJECT, "firmware/nodes/oven") }];
  const text = JSON.stringify(JSON.parse(plantJson({ nodes })), null, 2);
  const folder = putFiles(join(top, "Öfen im Werk"), { "plant.json": windows(text) });
  assert.deepEqual(
    readPlant(folder).type.nodes.map(({ id }) => id),
    ["oven-1"],
  );
  const wrong = text.replace('"oven-1"', '"oven 1"');
  const said = refusal("Werk zwei", windows(wrong));
  assert.match(said.text, /plant\.json:\d+/);
  assert.equal(said.text, refusal("Werk drei", wrong).text, "the same line and column");
});
