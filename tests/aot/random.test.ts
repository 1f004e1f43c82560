// SPDX-License-Identifier: MIT
// Goal: modules that nobody thought of do as C what they do in V8.
//
// Method: 160 modules of our generator and 40 of binaryen's, from seeds 1 and following, or from SEED;
// results, traps, calls of imports, globals and memory are compared, under UBSan and ASan.
// `npm run soak -- --aot 2000` runs more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { program } from "../support/need.ts";
import { compareSeeds, type Maker } from "./random.ts";

const FIRST = Number(process.env["SEED"] ?? 1);
const COUNTS: [maker: Maker, count: number][] = [
  ["own", 160],
  ["binaryen", 40],
];

for (const [maker, count] of COUNTS)
  test(`random modules (${maker}) do as C what they do in V8`, program("gcc"), async () => {
    console.log(`SEED=${FIRST}: ${maker}, seeds ${FIRST}..${FIRST + count - 1}`);
    const { failures, lines, traps } = await compareSeeds(maker, FIRST, count);
    assert.deepEqual(failures, []);
    assert.ok(traps > count && lines - traps > count, `${lines} lines, ${traps} traps`);
  });
