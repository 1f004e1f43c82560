// SPDX-License-Identifier: MIT
// Readings of flash images beside those of WebAssembly, value for value.
//
// Goal: a node tells the hub the same from the chip. Method: both run the whole way to the hub with the same
// machine, whose time is counted from each node's first tick (stepped.ts, chip-pair.ts). FERRULE_CHIP_S is how
// many virtual seconds, 5 without it.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import type { PlantPlan } from "../../host-sim/plan.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import {
  createTwin,
  firstTickUs,
  firstWasmTickUs,
  readPair,
  type Ran,
  run,
  runChip,
  withTape,
} from "./chip-pair.ts";
import { JUMP_US, STEP_US } from "./stepped.ts";

const COMPILER = program("arm-none-eabi-gcc");
const FOR_MS = 1000 * Number(process.env["FERRULE_CHIP_S"] ?? 5);
const NODES = ["meter", "oven", "press", "press on I2C", "scale"];
const ADC_SETTLES_US = 25_000; // a mean is at most two periods old
const STAMP_MS = 1; // a reading's time is whole ms
const STREAMS = /^(voltage|current|power|energy|weight|condition|bearing-.*)$/;
const HEARD_MS = 10; // one tick: characters and samples come to loop by way of a DMA ring

interface Pair {
  wasm: Ran;
  chip: Ran;
  period: number;
}
const pairs = new Map<string, Pair>();

before(async () => {
  if (COMPILER.skip !== false) return;
  for (const name of NODES)
    pairs.set(name, runPair(await readPair(name === "press on I2C" ? pressOnI2c() : name)));
});

// Its accelerometer is the second one of the board.
function pressOnI2c(): string {
  const there = mkdtempSync(join(tmpdir(), "ferrule press "));
  process.once("exit", () => rmSync(there, { recursive: true, force: true }));
  cpSync(join(PROJECT, "firmware/nodes/press"), there, { recursive: true });
  const file = join(there, "node.json");
  writeFileSync(file, readFileSync(file, "utf8").replace('"device": 0', '"device": 1'));
  return there;
}

function runPair({ wasm, chip }: { wasm: PlantPlan; chip: PlantPlan }): Pair {
  const [node] = wasm.nodes;
  const { periodUs } = node!;
  const chipFirstUs = firstTickUs(chip);
  const forMs = (first: number): number => first / 1000 + FOR_MS + periodUs / 2000; // as many ticks
  const onChip = runChip(chip, forMs(chipFirstUs), createTwin(node!, chipFirstUs));
  const firstUs = firstWasmTickUs(wasm);
  const machine = withTape(createTwin(node!, firstUs), firstUs, periodUs, onChip.ticks);
  return {
    wasm: { ...run(wasm, forMs(firstUs), machine), ticks: [] },
    chip: onChip,
    period: periodUs,
  };
}

for (const name of NODES)
  test(`the ${name} on the chip tells the values of the ${name} as WebAssembly`, COMPILER, () => {
    const { wasm, chip } = pairs.get(name)!;
    const channels = [...wasm.readings.keys()];
    assert.ok(channels.length > 0);
    for (const channel of channels) {
      const [a, b] = [chip.readings.get(channel) ?? [], wasm.readings.get(channel)!];
      assert.deepEqual(
        a.map(({ text }) => text),
        b.map(({ text }) => text),
        channel,
      );
      const slackMs = STAMP_MS + (STREAMS.test(channel) ? HEARD_MS : 0);
      a.forEach(({ wallMs }, i) => {
        const apartMs = wallMs - a[0]!.wallMs - (b[i]!.wallMs - b[0]!.wallMs);
        assert.ok(Math.abs(apartMs) <= slackMs, `${channel} ${i}: ${apartMs} ms`);
      });
    }
    for (const { result } of [wasm, chip]) {
      assert.equal(result.finished, true);
      assert.equal(result.queued, result.ingested + result.dropped + result.lost);
      const [{ ringDropped, loopTraps, linkTraps, loopOverruns }] = result.perNode as [never];
      assert.deepEqual([ringDropped, loopTraps, linkTraps, loopOverruns], [0, 0, 0, 0]);
    }
  });

for (const name of ["oven", "press"])
  test(
    `the ADC of the ${name} measures the machine's counts once they stand still`,
    COMPILER,
    () => {
      const { chip, period } = pairs.get(name)!;
      let [settled, others] = [0, 0];
      chip.ticks.forEach(({ means, held, us }) => {
        const sinceUs = (us - chip.ticks[0]!.us - JUMP_US + 10 * STEP_US) % STEP_US;
        if (sinceUs < ADC_SETTLES_US) return others++;
        settled++;
        return assert.deepEqual(means, held, `tick at ${us}`);
      });
      assert.ok(settled >= FOR_MS / (period / 1000) / 2 && others > 0, `${settled}, ${others}`);
    },
  );

test("the ticks of the chip stand at whole periods", COMPILER, () => {
  for (const [name, { chip, period }] of pairs) {
    const gaps = new Set(chip.ticks.slice(1).map(({ us }, i) => us - chip.ticks[i]!.us));
    assert.deepEqual([...gaps], [period], name);
    assert.equal(chip.ticks.length, (FOR_MS * 1000) / period + 1);
  }
});
