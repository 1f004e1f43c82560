// SPDX-License-Identifier: MIT
// `npm run soak -- --aot N`: N random modules as C and in V8, half of each maker.
//
// Under UBSan and ASan, but for every fourth program, which is built by gcc -O2 as for a device.
// Arguments: N and the first seed. Exit 1: some module differs; its seed is told.

import { compareSeeds, type Maker } from "./random.ts";

const STEP = 100; // of one maker
const [wanted = 0, first = 1] = process.argv.slice(2).map(Number);
const sum = { modules: 0, results: 0, traps: 0, failed: 0 };

for (let done = 0; done < wanted; done += STEP) {
  const maker: Maker = (done / STEP) % 2 === 0 ? "own" : "binaryen";
  const count = Math.min(STEP, wanted - done);
  const sanitize = Math.floor(done / STEP / 2) % 4 !== 3;
  const { cases, lines, traps, failures } = await compareSeeds(
    maker,
    first + done,
    count,
    sanitize,
  );
  for (const failure of failures) console.log(`FAILED ${maker}, ${failure}`);
  sum.modules += cases;
  sum.results += lines - traps;
  sum.traps += traps;
  sum.failed += failures.length;
}
console.log(
  `${sum.modules} modules from seed ${first}: ${sum.results} results and ${sum.traps} traps, ` +
    `${sum.failed} modules differ from V8`,
);
process.exitCode = sum.failed === 0 ? 0 : 1;
