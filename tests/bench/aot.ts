// SPDX-License-Identifier: MIT
// Translated AssemblyScript beside C by hand, counted on Cortex-M0+ and rv32imc.
//
// `npm run bench:aot` has the same figures as one table. Nothing here is timed, so every run counts the same.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, QUICK, report } from "../../scripts/bench/report.ts";
import { KERNELS } from "./aot/kernels.ts";
import { missingCompilers, runKernel } from "./aot/run.ts";
import type { Outcome } from "./aot/table.ts";

const NOTES = ["kernels in tests/bench/aot/kernels, asc -O3, gcc -O2; results are those of V8"];

function figuresOf({ name, m0plus, rv32imc }: Outcome): Figure[] {
  const pair = (core: string, unit: string, counts: { native: number; ours: number }): Figure[] => [
    { name: `${name}, ${core}, C`, value: counts.native, unit },
    { name: `${name}, ${core}`, value: counts.ours, unit, beside: `${name}, ${core}, C` },
  ];
  return [...pair("Cortex-M0+", "cycles", m0plus), ...pair("rv32imc", "instructions", rv32imc)];
}

async function main(): Promise<void> {
  const missing = missingCompilers();
  if (missing.length > 0)
    return report({ bench: "aot", notes: [`left out: needs ${missing.join(", ")}`], figures: [] });
  const folder = mkdtempSync(join(tmpdir(), "bench-aot-"));
  try {
    const figures: Figure[] = [];
    for (const kernel of QUICK ? KERNELS.slice(0, 1) : KERNELS)
      figures.push(...figuresOf(await runKernel(kernel, folder, "needed")));
    report({ bench: "aot", notes: NOTES, figures });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
