// SPDX-License-Identifier: MIT
// Goal: a node has its own period on a board, and times stay what they are.
//
// Method: node.json with "boards", read and built as the build does it; refusals compared word for word; the
// filter of a slowed channel against the exponential that it samples.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BOARD_NAMES } from "../../scripts/build/board-names.ts";
import { onBoard } from "../../scripts/build/board-values.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { readNode } from "../../scripts/build/node.ts";
import { Failure } from "../../scripts/cli/failure.ts";
import { PROJECT } from "../support/ferrule.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";

const top = makeFolder();
const scale = { raw: [0, 4095], value: [0, 100] };
const SAMPLED = { kind: "analog", input: 0, scale, everyMs: 100 };
let made = 0;

function folderOf(more: Record<string, unknown>): string {
  return putFiles(join(top, `node ${++made}`), { "node.json": nodeJson(more) });
}

function refusal(more: Record<string, unknown>): string[] {
  const folder = folderOf(more);
  try {
    readNode(folder);
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error.message.split("\n").map((line) => line.replace(/.*node\.json:\d+ /, ""));
  }
  return [];
}

test("an unknown board is refused with the list", () => {
  assert.deepEqual(refusal({ boards: { pcio: { periodMs: 20 } } }), [
    `boards.pcio: there is no board "pcio"; known: ${BOARD_NAMES.join(", ")}`,
  ]);
});

test("a board's period is a multiple of 0.1 ms, up to 10 s", () => {
  assert.deepEqual(refusal({ boards: { pico: { periodMs: 0.15 } } }), [
    "boards.pico.periodMs: a multiple of 0.1 ms",
  ]);
  assert.deepEqual(refusal({ boards: { "espruino-esp32": { periodMs: 10_001 } } }), [
    "boards.espruino-esp32.periodMs: at most 10000 is wanted, not 10001",
  ]);
  assert.deepEqual(refusal({ boards: { "espruino-esp32": { periodMs: 10_000 } } }), []);
});

test("a period that does not fit is refused with the field that stands against it", () => {
  const lowpass = { ...SAMPLED, lowpassHz: 4 };
  const [line, ...more] = refusal({
    channels: { t: lowpass },
    boards: { "espruino-esp32c3": { periodMs: 1000 } },
  });
  assert.equal(more.length, 0);
  assert.match(line!, /^boards\.espruino-esp32c3\.periodMs: channels\.t\.lowpassHz: between /);
  const accelerometers = { x: { device: 0, rateHz: 3200, rangeG: 16 } };
  const [shaken] = refusal({
    accelerometers,
    channels: { v: { kind: "vibration", accelerometer: "x", feature: "velocity-rms" } },
    boards: { "kaluma-pico": { periodMs: 50 } },
  });
  assert.match(shaken!, /periodMs: accelerometers\.x\.rateHz: at most 1280 at a period of 50 ms$/);
});

test("a slowed channel keeps its times: period, weight, counts of samples", () => {
  const channels = {
    t: { ...SAMPLED, ema: 0.2, average: 8, decimate: 20, median: 3 },
    n: { kind: "counter", input: 1, unit: "count", everyMs: 2000 },
  };
  const { type } = readNode(
    folderOf({ channels, boards: { "espruino-esp32": { periodMs: 1000, outboxSlots: 128 } } }),
  );
  const there = onBoard(type, "espruino-esp32");
  assert.deepEqual([there.periodMs, there.transport.outboxSlots], [1000, 128]);
  const t = there.channels["t"]!;
  assert.ok(t.kind === "analog");
  assert.deepEqual([t.everyMs, t.average, t.decimate, t.median], [1000, 1, 2, 3]);
  // A step of 1 after ten samples of weight 0.2, and after one of the new weight.
  const tenth = Array.from({ length: 10 }).reduce<number>((y) => y + 0.2 * (1 - y), 0);
  assert.ok(Math.abs(t.ema - tenth) < 1e-12);
  const n = there.channels["n"]!;
  assert.ok(n.kind === "counter");
  assert.equal(n.everyMs, 2000);
  assert.deepEqual(onBoard(type, "pico").channels, type.channels);
});

test("oven and meter fit each JavaScript board: at most 8,192 octets a module", async () => {
  for (const name of ["oven", "meter"]) {
    const folder = join(PROJECT, "firmware/nodes", name);
    const own = await buildNode(folder);
    for (const board of Object.keys(readNode(folder).type.boards)) {
      const built = await buildNode(folder, { board });
      assert.notDeepEqual(built.link.hash, own.link.hash, "the period stands in the birth message");
      for (const module of ["loop", "link"] as const)
        assert.ok(memoryBytes(built[module].wasm) <= 8192, `${name} for ${board}`);
    }
  }
});

function memoryBytes(wasm: Uint8Array): number {
  const module = new WebAssembly.Module(wasm as BufferSource);
  const imports = WebAssembly.Module.imports(module);
  const host = Object.fromEntries(imports.map(({ name }) => [name, () => 0]));
  const { memoryBytes } = new WebAssembly.Instance(module, { host }).exports;
  return (memoryBytes as () => number)();
}
