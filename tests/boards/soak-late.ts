// SPDX-License-Identifier: MIT
// `npm run soak -- --ticks N`: N ticks of 0.1 ms and N of 1 ms, in saturated runs.
//
// Arguments: N, the first seed, minutes. After each run build/soak-late.json says what was done, and the same command goes
// on from there; another image begins anew. Exit 1: a tick was late, missed, or late for no known cause.

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LateBucket } from "../../host-sim/chips/measure/lateness.ts";
import { writeWhole } from "../../scripts/build/cache.ts";
import { createProgress } from "../../scripts/cli/progress.ts";
import { PROJECT } from "../support/ferrule.ts";
import { type BusyNode, makeBusyNode } from "./busy-node.ts";
import { lateProblems, runBusyNode } from "./late-rig.ts";

const STATE_FILE = join(PROJECT, "build/soak-late.json");
const PERIODS_MS = [0.1, 1] as const;
const RUN_TICKS = 50_000;
const FAILURES_KEPT = 100;
const [wanted = 0, first = 1, minutes = 10] = process.argv.slice(2).map(Number);

interface State {
  images: string;
  first: number;
  next: number; // the seed that comes; periods take turns
  ticks: number[]; // by period
  late: LateBucket[];
  failures: string[];
}

async function makeNodes(folder: string): Promise<BusyNode[]> {
  const nodes: BusyNode[] = [];
  for (const periodMs of PERIODS_MS)
    nodes.push(await makeBusyNode(join(folder, String(periodMs)), periodMs));
  return nodes;
}

function readState(nodes: readonly BusyNode[]): State {
  const hash = createHash("sha256");
  for (const { image } of nodes) hash.update(readFileSync(image.program));
  const images = hash.digest("hex").slice(0, 32);
  const ticks = PERIODS_MS.map(() => 0);
  const fresh: State = { images, first, next: first, ticks, late: [], failures: [] };
  if (wanted <= RUN_TICKS || !existsSync(STATE_FILE)) return fresh;
  const read = { ...fresh, ...(JSON.parse(readFileSync(STATE_FILE, "utf8")) as Partial<State>) };
  return read.images === images && read.first === first ? read : fresh;
}

function add(state: State, found: readonly LateBucket[]): void {
  for (const { cycles, cause, count } of found) {
    const known = state.late.find((one) => one.cycles === cycles && one.cause === cause);
    if (known === undefined) state.late.push({ cycles, cause, count });
    else known.count += count;
  }
}

function runOne(state: State, nodes: readonly BusyNode[]): void {
  const which = state.ticks[0]! <= state.ticks[1]! ? 0 : 1;
  const ticks = Math.min(RUN_TICKS, wanted - state.ticks[which]!);
  const report = runBusyNode(nodes[which]!, ticks, state.next);
  for (const problem of lateProblems(report))
    if (state.failures.length < FAILURES_KEPT)
      state.failures.push(`${PERIODS_MS[which]} ms, seed ${state.next}: ${problem}`);
  add(state, report.lateness.buckets);
  state.ticks[which]! += ticks;
  state.next++;
}

const folder = mkdtempSync(join(tmpdir(), "ferrule-late-"));
try {
  const nodes = await makeNodes(folder);
  const state = readState(nodes);
  const endMs = Date.now() + minutes * 60_000;
  const progress = createProgress();
  const done = (): number => Math.min(...state.ticks);
  while (done() < wanted && Date.now() < endMs) {
    runOne(state, nodes);
    if (wanted > RUN_TICKS) writeWhole(STATE_FILE, JSON.stringify(state)); // one run is a repeat
    progress.show(`${done()} of ${wanted} ticks each`, done() / wanted);
  }
  progress.end();
  const order = (a: LateBucket, b: LateBucket): number =>
    a.cycles - b.cycles || (a.cause < b.cause ? -1 : 1);
  for (const { cycles, cause, count } of state.late.toSorted(order))
    console.log(`${String(cycles).padStart(4)} cycles ${String(count).padStart(8)}  ${cause}`);
  for (const failure of state.failures) console.log(`FAILED ${failure}`);
  const told = PERIODS_MS.map((periodMs, i) => `${state.ticks[i]} ticks of ${periodMs} ms`);
  console.log(`${told.join(", ")} of ${wanted} each, ${state.failures.length} problems`);
  process.exitCode = state.failures.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
