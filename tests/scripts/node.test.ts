// SPDX-License-Identifier: MIT
// Goal: a wrong node.json is refused with every mistake at once.
//
// Method: node folders with planted mistakes, read as the build reads them; the exact text is compared.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../scripts/cli/failure.ts";
import { nodeJsonSchema, readNode } from "../../scripts/build/node.ts";
import { plantJsonSchema } from "../../scripts/build/plant.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";

const top = makeFolder();
let made = 0;

function refusal(text: string): { code: number; lines: string[] } {
  const folder = putFiles(join(top, `node ${++made}`), { "node.json": text });
  try {
    readNode(folder);
  } catch (error) {
    assert.ok(error instanceof Failure);
    const lines = error.message.split("\n").map((line) => line.replace(`${folder}/`, ""));
    return { code: error.exitCode, lines };
  }
  return { code: 0, lines: [] };
}

test("the example nodes are sound", () => {
  for (const name of ["oven", "meter", "press", "scale"]) {
    const node = readNode(join(import.meta.dirname, "../../firmware/nodes", name));
    assert.equal(node.type.type, name);
  }
});

test("a folder that is not there is not found", () => {
  assert.throws(() => readNode(join(top, "nowhere")), {
    exitCode: 3,
    message: `there is no folder ${join(top, "nowhere")}`,
    next: "give a folder that holds a node.json",
  });
});

test("a folder without node.json is not found", () => {
  const folder = putFiles(join(top, "empty"), { "readme.md": "" });
  assert.throws(() => readNode(folder), {
    exitCode: 3,
    message: `${folder} holds no node.json`,
  });
});

test("broken JSON is shown with its line", () => {
  assert.deepEqual(refusal('{\r\n  "type": "x",\r\n  "channels": {},\r\n}\r\n'), {
    code: 1,
    lines: ['node.json:4:1: a "," too many', "  }", "  ^"],
  });
});

test("all mistakes come at once, in the order of the file", () => {
  const text = [
    "{",
    '  "type": "my node",',
    '  "channels": {',
    '    "a": { "kind": "analg" },',
    '    "b": {',
    '      "kind": "analog", "input": 99, "unit": "°C", "evryMs": 10,',
    '      "scale": { "raw": [0, 4095], "value": [0] },',
    '      "alarms": { "hot": { "above": 1, "below": 2 } }',
    "    },",
    '    "c": { "kind": "register", "unitId": "1" }',
    "  },",
    '  "taps": { "bus": { "uart": 0, "protocol": "modbus-rtu", "format": "8X1" } }',
    "}",
  ].join("\n");
  assert.deepEqual(refusal(text).lines, [
    "node.json:2 type: a name is 1 to 32 letters, digits, - and _, and starts with no sign",
    'node.json:4 channels.a.kind: "analg" is not known here; ' +
      "one of analog, register, computed, digital, counter, vibration, state, field, object " +
      "is wanted",
    "node.json:6 channels.b.input: at most 15 is wanted, not 99",
    'node.json:6 channels.b.unit: "°C" is not known here; did you mean "Cel"?',
    'node.json:6 channels.b.evryMs: unknown field; did you mean "everyMs"?',
    "node.json:7 channels.b.scale.value: at least 2 values are wanted",
    'node.json:8 channels.b.alarms.hot: give exactly one of "above" and "below"',
    "node.json:10 channels.c.tap: is missing; a string is wanted",
    'node.json:10 channels.c.unitId: a number is wanted, not "1"',
    "node.json:10 channels.c.table: is missing; one of coil, discrete, holding, input is wanted",
    "node.json:10 channels.c.address: is missing; a number is wanted",
    'node.json:12 taps.bus.format: "8X1" is not known here; ' +
      "one of 8N1, 8N2, 8E1, 8O1, 7E1, 7O1 is wanted",
  ]);
});

test("a channel on a tap that is not there names the taps that are", () => {
  const register = { kind: "register", tap: "bsu", unitId: 1, table: "input", address: 0 };
  const taps = { bus: { uart: 0, protocol: "modbus-rtu" } };
  const { lines } = refusal(nodeJson({ channels: { volts: register }, taps }));
  assert.deepEqual(lines, ['node.json:6 channels.volts.tap: there is no tap "bsu"; known: bus']);
});

test("periods are tenths of a millisecond, and 0.1 divides 100 though no double is 0.1", () => {
  const scale = { raw: [0, 4095], value: [0, 100] };
  const channel = { kind: "analog", input: 0, scale, everyMs: 100 };
  for (const periodMs of [0.1, 0.2, 0.4, 0.5, 1, 2.5, 10])
    assert.deepEqual(refusal(nodeJson({ periodMs, channels: { t: channel } })).lines, []);
  const lines = [0.3, 0.7, 1.1, 0.15].map(
    (periodMs) => refusal(nodeJson({ periodMs, channels: { t: channel } })).lines,
  );
  for (const [index, periodMs] of [0.3, 0.7, 1.1].entries())
    assert.match(
      lines[index]!.join(),
      new RegExp(`everyMs.*multiple of the period, ${periodMs} ms`),
    );
  assert.match(lines[3]!.join(), /periodMs.*a multiple of 0\.1 ms/);
});

test("a description that is no object, empty or huge is refused", () => {
  assert.deepEqual(refusal("[]").lines, ["node.json:1: an object is wanted, not []"]);
  assert.deepEqual(refusal("").lines, ["node.json:1:1: a value is wanted, not end of the file"]);
  assert.deepEqual(refusal(" ".repeat((1 << 20) + 1)).lines, ["node.json is larger than 1 MB"]);
});

test("the JSON Schemas that editors use are current", () => {
  const read = (path: string): string =>
    readFileSync(join(import.meta.dirname, "../..", path), "utf8");
  assert.equal(read("firmware/node.schema.json"), nodeJsonSchema());
  assert.equal(read("plants/plant.schema.json"), plantJsonSchema());
});
