// SPDX-License-Identifier: MIT
// `npm run soak -- --octets`: each octet of the recordings, every value.
//
// Argument: minutes. Recordings that are not there are left out, by name. Exit 1: a replay lost too much or
// published something wrong.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCapture } from "../support/capture.ts";
import * as need from "../support/need.ts";
import { allValues, RECORDINGS, spoilAll } from "./octets.ts";

const MINUTE_MS = 60_000;
const endMs = performance.now() + Number(process.argv[2] ?? 10) * MINUTE_MS;
const own = ["libmodbus-mbpoll", "ascii-two-units"].map((name) =>
  join(import.meta.dirname, `../vectors/modbus-${name}.jsonl`),
);

let [replays, chance, failed] = [0, 0, 0];
for (const file of [...own, ...RECORDINGS.map(need.sharedFile)]) {
  const name = file.split("/").at(-1)!;
  if (!existsSync(file)) {
    console.log(`${name}: not there`);
    continue;
  }
  const tally = await spoilAll(readCapture(file), allValues, () => performance.now() < endMs);
  console.log(`${name}: ${tally.replays} replays, ${tally.chance} right by chance`);
  for (const failure of tally.failures) console.log(`FAILED ${failure}`);
  replays += tally.replays;
  chance += tally.chance;
  failed += tally.failed;
}
const rate = (chance / Math.max(1, replays)) * 1e6;
console.log(`${replays} replays, ${failed} failed`);
console.log(`${chance} right by chance: ${rate.toFixed(2)} in a million`);
process.exitCode = failed > 0 ? 1 : 0;
