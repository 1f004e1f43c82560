// SPDX-License-Identifier: MIT
// A plant whose modules run as JavaScript leaves the same trace.
//
// Goal: engines js and duktape are the same run of the same seed: readings, counters, every line of the trace, also
// with traps of both modules, power cuts and a torn flash; the child ends with the run. Method: the command's own
// functions, traces compared byte for byte.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { PlantPlan } from "../../host-sim/plan.ts";
import type { Engine } from "../../scripts/cli/engine.ts";
import { packScripts, startScripts } from "../../scripts/run/scripts.ts";
import { simulate } from "../../scripts/run/simulate.ts";
import { plantTrap } from "../host-sim/small-modules.ts";
import { program } from "../support/need.ts";
import { buildPlant, changeNode, NODES_FOLDER } from "./plants.ts";
import { type Run, traced } from "./runs.ts";

const needsDuktape = program("duk");
const TROUBLE = { seed: 3, forMs: 25_000, loss: 0.1, duplicate: 0.1, reorder: 0.1 };
const ENGINES: readonly Engine[] = ["js", "duktape"];

async function trappingOven(): Promise<PlantPlan> {
  const plan = await buildPlant({ "oven-1": "oven" });
  const [{ loopWasm, linkWasm }] = plan.nodes as [PlantPlan["nodes"][number]];
  const traps = {
    loopWasm: plantTrap(loopWasm, "tick", 300),
    linkWasm: plantTrap(linkWasm, "poll", 60),
  };
  const faults: PlantPlan["faults"] = [
    { atMs: 6000, forMs: 2000, fault: "power-cut", node: "oven-1" },
    { atMs: 12_000, forMs: 3000, fault: "power-cut", node: "oven-1" },
    { atMs: 12_000, forMs: 5000, fault: "flash-torn", node: "oven-1", amount: 5 },
    { atMs: 20_000, forMs: 1000, fault: "overrun", node: "oven-1" },
  ];
  return { ...changeNode(plan, "oven-1", traps), faults };
}

function run(plan: PlantPlan, engine: Engine): Run {
  const started = startScripts(packScripts(plan, engine), engine);
  try {
    return traced(plan, { ...TROUBLE, compile: started?.compile });
  } finally {
    started?.close();
  }
}

// Folders that the child works in, which go with it.
const leftBehind = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("ferrule-duktape-"));

test("traps, power cuts and a torn flash are the same in every engine", needsDuktape, async () => {
  const plan = await trappingOven();
  const wasm = run(plan, "wasm");
  const happened = (e: string, m: string): boolean =>
    wasm.lines.some((line) => line.e === e && line["m"] === m);
  for (const [e, m] of ["trap loop", "trap link", "overrun loop"].map((text) => text.split(" ")))
    assert.ok(happened(e!, m!), `${e} of ${m}`);
  assert.match(wasm.text, /"e":"outstanding".*"sequences":"\d/);
  for (const engine of ENGINES) {
    const other = run(plan, engine);
    const at = other.lines.findIndex((line, i) => {
      const wanted = wasm.lines[i];
      return JSON.stringify(line) !== JSON.stringify(wanted);
    });
    assert.deepEqual(other.lines[at], wasm.lines[at], `${engine}, line ${at + 1}`);
    assert.equal(other.text, wasm.text);
    assert.deepEqual(other.result, wasm.result, engine);
  }
});

test("ferrule sim writes the same trace with each engine", needsDuktape, async () => {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-engines-"));
  const before = leftBehind();
  try {
    const traces = [];
    for (const engine of ["wasm", ...ENGINES] as const) {
      const trace = join(folder, engine);
      const options = { seed: 5, forMs: 10_000, loss: 0.1, duplicate: 0, reorder: 0.1 };
      const { signal } = new AbortController();
      await simulate(join(NODES_FOLDER, "oven"), { ...options, engine, trace }, signal);
      traces.push(readFileSync(trace, "utf8"));
    }
    assert.ok(traces[0]!.length > 50_000);
    assert.equal(traces[1], traces[0]);
    assert.equal(traces[2], traces[0]);
    assert.deepEqual(
      leftBehind().filter((name) => !before.includes(name)),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
