// SPDX-License-Identifier: MIT
// Random modules from seeds, and whether they do as C what they do in V8.
//
// Two makers: generate.ts, aimed at accesses, and binaryen's wasm-opt, which makes a valid module of any
// octets and knows nothing of this translator. Many modules share a C program.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeModule } from "../../aot/decode/index.ts";
import { signatureOf } from "../../aot/ir.ts";
import { createPrng, type Prng } from "../../host-sim/prng.ts";
import { EDGES } from "./edges.ts";
import { generateCase } from "./generate.ts";
import { type Call, type Case, difference, runEngine, runNative } from "./native.ts";
import { loadWasmOpt, type WasmOpt } from "./wasm-opt.ts";

const FEATURES = [
  ...["-q", "-mvp", "--enable-bulk-memory", "--enable-multivalue", "--enable-sign-ext"],
  ...["--enable-nontrapping-float-to-int", "--enable-mutable-globals"],
];
const OCTETS_MIN = 500; // fewer make modules without code
const OCTETS_RANGE = 4000;
const CALLS = 3; // of each export
const PROGRAM_CASES = 40;

export type Maker = "own" | "binaryen";

export interface Compared {
  cases: number;
  lines: number;
  traps: number;
  failures: string[]; // each with its seed
}

/** Compares modules of seeds `first` and following, under UBSan and ASan or as gcc -O2 makes them. */
export async function compareSeeds(
  maker: Maker,
  first: number,
  count: number,
  sanitize = true,
): Promise<Compared> {
  const sum: Compared = { cases: 0, lines: 0, traps: 0, failures: [] };
  const optimise = maker === "binaryen" ? loadWasmOpt() : undefined;
  for (let done = 0; done < count; done += PROGRAM_CASES) {
    const size = Math.min(PROGRAM_CASES, count - done);
    const seeds = Array.from({ length: size }, (_, i) => first + done + i);
    const cases = optimise === undefined ? seeds.map(generateCase) : fuzzed(seeds, optimise);
    add(sum, await cases, sanitize);
  }
  return sum;
}

function add(sum: Compared, cases: readonly Case[], sanitize: boolean): void {
  const outcomes = runNative(cases, sanitize);
  cases.forEach((item, i) => {
    const lines = outcomes[i]!;
    const found = difference(lines, runEngine(item));
    if (found !== null) sum.failures.push(`${item.name}: ${found}`);
    sum.cases++;
    sum.lines += lines.length;
    sum.traps += lines.filter((line) => /^(init )?trap/.test(line)).length;
  });
}

async function fuzzed(seeds: readonly number[], optimise: WasmOpt): Promise<Case[]> {
  const folder = mkdtempSync(join(tmpdir(), "aot-random-"));
  try {
    const cases: Case[] = [];
    for (const seed of seeds) cases.push(await fuzzedCase(seed, folder, optimise));
    return cases;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Every fourth one is optimised, as compilers leave their modules. A NaN becomes 0: which NaN arithmetic gives
// is open (§4.3.3), and in memory or as an integer two of them would differ.
async function fuzzedCase(seed: number, folder: string, optimise: WasmOpt): Promise<Case> {
  const prng = createPrng(seed).fork("binaryen");
  const octets = new Uint8Array(OCTETS_MIN + prng.below(OCTETS_RANGE));
  prng.fill(octets);
  const [input, output] = [join(folder, "in"), join(folder, "out.wasm")];
  writeFileSync(input, octets);
  const passes = ["--denan", ...(seed % 4 === 0 ? ["-O2"] : [])];
  await optimise([input, "-ttf", ...FEATURES, ...passes, "-o", output]);
  const wasm = new Uint8Array(readFileSync(output));
  return { name: `seed ${seed}`, wasm, calls: callsOf(wasm, prng) };
}

function callsOf(wasm: Uint8Array, prng: Prng): Call[] {
  const module = decodeModule(wasm);
  return module.exports.flatMap(({ name, kind, index }) => {
    if (kind !== "function") return [];
    const { parameters } = signatureOf(module, index);
    return Array.from({ length: CALLS }, () => ({
      name,
      operands: parameters.map((type) => EDGES[type][prng.below(EDGES[type].length)]!),
    }));
  });
}
