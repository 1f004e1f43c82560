// SPDX-License-Identifier: MIT
// Node-seconds that the simulator runs a second of CPU, at 1 to 1,000 nodes.
//
// A run is the whole road: machines, both modules of each node, network, gateway, broker, hub, from the
// start until nothing waits. The baseline is what no host can beat: ticks of the same loop modules, as
// many a node-second, in bare instances whose host functions answer with nothing. Neither link nor
// machines nor a road are in it, and nothing is ever published.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { NodePlan, PlantPlan } from "../../host-sim/plan.ts";
import { runSimulation } from "../../host-sim/simulation.ts";
import { cpuMs, measureRates, type Contestant } from "../../scripts/bench/rounds.ts";
import { QUICK, report, type Figure } from "../../scripts/bench/report.ts";
import { plantSchema, toPlantPlan } from "../../scripts/build/plant.ts";
import { PROJECT } from "../../scripts/build/sources.ts";

const NODES = join(PROJECT, "firmware/nodes");
const SLOW_MS = { meter: 50, oven: 100 }; // more than 64 characters of its line come in 100 ms
const ROUNDS = QUICK ? 1 : 5;
const SIZES = QUICK
  ? [{ nodes: 10, forS: 1 }]
  : [
      { nodes: 1, forS: 600 },
      { nodes: 100, forS: 30 },
      { nodes: 1000, forS: 10 },
    ];
const GOAL_RATE = 10_000; // 1,000 nodes ten times as fast as time

// Of ten nodes: what has control or vibration ticks each 10 ms, what listens or is slow less often.
const MIX = [
  "oven",
  "press",
  ...Array.from({ length: 5 }, () => "slow-meter"),
  ...Array.from({ length: 3 }, () => "slow-oven"),
];
const MIX_TEXT = "10 % oven and 10 % press at 10 ms, 50 % meter at 50 ms, 30 % oven at 100 ms";

interface Description {
  periodMs: number;
  simulate: { trace?: string };
}

/** A copy of a node type that ticks less often. */
function slowCopy(name: keyof typeof SLOW_MS, folder: string): string {
  const from = join(NODES, name);
  const node = JSON.parse(readFileSync(join(from, "node.json"), "utf8")) as Description;
  const { trace } = node.simulate;
  if (trace !== undefined) node.simulate.trace = resolve(from, trace);
  const to = join(folder, `slow-${name}`);
  mkdirSync(to);
  writeFileSync(join(to, "node.json"), JSON.stringify({ ...node, periodMs: SLOW_MS[name] }));
  if (name === "oven") writeFileSync(join(to, "loop.ts"), readFileSync(join(from, "loop.ts")));
  return to;
}

/** One node of each kind of the mix, built. */
async function buildKinds(): Promise<PlantPlan> {
  const folder = mkdtempSync(join(tmpdir(), "simulator-bench-"));
  try {
    const folders: Record<string, string> = {
      oven: join(NODES, "oven"),
      press: join(NODES, "press"),
      "slow-meter": slowCopy("meter", folder),
      "slow-oven": slowCopy("oven", folder),
    };
    const nodes = Object.entries(folders).map(([id, node]) => ({ id, node }));
    const place = { enterprise: "bench", site: "s", area: "a", line: "l", cell: "c" };
    return await toPlantPlan({
      folder: dirname(folder),
      type: plantSchema.parse({ ...place, nodes }),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A plant of so many nodes of the mix. */
function plantOf(kinds: PlantPlan, count: number): PlantPlan {
  const nodes = Array.from({ length: count }, (_, index): NodePlan => {
    const kind = MIX[index % MIX.length]!;
    const plan = kinds.nodes.find(({ id }) => id === kind)!;
    const eui64 = Uint8Array.from(plan.eui64);
    eui64.set([index >> 8, index & 255], 6);
    return { ...plan, id: `${kind}-${index}`, eui64 };
  });
  const places = Object.fromEntries(nodes.map(({ id }) => [id, {}]));
  return { ...kinds, hub: { ...kinds.hub, nodes: places }, nodes };
}

/** Runs the plant; node-seconds of virtual time, the drain not counted. */
function simulate(plan: PlantPlan, forS: number): number {
  const options = { seed: 1, forMs: forS * 1000, loss: 0, duplicate: 0, reorder: 0 };
  const { finished, queued, ingested } = runSimulation(plan, options);
  if (!finished || queued !== ingested) throw new Error("readings did not arrive");
  return plan.nodes.length * forS;
}

/** Ticks of bare instances in the order in which nodes would have them; node-seconds. */
function tickBare(plan: PlantPlan, forS: number): number {
  let nowUs = 0;
  const zero = (): number => 0;
  const host = {
    ...{ adc_read: () => 2000, digital_read: zero, digital_write: zero, pulse_count: zero },
    ...{ pwm_write: zero, burst_take: zero, tap_take: zero, mailbox_take: zero },
    ...{ now_us: () => nowUs | 0, ring_put: () => 1 },
  };
  const compiled = new Map<Uint8Array, WebAssembly.Module>();
  const nodes = plan.nodes.map(({ loopWasm, periodUs }) => {
    const module = compiled.get(loopWasm) ?? new WebAssembly.Module(loopWasm as BufferSource);
    compiled.set(loopWasm, module);
    const { exports } = new WebAssembly.Instance(module, { host });
    (exports["init"] as () => void)();
    return { tick: exports["tick"] as () => void, periodUs };
  });
  const stepUs = Math.min(...nodes.map(({ periodUs }) => periodUs));
  for (nowUs = stepUs; nowUs <= forS * 1_000_000; nowUs += stepUs)
    for (const { tick, periodUs } of nodes) if (nowUs % periodUs === 0) tick();
  return nodes.length * forS;
}

const kinds = await buildKinds();
const figures: Figure[] = [];
for (const { nodes, forS } of SIZES) {
  const plan = plantOf(kinds, nodes);
  const name = `${nodes.toLocaleString("en")} nodes`;
  const bare = `${name}, bare ticks`;
  const contestants: Contestant[] = [
    { name: bare, run: () => tickBare(plan, forS) },
    { name, run: () => simulate(plan, forS) },
  ];
  const rates = await measureRates(contestants, ROUNDS, cpuMs);
  const unit = "node-s/CPU s";
  figures.push({ name: bare, value: rates.get(bare)!, unit });
  figures.push({
    ...{ name, value: rates.get(name)!, unit, beside: bare },
    ...(nodes === 1000 && { goal: { of: "value", atLeast: GOAL_RATE } as const }),
  });
}
report({
  bench: "simulator",
  notes: [
    `median of ${ROUNDS} interleaved rounds; 1 node is an oven, more are ${MIX_TEXT}`,
    `virtual seconds: ${SIZES.map(({ nodes, forS }) => `${forS} at ${nodes} nodes`).join(", ")}`,
  ],
  figures,
});
