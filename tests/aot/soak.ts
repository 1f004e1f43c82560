// SPDX-License-Identifier: MIT
// `npm run soak -- --aot N`: N random modules as C and in V8, half of each maker.
//
// Under UBSan and ASan, but for every fourth program, which is built by gcc -O2 as for a device. A tenth of our
// own modules also runs on the bench's Cortex-M0+ and rv32imc, where their compilers are.
// Arguments: N and the first seed. Exit 1: some module differs; its seed is told.

import { CORES } from "../bench/aot/cores.ts";
import { findProgram } from "../support/need.ts";
import { runChip } from "./chip.ts";
import { generateCase } from "./generate.ts";
import { difference, runEngine } from "./native.ts";
import { compareSeeds, type Maker } from "./random.ts";

const STEP = 100; // of one maker
const CHIP_EVERY = 10;
const cores = CORES.filter(({ compiler }) => findProgram(compiler) !== undefined);
const [wanted = 0, first = 1] = process.argv.slice(2).map(Number);
const sum = { modules: 0, results: 0, traps: 0, failed: 0, onCores: 0 };

function compareOnCores(first: number, count: number): string[] {
  const failures: string[] = [];
  for (let seed = first; seed < first + count; seed += CHIP_EVERY) {
    const item = generateCase(seed);
    const engine = runEngine(item);
    for (const core of cores) {
      const found = difference(runChip(core, item), engine);
      if (found !== null) failures.push(`${item.name} on ${core.name}: ${found}`);
      sum.onCores++;
    }
  }
  return failures;
}

for (let done = 0; done < wanted; done += STEP) {
  const maker: Maker = (done / STEP) % 2 === 0 ? "own" : "binaryen";
  const count = Math.min(STEP, wanted - done);
  const sanitize = Math.floor(done / STEP / 2) % 4 !== 3;
  const { cases, lines, traps, failures } = await compareSeeds(
    maker,
    first + done,
    count,
    sanitize,
  );
  if (maker === "own") failures.push(...compareOnCores(first + done, count));
  for (const failure of failures) console.log(`FAILED ${maker}, ${failure}`);
  sum.modules += cases;
  sum.results += lines - traps;
  sum.traps += traps;
  sum.failed += failures.length;
}
console.log(
  `${sum.modules} modules from seed ${first}: ${sum.results} results and ${sum.traps} traps, ` +
    `${sum.onCores} runs on ${cores.map(({ name }) => name).join(" and ") || "no core"}, ` +
    `${sum.failed} modules differ from V8`,
);
process.exitCode = sum.failed === 0 ? 0 : 1;
