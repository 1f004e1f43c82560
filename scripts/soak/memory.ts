// SPDX-License-Identifier: MIT
// Hours of a plant in virtual time: what the memory of hub and simulator does.
//
// Runs in a child that may collect its garbage (--expose-gc): heap and buffers after a collection at each
// quarter of the run. The first quarter fills what is bounded (histories, tables); from there on it must be flat.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runSimulation } from "../../host-sim/simulation.ts";
import { readExample } from "./seeds.ts";

const LOSS = 0.1; // so that repetitions are walked through as well
const QUARTERS = 4;
// One object kept for each reading would be 100 octets × 17,000 readings of the last three quarters of 2 hours.
const GROWTH_BYTES_MAX = {
  heap: 1 << 20,
  buffers: 2 << 20, // histories of seven channels, 8,192 points of 16 octets each, and what waits for collection
};
const OUTPUT_BYTES_MAX = 1 << 20;

export interface MemoryRun {
  /** Octets after a collection at 1/4, 1/2, 3/4 and the end of the run. */
  heap: number[];
  buffers: number[]; // outside the heap
  queued: number;
  ingested: number;
  dropped: number;
  finished: boolean;
}

/** Runs the example plant for so long in a child. Throws when it ends badly. */
export function measureMemory(hours: number): MemoryRun {
  const file = fileURLToPath(import.meta.url);
  const args = ["--expose-gc", "--import", "tsx", file, String(hours)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (status !== 0) throw new Error(`the run of ${hours} h ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as MemoryRun;
}

/** What is wrong with a run, undefined: nothing. */
export function memoryProblem(run: MemoryRun): string | undefined {
  const { heap, buffers, queued, ingested, dropped, finished } = run;
  if (!finished || queued !== ingested + dropped)
    return `${queued} queued, ${ingested} ingested, ${dropped} dropped`;
  for (const [what, octets] of Object.entries({ heap, buffers })) {
    const grown = Math.max(...octets) - (octets[0] ?? 0);
    if (octets.length !== QUARTERS) return `${octets.length} looks at the ${what}`;
    if (grown > GROWTH_BYTES_MAX[what as keyof typeof GROWTH_BYTES_MAX])
      return `the ${what} grew by ${grown} octets after the first quarter`;
  }
  return undefined;
}

async function run(hours: number): Promise<MemoryRun> {
  const plan = await readExample();
  const forMs = hours * 3_600_000;
  const heap: number[] = [];
  const buffers: number[] = [];
  const { queued, ingested, dropped, finished } = runSimulation(plan, {
    ...{ seed: 1, forMs, loss: LOSS, duplicate: 0, reorder: 0 },
    progress(virtualMs) {
      if (heap.length === QUARTERS || virtualMs < ((heap.length + 1) * forMs) / QUARTERS) return;
      global.gc?.();
      const { heapUsed, external } = process.memoryUsage();
      heap.push(heapUsed);
      buffers.push(external);
    },
  });
  return { heap, buffers, queued, ingested, dropped, finished };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(JSON.stringify(await run(Number(process.argv[2]))));
