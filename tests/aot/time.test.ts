// SPDX-License-Identifier: MIT
// Goal: each module of an example node becomes C in less than two seconds.
//
// Method: processor time and not the clock's, so that a busy machine does not count; the first one is cold, as in
// the command. A slower machine has as much more time as asc needs more for one kernel.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { translate } from "../../aot/index.ts";
import { hostKnown } from "../../scripts/build/imports.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { compileKernel, KERNELS } from "../bench/aot/kernels.ts";
import { PROJECT } from "../support/ferrule.ts";

const SECONDS_MAX = 2;
const ASC_SECONDS = 1; // for the kernel, loading asc too, where two seconds are asked for
const NODES = join(PROJECT, "firmware/nodes");

async function processorSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

test("both modules of each example node become C in time", async () => {
  const asc = await processorSeconds(() => compileKernel(KERNELS[0]!));
  const most = SECONDS_MAX * Math.max(1, asc / ASC_SECONDS);
  for (const name of readdirSync(NODES)) {
    const built = await buildNode(join(NODES, name));
    for (const part of ["link", "loop"] as const) {
      const { wasm } = built[part];
      const took = await processorSeconds(() =>
        translate(wasm, { name: part, ...hostKnown(wasm) }),
      );
      assert.ok(
        took < most,
        `${part} of ${name}: ${took.toFixed(2)} s, at most ${most.toFixed(2)}`,
      );
    }
  }
});
