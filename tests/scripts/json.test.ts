// SPDX-License-Identifier: MIT
// Goal: descriptions are read as JSON says, and mistakes shown where they are.
//
// Method: small texts against JSON.parse as the oracle, each strict prefix, and random bytes by seed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { fieldKey, readJson } from "../../scripts/build/json.ts";

const SEED = Number(process.env["SEED"] ?? 20261125);
const METER = new URL("../../firmware/nodes/meter/node.json", import.meta.url);

function errorOf(text: string): string {
  const read = readJson(text);
  if (read.ok) return "ok";
  return `${read.error.line}:${read.error.column} ${read.error.message}`;
}

test("what JSON.parse takes is taken with the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      const read = readJson(text);
      if (text.includes("__proto__")) return;
      assert.deepEqual(read.ok && read.value, JSON.parse(text));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("each strict prefix of a description is refused with a place", () => {
  const text = readFileSync(METER, "utf8").trimEnd();
  for (let length = 0; length < text.length; length++)
    assert.match(errorOf(text.slice(0, length)), /^\d+:\d+ /);
  assert.equal(errorOf(text), "ok");
  assert.match(errorOf(`${text}}`), /unexpected "}" after the end$/);
});

test("random text never throws", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200, unit: "binary" }), (text) => {
      errorOf(text);
      errorOf(`{"a":[${text}`);
    }),
    { seed: SEED, numRuns: 500 },
  );
});

test("Windows line ends and a byte order mark change nothing", () => {
  const read = readJson('\uFEFF{\r\n  "a": 1,\r\n  "b": [true]\r\n}\r\n');
  assert.ok(read.ok);
  assert.deepEqual(read.value, { a: 1, b: [true] });
  assert.equal(read.lines.get(fieldKey(["b"])), 3);
  assert.equal(read.lines.get(fieldKey(["b", 0])), 3);
});

const MISTAKES: [string, string][] = [
  ['{\n  "a": 1,\n}', '3:1 a "," too many'],
  ['{\n  "a": 1\n  "b": 2\n}', '3:3 "," or "}" is wanted, not "\\""'],
  ['{ "a" 1 }', '1:7 ":" is wanted, not "1"'],
  ['{ "a": 1, "a": 2 }', '1:11 "a" stands here a second time'],
  ["{ a: 1 }", '1:3 a "name" is wanted, not "a"'],
  ['{ "a": .5 }', '1:8 ".5" is no JSON value'],
  ['{ "a": 1 // one\n}', "1:10 JSON has no comments"],
  ['{ "a": "x\n" }', "1:8 this text has no closing quote"],
  ['{ "a": "\\x" }', "1:8 this text has an escape or a sign that JSON does not know"],
  ['{ "__proto__": 1 }', '1:3 "__proto__" is not a name'],
  ["[1 2]", '1:4 "," or "]" is wanted, not "2"'],
  ["", "1:1 a value is wanted, not end of the file"],
  ["nul", '1:1 "nul" is no JSON value'],
  ["[".repeat(40), "1:34 nested deeper than 32"],
];

test("each mistake is named where it is", () => {
  for (const [text, error] of MISTAKES) assert.equal(errorOf(text), error);
});
