// SPDX-License-Identifier: MIT
// `npm run bench:aot`: translated AssemblyScript beside C by hand, on two cores.
//
// Twelve kernels, each as AssemblyScript with plain `a[i]` and as C. Both run through gcc -O2 and are counted
// in an emulated core: cycles on Cortex-M0+, instructions on rv32imc. All results must be those of V8.
// --json prints the figures; --write puts the table into aot/README.md; --keep DIR keeps the C; --checks all.
// Names choose kernels: `npm run bench:aot -- pid_fir crc16_bit`.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { KERNELS } from "./kernels.ts";
import { missingCompilers, runKernel } from "./run.ts";
import { jsonOf, type Outcome, tableOf, writeTable } from "./table.ts";

interface Options {
  wanted: string[];
  json: boolean;
  write: boolean;
  keep: string | undefined;
  checks: "needed" | "all";
}

function readOptions(): Options {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    options: { json: flag, write: flag, keep: text, checks: text },
    allowPositionals: true,
  });
  const checks = values.checks === "all" ? "all" : "needed";
  return { wanted: positionals, json: values.json, write: values.write, keep: values.keep, checks };
}

async function main(): Promise<void> {
  const options = readOptions();
  const missing = missingCompilers();
  if (missing.length > 0) throw new Error(`bench:aot needs ${missing.join(" and ")}`);
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), "bench-aot-"));
  const chosen = KERNELS.filter(
    ({ name }) => options.wanted.length === 0 || options.wanted.includes(name),
  );
  try {
    const outcomes: Outcome[] = [];
    for (const kernel of chosen) outcomes.push(await runKernel(kernel, folder, options.checks));
    if (options.json) console.log(JSON.stringify(jsonOf(outcomes)));
    else console.log(tableOf(outcomes));
    if (options.write) writeTable(outcomes, readFileSync, writeFileSync);
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

// asc prints its own source with whatever is not caught.
main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
