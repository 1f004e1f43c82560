// SPDX-License-Identifier: MIT
// `ferrule sim --engine chip`: faults, sums, traces, named errors.
//
// Goal: it is a simulation like any other. Method: chips and WebAssembly side by side in one run; the command as
// a person would run it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { measured } from "../../host-sim/chips/rp2040/adc.ts";
import { createNothing } from "../../host-sim/devices/device.ts";
import { NOT_ON_CHIPS } from "../../host-sim/faults/vocabulary.ts";
import type { FaultPlan, NodePlan, PlantPlan } from "../../host-sim/plan.ts";
import { befalling, type Scenario } from "../../host-sim/scenario.ts";
import { runSimulation, type SimulationOptions } from "../../host-sim/simulation.ts";
import { readPlant } from "../../scripts/build/plant.ts";
import { putOnChips } from "../../scripts/run/chips.ts";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { readPair, runChip } from "./chip-pair.ts";

const COMPILER = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule chip sim "));
const COUNTS = [300, 515, 1541, 3000]; // on both sides of the wide codes, and in two of them
const [HOLD_US, SETTLES_US] = [100_000, 25_000]; // a count stands so long, and is all in the mean after
const CLEAN = { seed: 2, loss: 0, duplicate: 0, reorder: 0 };
let oven: { wasm: PlantPlan; chip: PlantPlan };

before(async () => {
  if (COMPILER.skip === false) oven = await readPair("oven");
});
after(() => rmSync(folder, { recursive: true, force: true }));

// Two ovens: the first as an image, the second as WebAssembly.
function mixed(faults: FaultPlan[] = []): PlantPlan {
  const eui64 = Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 9]);
  const twin: NodePlan = { ...oven.wasm.nodes[0]!, id: "twin", eui64 };
  return { ...oven.chip, nodes: [oven.chip.nodes[0]!, twin], faults };
}

function simulate(plan: PlantPlan, options: Partial<SimulationOptions>) {
  const lines: string[] = [];
  const trace = (line: string): void => void lines.push(line);
  const result = runSimulation(plan, { ...CLEAN, forMs: 2000, trace, ...options });
  return { result, lines };
}

test(
  "a chip and a WebAssembly node share clock and network; sums hold in trouble",
  COMPILER,
  () => {
    const fault = { node: "oven", forMs: 400 };
    const plan = mixed([
      { atMs: 1500, fault: "power-cut", ...fault },
      { atMs: 3000, fault: "clock-drift", amount: 5000, ...fault },
    ]);
    const { result, lines } = simulate(plan, { forMs: 4000, loss: 0.15, reorder: 0.05 });
    const [chip, wasm] = result.perNode;
    assert.deepEqual([chip!.boot, wasm!.boot, result.finished], [2, 1, true]);
    assert.equal(result.queued, result.ingested + result.dropped + result.lost);
    assert.ok(chip!.queued > 10 && wasm!.queued > 10, `${chip!.queued} ${wasm!.queued}`);
    assert.ok(result.network.lost > 0);
    assert.deepEqual([chip!.loopTraps, chip!.linkTraps, chip!.beyondLimits], [0, 0, 0]);
    const times = lines.map((line) => (JSON.parse(line) as { t: number }).t);
    assert.ok(
      times.every((t, i) => i === 0 || t >= times[i - 1]!),
      "the trace runs backwards",
    );
  },
);

test(
  "what waits when the power goes is lost and counted, by the memory that the chip left",
  COMPILER,
  () => {
    const plan = mixed([
      { atMs: 1000, fault: "partition", node: "oven", forMs: 1500 },
      { atMs: 2000, fault: "power-cut", node: "oven", forMs: 100 },
    ]);
    const { result, lines } = simulate(plan, { forMs: 2500 });
    const [chip] = result.perNode;
    assert.ok(chip!.lost > 3, `${chip!.lost} lost`);
    assert.equal(result.queued, result.ingested + result.dropped + result.lost);
    const off = lines.findIndex((line) => line.includes('"e":"power","n":"oven","on":false'));
    assert.ok(off > 0 && lines[off - 1]!.includes('"duty":0'), "the heater is off with the power");
  },
);

test(
  "the power goes while the flash is at work: the node comes back with a higher boot",
  COMPILER,
  () => {
    const fault = { node: "oven", fault: "flash-torn" } as const;
    const plan = mixed([{ ...fault, atMs: 0, forMs: 600 }]);
    const { result, lines } = simulate(plan, {});
    const power = lines.filter((line) => line.includes('"e":"power","n":"oven"'));
    assert.deepEqual(
      power.map((line) => line.includes("true")),
      [true, false, true],
    );
    assert.equal(result.queued, result.ingested + result.dropped + result.lost);
    assert.ok(result.perNode[0]!.boot >= 1 && result.perNode[0]!.queued > 5);
  },
);

test("the same seed gives the same trace and the same capture", COMPILER, () => {
  const runOnce = (seed: number): string => {
    const hash = createHash("sha256");
    const trace = (line: string): void => void hash.update(line);
    const pcap = (bytes: Uint8Array): void => void hash.update(bytes);
    runSimulation(mixed(), { ...CLEAN, seed, forMs: 1000, trace, pcap });
    return hash.digest("hex");
  };
  const first = runOnce(4);
  assert.equal(runOnce(4), first);
  assert.notEqual(runOnce(5), first);
});

test(
  "the wide codes of erratum E11 are in what the node reads, where they are wanted",
  COMPILER,
  () => {
    const [node] = oven.chip.nodes;
    const wide = { ...oven.chip, nodes: [{ ...node!, chip: { ...node!.chip!, wideCodes: true } }] };
    let nowUs = 0;
    const countAt = (us: number): number => COUNTS[Math.floor(us / HOLD_US) % COUNTS.length]!;
    const machine = {
      ...createNothing(),
      advance: (us: number) => void (nowUs = us),
      adc: () => countAt(nowUs),
    };
    const check = (plan: PlantPlan, codeOf: (count: number) => number): void => {
      const ticks = runChip(plan, 600, machine).ticks.filter(({ us }) => us % HOLD_US > SETTLES_US);
      assert.ok(ticks.length > 20);
      for (const { us, means } of ticks) assert.equal(means[0], codeOf(countAt(us)));
    };
    check(oven.chip, (count) => count);
    check(wide, (count) => measured(((count + 0.5) / 4096) * 3.3));
  },
);

test(
  "a board with Ethernet gets an address, finds the gateway by its group, and tells all",
  COMPILER,
  async () => {
    const { chip } = await readPair("oven", "w5500-evb-pico");
    const { result, lines } = simulate(chip, { forMs: 6000, loss: 0.1 });
    assert.deepEqual([result.finished, result.lost, result.dropped], [true, 0, 0]);
    assert.equal(result.queued, result.ingested);
    assert.ok(result.queued > 30, String(result.queued));
    const said = lines.filter((line) => line.includes('"e":"datagram-put"'));
    assert.match(said[0]!, /"to":"group",.*"hex":"030101"/); // SEARCHGW
    assert.match(said.at(-1)!, /"to":"192.0.2.1:10000"/);
  },
);

test("the command writes trace and capture, and tells the same as --json", COMPILER, async () => {
  const node = join(PROJECT, "firmware/nodes/scale");
  const args = ["sim", node, "--engine", "chip", "--for", "2", "--seed", "9", "--json"];
  const files = ["--trace", join(folder, "t.jsonl"), "--pcap", join(folder, "t.pcap")];
  const { code, stdout, stderr } = await ferrule([...args, ...files]);
  assert.equal(code, 0, stderr);
  const { finished, queued, ingested } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([finished, queued], [true, ingested]);
  assert.match(readFileSync(join(folder, "t.jsonl"), "utf8"), /"n":"scale",.*"board":"pico"/);
  assert.equal(readFileSync(join(folder, "t.pcap")).readUInt32LE(0), 0xa1b2c3d4);
});

test(
  "faults that do nothing to an image are refused by name, by seed left out",
  COMPILER,
  async () => {
    const plant = readPlant(join(PROJECT, "firmware/nodes/oven"));
    const faulty = (fault: FaultPlan["fault"]): PlantPlan => ({
      ...oven.wasm,
      faults: [{ atMs: 0, fault, node: "oven", forMs: 9 }],
    });
    for (const fault of NOT_ON_CHIPS)
      await assert.rejects(putOnChips(plant, faulty(fault), { board: "pico" }), {
        message: `fault "${fault}" of oven does nothing to a flash image`,
        next: "leave it out, or run the plant without --engine chip",
      });
    const seeds = Array.from({ length: 30 }, (_, seed) => seed);
    const drawn = ({ nodes }: PlantPlan): Set<string> =>
      new Set(
        seeds.flatMap((seed) => {
          const scenario: Scenario = {
            ...{ name: "by seed", seed, forMs: 60_000, commands: [], expect: [] },
            faults: "by-seed",
          };
          return befalling(scenario, { ...oven.wasm, nodes }).faults.map(({ fault }) => fault);
        }),
      );
    const [chip, wasm] = [drawn(oven.chip), drawn(oven.wasm)];
    for (const fault of NOT_ON_CHIPS)
      assert.deepEqual([chip.has(fault), wasm.has(fault)], [false, true]);
    assert.equal(wasm.size - chip.size, NOT_ON_CHIPS.size);
  },
);

test("what cannot be had is refused by name", async () => {
  const node = join(PROJECT, "firmware/nodes/scale");
  const { PATH } = process.env;
  process.env["PATH"] = folder;
  const none = await ferrule(["sim", node, "--engine", "chip", "--for", "1"]);
  process.env["PATH"] = PATH;
  assert.equal(none.code, 3);
  assert.match(none.stderr, /no C compiler for this board \(arm-none-eabi-gcc\)/);
  assert.match(none.stderr, /apt-get install .*gcc-arm-none-eabi/);
  const real = await ferrule(["sim", node, "--engine", "chip", "--realtime", "--for", "1"]);
  assert.deepEqual([real.code, /--engine chip is for virtual time/.test(real.stderr)], [2, true]);
});
