// SPDX-License-Identifier: MIT
// `npm run soak -- --power-cuts N`: chains of power cuts until there were N.
//
// Arguments: N, the first seed, minutes. After each chain build/soak-power.json says what was done, and the same command
// goes on from there; another image begins anew. Exit 1: some chain failed; its seed is told.

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FLASH_BYTES, loadUf2 } from "../../host-sim/chips/rp2040/index.ts";
import { writeWhole } from "../../scripts/build/cache.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import { createProgress } from "../../scripts/cli/progress.ts";
import { PROJECT } from "../support/ferrule.ts";
import { CUTS_A_CHAIN, runChain } from "./power-cuts.ts";

const STATE_FILE = join(PROJECT, "build/soak-power.json");
const FAILURES_KEPT = 100;
const [wanted = 0, first = 1, minutes = 10] = process.argv.slice(2).map(Number);

interface State {
  image: string;
  first: number;
  next: number; // the seed that comes
  cuts: number;
  torn: number;
  readings: number;
  boots: number;
  failures: string[];
}

async function makeFlash(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-power-"));
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  try {
    const built = await buildNode(join(PROJECT, "firmware/nodes/oven"));
    loadUf2(readFileSync(buildRp2040("pico", built, folder).program), flash);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return flash;
}

function readState(image: string): State {
  const sums = { cuts: 0, torn: 0, readings: 0, boots: 0 };
  const fresh: State = { image, first, next: first, ...sums, failures: [] };
  if (wanted <= CUTS_A_CHAIN || !existsSync(STATE_FILE)) return fresh;
  const read = { ...fresh, ...(JSON.parse(readFileSync(STATE_FILE, "utf8")) as Partial<State>) };
  return read.image === image && read.first === first ? read : fresh;
}

const flash = await makeFlash();
const state = readState(createHash("sha256").update(flash).digest("hex").slice(0, 32));
const endMs = Date.now() + minutes * 60_000;
const progress = createProgress();
while (state.cuts < wanted && Date.now() < endMs) {
  const cuts = Math.min(CUTS_A_CHAIN, wanted - state.cuts);
  const { failure, ...done } = runChain(flash, state.next, cuts);
  if (failure !== undefined && state.failures.length < FAILURES_KEPT)
    state.failures.push(`--power-cuts ${cuts} --seed ${state.next}: ${failure}`);
  state.next++;
  state.cuts += cuts;
  state.torn += done.torn;
  state.readings += done.readings;
  state.boots += done.boots;
  if (wanted > CUTS_A_CHAIN) writeWhole(STATE_FILE, JSON.stringify(state)); // one chain is a repeat
  progress.show(`${state.cuts} of ${wanted} power cuts`, state.cuts / wanted);
}
progress.end();
for (const failure of state.failures) console.log(`FAILED ${failure}`);
const { cuts, torn, readings, boots, failures } = state;
console.log(
  `${cuts} of ${wanted} power cuts, ${torn} of them in a write of the flash; ` +
    `${readings} readings of ${boots} boots were said, ${failures.length} chains failed`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
