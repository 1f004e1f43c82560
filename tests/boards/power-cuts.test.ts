// SPDX-License-Identifier: MIT
// The oven through 100 power cuts: in the start, in flash writes, anywhere.
//
// Goal: the node comes back and no (boot, sequence) is said twice. Method: five chains of power-cuts.ts; `npm run soak --
// --power-cuts 10000` runs more of them.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FLASH_BYTES, loadUf2 } from "../../host-sim/chips/rp2040/index.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { CUTS_A_CHAIN, runChain } from "./power-cuts.ts";

const CHAINS = 5;
const folder = mkdtempSync(join(tmpdir(), "ferrule pico power "));
after(() => rmSync(folder, { recursive: true, force: true }));

test(
  "100 power cuts: the node comes back, no boot number repeats",
  program("arm-none-eabi-gcc"),
  async () => {
    const built = await buildNode(join(PROJECT, "firmware/nodes/oven"));
    const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
    loadUf2(readFileSync(buildRp2040("pico", built, folder).program), flash);
    const sum = { cuts: 0, torn: 0, readings: 0 };
    for (let seed = 1; seed <= CHAINS; seed++) {
      const result = runChain(flash, seed);
      assert.equal(result.failure, undefined, `seed ${seed}`);
      sum.cuts += result.cuts;
      sum.torn += result.torn;
      sum.readings += result.readings;
    }
    assert.equal(sum.cuts, CHAINS * CUTS_A_CHAIN);
    assert.ok(sum.torn >= 15 && sum.readings >= 15, JSON.stringify(sum)); // else the cuts miss what matters
  },
);
