// SPDX-License-Identifier: MIT
// `npm run soak`: what takes too long for every test run, with the same code.
//
// USAGE says what there is. --first stops at the first failure, --fresh begins anew. Exit 1: something is wrong.

import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { TYPESCRIPT } from "./run/typescript.ts";
import { PROJECT } from "./build/sources.ts";
import { memoryProblem, measureMemory } from "./soak/memory.ts";
import { fuzzGateway } from "./soak/fuzz-gateway.ts";
import { fuzzHub } from "./soak/fuzz-hub.ts";
import { makeCorpus } from "./soak/mutations.ts";
import { readExample, soakOneSeed, soakSeeds } from "./soak/seeds.ts";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "./cli/failure.ts";
import { createProgress } from "./cli/progress.ts";
import { print, say } from "./cli/terminal.ts";
import { readWhole } from "./cli/values.ts";

const HOURS_MAX = 1000;
const PACKS_MAX = 100_000_000;
const MODULES_MAX = 10_000_000;
const TICKS_MAX = 100_000_000;
const CUTS_MAX = 10_000_000;
const CHIP_S_MAX = 3600;
const PACKS_STEP = 100_000; // damaged with one seed
const MINUTES_MAX = 10_000;
const SEEDS_MAX = 10_000_000;

const USAGE = `npm run soak -- one of
  --seeds N [--fresh] [--first] seeds of trouble, from 1 or --from; --seed N for one
  --hours N                     memory over virtual hours
  --packs N                     damaged packs and datagrams
  --aot N                       random modules as C (needs gcc)
  --chip S                      flash images beside WebAssembly for S seconds (gcc-arm-none-eabi)
  --ticks N                     starts of ticks on the emulated Pico (gcc-arm-none-eabi)
  --octets                      each octet of recorded Modbus lines, every value
  --power-cuts N                power cuts of the emulated Pico (gcc-arm-none-eabi)
and --minutes M to stop on time: seeds, ticks and power cuts go on there the next time`;

interface Options {
  minutes: number;
  seeds: number;
  from: number;
  seed: number | undefined;
  hours: number | undefined;
  packs: number | undefined;
  aot: number | undefined;
  chip: number | undefined;
  powerCuts: number | undefined;
  ticks: number | undefined;
  octets: boolean;
  fresh: boolean;
  first: boolean;
}

function readOptions(): Options | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const lengths = { minutes: text, seeds: text, hours: text, packs: text, aot: text, chip: text };
  const options = {
    ...lengths,
    "power-cuts": text,
    ticks: text,
    from: text,
    seed: text,
    octets: flag,
    fresh: flag,
    first: flag,
  };
  try {
    const { values } = parseArgs({ options });
    const read = (value: string | undefined, min: number, max: number): number | undefined =>
      value === undefined ? undefined : readWhole(value, min, max);
    return {
      minutes: readMinutes(values.minutes ?? "10"),
      seeds: readWhole(values.seeds ?? String(SEEDS_MAX), 1, SEEDS_MAX),
      from: readWhole(values.from ?? "1", 1, SEEDS_MAX),
      seed: read(values.seed, 0, 2 ** 32 - 1),
      hours: read(values.hours, 1, HOURS_MAX),
      packs: read(values.packs, 1, PACKS_MAX),
      aot: read(values.aot, 1, MODULES_MAX),
      ticks: read(values.ticks, 1, TICKS_MAX),
      powerCuts: read(values["power-cuts"], 1, CUTS_MAX),
      chip: read(values.chip, 1, CHIP_S_MAX),
      octets: values.octets === true,
      fresh: values.fresh === true,
      first: values.first === true,
    };
  } catch (error) {
    say(`soak: ${error instanceof Error ? error.message : String(error)}`);
    say("  next: npm run soak -- --help");
    return undefined;
  }
}

function readMinutes(text: string): number {
  const minutes = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (minutes > 0 && minutes <= MINUTES_MAX) return minutes;
  throw new RangeError(`--minutes takes a number above 0, at most ${MINUTES_MAX}.`);
}

function soakHours(hours: number): boolean {
  say(`${hours} virtual hours`);
  const run = measureMemory(hours);
  const megabytes = (octets: number[]): string =>
    octets.map((value) => (value / 2 ** 20).toFixed(1)).join(", ");
  print(
    `${hours} h, ${run.queued} readings; MiB at each quarter: heap ${megabytes(run.heap)}, ` +
      `buffers ${megabytes(run.buffers)}`,
  );
  const problem = memoryProblem(run);
  if (problem !== undefined) print(`FAILED ${problem}`);
  return problem === undefined;
}

async function soakPacks(packs: number, firstSeed: number): Promise<boolean> {
  const corpus = makeCorpus(await readExample());
  const refused: Record<string, number> = {};
  let accepted = 0;
  const progress = createProgress();
  try {
    for (let done = 0, seed = firstSeed; done < packs; done += PACKS_STEP, seed++) {
      const count = Math.min(PACKS_STEP, packs - done);
      const hub = fuzzHub(corpus, seed, count);
      fuzzGateway(corpus, seed, count);
      accepted += hub.accepted;
      for (const [name, more] of Object.entries(hub.refused))
        refused[name] = (refused[name] ?? 0) + more;
      progress.show(`${done + count} of ${packs} packs`, (done + count) / packs);
    }
  } catch (error) {
    print(`FAILED ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    progress.end();
  }
  const names = Object.entries(refused).map(([name, count]) => `${name} ${count}`);
  print(`${packs} packs: ${accepted} taken; refused: ${names.join(", ")}`);
  print(`${packs} datagrams: the gateway stands, nothing is left behind`);
  return true;
}

// A soak that shares its code with tests: whether it ended well.
function soakTests(script: string, ...numbers: number[]): boolean {
  const args = [...TYPESCRIPT, script, ...numbers.map(String)];
  return spawnSync(process.execPath, args, { cwd: PROJECT, stdio: "inherit" }).status === 0;
}

function soakChip(seconds: number): boolean {
  const args = [...TYPESCRIPT, "--test", "tests/boards/chip-readings.test.ts"];
  const env = { ...process.env, FERRULE_CHIP_S: String(seconds) };
  return spawnSync(process.execPath, args, { cwd: PROJECT, stdio: "inherit", env }).status === 0;
}

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    print(USAGE);
    return EXIT_OK;
  }
  const options = readOptions();
  if (options === undefined) return EXIT_USAGE;
  const { seed, hours, packs, aot, chip, powerCuts, ticks, octets, minutes } = options;
  let good: boolean;
  if (aot !== undefined) good = soakTests("tests/aot/soak.ts", aot, seed ?? 1);
  else if (octets) good = soakTests("tests/loop/soak-octets.ts", minutes);
  else if (powerCuts !== undefined)
    good = soakTests("tests/boards/soak-power.ts", powerCuts, seed ?? 1, minutes);
  else if (ticks !== undefined)
    good = soakTests("tests/boards/soak-late.ts", ticks, seed ?? 1, minutes);
  else if (chip !== undefined) good = soakChip(chip);
  else if (packs !== undefined) good = await soakPacks(packs, seed ?? 1);
  else if (hours !== undefined) good = soakHours(hours);
  else if (seed !== undefined) good = await soakOneSeed(seed);
  else good = await soakSeeds(options);
  return good ? EXIT_OK : EXIT_FAILED;
}

process.exitCode = await main();
