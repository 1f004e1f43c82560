// SPDX-License-Identifier: MIT
// Goal: an octet lost, added or changed costs one frame; nothing wrong goes out.
// Method: each octet of each recording in each way, one value a place by seed.
// `npm run soak -- --octets` tries all values.

import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { readCapture } from "../support/capture.ts";
import * as need from "../support/need.ts";
import { oneBySeed, RECORDINGS, spoilAll } from "./octets.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const OWN = join(import.meta.dirname, "../vectors/modbus-libmodbus-mbpoll.jsonl");
const OWN_ASCII = join(import.meta.dirname, "../vectors/modbus-ascii-two-units.jsonl");

async function check(t: TestContext, file: string): Promise<void> {
  const tally = await spoilAll(readCapture(file), oneBySeed(SEED));
  const { replays, whole, chance, failures } = tally;
  t.diagnostic(`${replays} replays, ${whole} without a loss, ${chance} right by chance`);
  assert.ok(replays > 100);
  assert.deepEqual(failures, [], `seed ${SEED}`);
}

test("our own recording loses no more than the frame that is hit", (t) => check(t, OWN));

test("a recording of ASCII loses no more than the frame that is hit", (t) => check(t, OWN_ASCII));

for (const file of RECORDINGS)
  test(`${file} loses no more than the frame that is hit`, need.shared(file), (t) =>
    check(t, need.sharedFile(file)),
  );
