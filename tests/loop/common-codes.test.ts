// SPDX-License-Identifier: MIT
// Goal: the tap of a JavaScript board gives every value of FC 1 to 4.
//
// Method: modules that know FC 1 to 6, 15 and 16 alone hear our own captures, one of them full of other codes, in
// ticks of 10 ms and of a second; their values are those that the captures say.

import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { type BoardNode, onBoard } from "../../scripts/build/board-values.ts";
import {
  type Capture,
  expectedRegisters,
  heardRegisters,
  lastCounters,
  mapRegisters,
  playLine,
  readCapture,
} from "../support/capture.ts";
import { buildLoop } from "../support/loop-host.ts";

const VECTORS = join(import.meta.dirname, "../vectors");
const COMMON = [1, 2, 3, 4, 5, 6, 15, 16];

for (const name of ["modbus-libmodbus-mbpoll", "modbus-pymodbus-rare-functions"])
  for (const [board, periodMs] of [
    ["kaluma-pico", 10],
    ["espruino-esp32c3", 500],
  ] as const)
    test(`${name} in ticks of ${periodMs} ms`, async () => {
      const capture = readCapture(join(VECTORS, `${name}.jsonl`));
      const { transactions } = capture.expected;
      const common = transactions.filter(({ fc }) => COMMON.includes(fc));
      const expected = { ...capture.expected, transactions: common } as Capture["expected"];
      const registers = expectedRegisters({ ...capture, expected });
      const all = mapRegisters(registers, capture);
      const node: BoardNode = onBoard({ ...all, boards: { [board]: { periodMs } } }, board);
      const wasm = await buildLoop(node);
      const host = playLine(wasm, capture.flagged, capture.timesUs, () => periodMs * 1000);
      assert.deepEqual(heardRegisters(node, host.records), registers);
      const counters = lastCounters(host);
      assert.equal(counters["bytes"], capture.octets.length);
      const hasOthers = common.length < transactions.length;
      assert.equal(counters["junk_bytes"]! > (capture.expected["junk_bytes"] as number), hasOthers);
    });
