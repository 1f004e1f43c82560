// SPDX-License-Identifier: MIT
// Goal: the same path takes the same number of instructions each time.
//
// Method: each kernel of the bench, built for both cores, makes one round twice in one memory from a new instance.
// What is set up late or kept where no reset reaches it would count differently.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { translate } from "../../aot/index.ts";
import { build, CORES, measure } from "../bench/aot/cores.ts";
import { compileKernel, KERNELS } from "../bench/aot/kernels.ts";
import { program } from "../support/need.ts";

const COMPILERS = CORES.map(({ compiler }) => compiler);

test("a kernel counts the same twice on both cores", program(...COMPILERS), async () => {
  const folder = mkdtempSync(join(tmpdir(), "aot-counts-"));
  try {
    for (const kernel of KERNELS) {
      const { c, header } = translate(await compileKernel(kernel), { name: "ours" });
      writeFileSync(join(folder, "ours.c"), c);
      writeFileSync(join(folder, "ours.h"), header);
      for (const core of CORES) {
        const image = build(core, [join(folder, "ours.c")], join(folder, "ours.elf"));
        const setUp = ["ours_init", "ours_prepare"];
        const round = [...setUp, "ours_run"];
        const first = measure(core, image, round, 1);
        const again = measure(core, image, [...round, ...round], 1);
        assert.ok(first.count > 0);
        assert.deepEqual(again, first, `${kernel.name} on ${core.name}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
