// SPDX-License-Identifier: MIT
// Virtual seconds of a whole node image that the emulator runs a second of CPU.
//
// The node of the lateness test at 1 kHz, its link saturated and sectors being erased; start-up is in it. rp2040js does
// not run our images; the bench `chip` has it beside us on the same programs.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QUICK, report } from "../../scripts/bench/report.ts";
import { cpuMs, measureRates } from "../../scripts/bench/rounds.ts";
import { makeBusyNode } from "../boards/busy-node.ts";
import { runBusyNode } from "../boards/late-rig.ts";
import { findProgram } from "../support/need.ts";

const CHIP = "the chip itself";
const UNIT = "virtual s/CPU s";
const COMPILER = "arm-none-eabi-gcc";
const ROUNDS = QUICK ? 1 : 3;
const TICKS = QUICK ? 10 : 4000;

async function main(): Promise<void> {
  if (findProgram(COMPILER) === undefined)
    return report({ bench: "chip-node", notes: [`left out: needs ${COMPILER}`], figures: [] });
  const folder = mkdtempSync(join(tmpdir(), "bench-chip-node-"));
  try {
    const node = await makeBusyNode(folder, 1);
    let busy = 0;
    const run = (): number => {
      const { uptimeS, cpuShare } = runBusyNode(node, TICKS, 1);
      busy = cpuShare;
      return uptimeS;
    };
    const rates = await measureRates([{ name: "ours", run }], ROUNDS, cpuMs);
    report({
      bench: "chip-node",
      notes: [
        `median of ${ROUNDS} rounds; the node's CPU is busy for ${(100 * busy).toFixed(0)} %`,
      ],
      figures: [
        { name: CHIP, value: 1, unit: UNIT },
        {
          ...{ name: "saturated node, 1 kHz", value: rates.get("ours")!, unit: UNIT },
          ...{ beside: CHIP, goal: { of: "ratio", atLeast: 1 } as const },
        },
      ],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
