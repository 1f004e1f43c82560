// SPDX-License-Identifier: MIT
// What compiling a node type costs, and what the cache makes of it.
//
// The baseline compiles link with the compiler already loaded; ours takes both modules from the cache.

import { join } from "node:path";
import { measureRates } from "../../scripts/bench/rounds.ts";
import { QUICK, report } from "../../scripts/bench/report.ts";
import { compile } from "../../scripts/build/compile.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { createSourceTree, LINK_ENTRY, PROJECT } from "../../scripts/build/sources.ts";

const OVEN = join(PROJECT, "firmware/nodes/oven");
const ROUNDS = QUICK ? 1 : 3;
const COMPILE = "link compiled (baseline)";
const CACHED = "both modules from the cache";

const tree = createSourceTree({ folder: undefined, overlay: {} });
const rates = await measureRates(
  [
    { name: COMPILE, run: async () => (await compile(tree, LINK_ENTRY), 1) },
    { name: CACHED, run: async () => (await buildNode(OVEN), 1) },
  ],
  ROUNDS,
);
report({
  bench: "build",
  notes: [`the oven, median of ${ROUNDS} interleaved rounds`],
  figures: [
    { name: COMPILE, value: 1000 / rates.get(COMPILE)!, unit: "ms" },
    { name: CACHED, value: 1000 / rates.get(CACHED)!, unit: "ms", beside: COMPILE },
  ],
});
