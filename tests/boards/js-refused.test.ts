// SPDX-License-Identifier: MIT
// What a JavaScript board refuses, before anything is translated.
//
// Goal: period, host functions, pins, memory and taps that do not fit are all told at once, each with its figure and
// what to do. Method: example nodes and changes of one as plans for boards; nothing is written.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type JsBoard, readJsBoard } from "../../scripts/build/js-board.ts";
import { shimPlan } from "../../scripts/build/js-plan.ts";
import { bundleSizes, jsSizeTable, overBudget } from "../../scripts/build/js-size.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import type { Failure } from "../../scripts/cli/failure.ts";
import { PROJECT } from "../support/ferrule.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule js "));
after(() => rmSync(folder, { recursive: true, force: true }));

/** An example node as it is built for a board, with something else in its node.json. */
async function built(node: string, board: string, change: [string, string][] = []) {
  const changed = mkdtempSync(join(folder, `${node} `));
  cpSync(join(PROJECT, "firmware/nodes", node), changed, { recursive: true });
  const file = join(changed, "node.json");
  let text = readFileSync(file, "utf8");
  for (const [from, to] of change) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
  return buildNode(changed, { board });
}

function refusal(board: JsBoard, node: BuiltNode): Failure {
  try {
    shimPlan(board, node);
  } catch (error) {
    return error as Failure;
  }
  return assert.fail("it was taken");
}

test("oven and meter fit each board, with pins, ports and safe values of the board", async () => {
  const oven = shimPlan(readJsBoard("kaluma-pico"), await built("oven", "kaluma-pico"));
  assert.deepEqual([oven.analog, oven.pwm], [{ 0: 26 }, { 0: [16, 0] }]);
  assert.deepEqual(oven.network, { kind: "serial", port: 0, tx: 0, rx: 1, baud: 115_200 });
  assert.equal(oven.periodUs, 20_000);
  const meter = shimPlan(readJsBoard("espruino-esp32c3"), await built("meter", "espruino-esp32c3"));
  assert.deepEqual(meter.taps, [{ port: 2, rx: 20, baud: 9600, format: "8E1" }]);
  assert.deepEqual(meter.network, { kind: "udp" });
  assert.equal(meter.periodUs, 1_000_000);
});

test("all that does not fit is told at once, with what to do", async () => {
  const { message, next } = refusal(
    readJsBoard("kaluma-pico"),
    await built("press", "kaluma-pico"),
  );
  for (const line of [
    /^press does not fit kaluma-pico:$/m,
    /^ {2}a period of 10 ms: at least 20 ms there$/m,
    /^ {2}loop calls burst_take: the engine has not an accelerometer's bursts$/m,
    /^ {2}memory of link: \d+ of 8192 octets, \d+ too many$/m,
    /^ {2}pulse input 0: the board has none$/m,
  ])
    assert.match(message, line);
  assert.match(next, /say "boards": \{"kaluma-pico":\{"periodMs":20\}\} in node\.json/);
  assert.match(next, /take the vibration channels out/);
});

test("a period of the example nodes is refused where the board's own is taken away", async () => {
  const change: [string, string][] = [
    ['"espruino-esp32c3": { "periodMs": 1000', '"posix": { "periodMs": 1000'],
  ];
  const { message } = refusal(
    readJsBoard("espruino-esp32c3"),
    await built("oven", "espruino-esp32c3", change),
  );
  assert.match(message, /a period of 10 ms: at least 1000 ms there/);
});

test("pins and taps that a board has not are named by their number", async () => {
  const board = readJsBoard("espruino-esp32c3");
  const oven = await built("oven", board.name, [
    ['"input": 0', '"input": 9'],
    ['"output": 0', '"output": 5'],
  ]);
  const { message, next } = refusal(board, oven);
  assert.match(message, /analog input 9: the board has 0 to 3/);
  assert.match(message, /PWM output 5: the board has 0 to 1/);
  assert.match(next, /see boards\/espruino-esp32c3\.json/);
  const meter = await built("meter", board.name, [['"uart": 0', '"uart": 1']]);
  assert.match(refusal(board, meter).message, /tap 1: the board has 0 to 0/);
});

test("a tap that finds its line is refused by name", async () => {
  const board = readJsBoard("kaluma-pico2w");
  const auto: [string, string][] = [
    ['"protocol": "modbus-rtu", "baud": 9600, "format": "8E1"', '"protocol": "auto"'],
  ];
  const text = readFileSync(join(PROJECT, "firmware/nodes/meter/node.json"), "utf8");
  const channels = text.slice(text.indexOf('"channels"'), text.indexOf('"simulate"'));
  const node = await built("meter", board.name, [...auto, [channels, '"channels": {},\n  ']]);
  const { message, next } = refusal(board, node);
  assert.match(message, /loop calls edge_take: the engine has not edges of a line/);
  assert.match(next, /name the protocol of the tap instead of "auto"/);
});

test("what is over a budget is told with figures, an octet decides", () => {
  const board = readJsBoard("espruino-esp32c3");
  const sizes = (bundle: number, loop = 6144, memory = 4096) =>
    bundleSizes(board, { bundle, loop, link: 2000, memory: { loop: memory, link: 8192 } });
  assert.ok(sizes(10_240).kept);
  assert.deepEqual(overBudget(sizes(10_241)), ["bundle: 10241 of 10240, 1 too many"]);
  assert.deepEqual(overBudget(sizes(10_240, 6145)), ["loop: 6145 of 6144, 1 too many"]);
  assert.deepEqual(overBudget(sizes(10_240, 6144, 4097)), [
    "memory of loop: 4097 of 4096, 1 too many",
  ]);
  assert.deepEqual(
    overBudget(sizes(10_300)).at(-1),
    "variables, modelled: 2911 of 2900, 11 too many",
  );
  const table = jsSizeTable(sizes(10_240), sizes(10_200));
  assert.match(table, /^bundle {17}10240 {3}10240 \(\+40\)$/m);
  assert.match(table, /^variables, modelled {5}2895 {4}2900 \(\+11\)$/m);
  assert.match(table, /the bundle keeps its budget$/);
});
