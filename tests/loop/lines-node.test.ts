// SPDX-License-Identifier: MIT
// Goal: wrong taps of lines are refused by name; the node says what it was sent.
// Method: node.json with planted mistakes; the release module beside the virtual scale, line by line.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { KIND_READING } from "../../firmware/wire/record.ts";
import { createScale } from "../../host-sim/devices/scale.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { readNode } from "../../scripts/build/node.ts";
import { nodeSchema } from "../../scripts/build/schema.ts";
import { makeFolder, putFiles } from "../scripts/folders.ts";
import { buildLoop, createLoopHost, NO_CODE, parseNode } from "../support/loop-host.ts";

const text = readFileSync(
  join(import.meta.dirname, "../../firmware/nodes/scale/node.json"),
  "utf8",
);

interface Draft {
  taps: { line: Record<string, unknown> & { patterns: Record<string, string> } };
  channels: Record<"weight" | "condition", Record<string, unknown>>;
  simulate: Record<string, unknown>;
}

function complaints(change: (node: Draft) => void): string[] {
  const node = JSON.parse(text) as Draft;
  change(node);
  const checked = nodeSchema.safeParse(node);
  return checked.success
    ? []
    : checked.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
}

const pattern = (line: string) => (node: Draft) => {
  node.taps.line.patterns["weight"] = line;
};
const mistakes: [string, (node: Draft) => void, string][] = [
  [
    "a brace that stays open",
    pattern("{weight:8} {unit} {condition"),
    'character 19: "}" is missing',
  ],
  ["a field without a name", pattern("{we ight} {unit} {condition}"), "character 1: "],
  ["two numbers side by side", pattern("{weight}{tare} {unit} {condition}"), "nothing parts"],
  ["a word with a width", pattern("{weight} {unit:2} {condition}"), '"unit" is a word'],
  ["a field twice", pattern("{weight}/{weight} {unit} {condition}"), "a second time"],
  ["a skip without end", pattern("{} {weight} {unit} {condition}"), "{} ends at the character"],
  ["an empty pattern", pattern(""), "an empty pattern"],
  ["a character that is no octet", pattern("{weight} € {unit} {condition}"), "character 10: "],
  ["too many octets", pattern(`{weight} {unit} {condition}${"x".repeat(100)}`), "too long"],
  ["a list of words nobody uses", pattern("{weight} {unit}"), "no pattern has this field"],
  ["an unknown pattern", (n) => (n.channels.weight["pattern"] = "wait"), "known: weight"],
  ["an unknown field", (n) => (n.channels.weight["field"] = "gross"), "known: weight, unit"],
  ["decimals of a word", (n) => (n.channels.condition["decimals"] = 2), "a word has whole numbers"],
  ["a scale of 0.36", (n) => (n.channels.weight["scale"] = 0.36), "a power of ten"],
  ["too few decimals", (n) => (n.channels.weight["decimals"] = 1), "at least 3"],
  ["an unknown tap", (n) => (n.channels.weight["tap"] = "lime"), 'no tap "lime"; known: line'],
  ["a machine that nobody senses", (n) => (n.simulate = { machine: "oven" }), "add one of kind"],
];

for (const [name, change, wanted] of mistakes)
  test(`refused: ${name}`, () => {
    const found = complaints(change);
    assert.ok(
      found.some((one) => one.includes(wanted)),
      `"${wanted}" is in ${JSON.stringify(found)}`,
    );
  });

test("a field on a Modbus tap, a register on a tap of lines, a scale on Modbus are refused", () => {
  const found = complaints((node) => {
    const { uart, baud } = node.taps.line;
    node.taps.line = { uart, baud, protocol: "modbus-rtu" } as unknown as Draft["taps"]["line"];
  });
  assert.ok(
    found.some((one) => one.includes("a field needs a tap of ascii-line")),
    found.join(),
  );
  assert.ok(
    found.some((one) => one.startsWith("simulate.tap: a scale sends lines")),
    found.join(),
  );
  const registers = complaints((node) => {
    node.channels.weight = {
      kind: "register",
      tap: "line",
      unitId: 1,
      table: "input",
      address: 0,
    };
  });
  assert.ok(
    registers.some((one) => one.includes("needs a tap of modbus-rtu")),
    registers.join(),
  );
});

test("a pattern is refused with its line: CR LF, a byte order mark, a blank in the path", () => {
  const folder = putFiles(join(makeFolder(), "a b"), {
    "node.json": `\ufeff${text.replace("{unit} {cond", "{unit {cond").replaceAll("\n", "\r\n")}`,
  });
  const line = text.split("\n").findIndex((one) => one.includes('"patterns"')) + 1;
  assert.throws(
    () => readNode(folder),
    (error: Error) => error.message.includes(`node.json:${line} taps.line.patterns.weight: `),
  );
});

test("the scale node publishes what the scale sent, line by line", async () => {
  const node = parseNode(JSON.parse(text));
  for (const channel of Object.values(node.channels)) channel.deadband = undefined; // every line is told
  const host = createLoopHost(await buildLoop(node, NO_CODE));
  host.init();
  const scale = createScale(0, 9600, createPrng(5));
  const octets: number[] = [];
  const times: number[] = [];
  scale.advance(120_000_000, (_, endUs, byte) => {
    octets.push(byte);
    times.push(endUs);
  });
  host.put(0, Uint8Array.from(octets), times);
  while (host.waiting(0) > 0) host.tick(host.nowUs + 10_000);
  const lines = Buffer.from(octets).toString("latin1").split("\r\n").slice(0, -1);
  const wanted = lines.map((line) => {
    const condition = line.at(-1);
    if (condition === "E") return [null, 2];
    return [Math.round(Number(line.slice(0, 8)) * 100), condition === "U" ? 1 : 0];
  });
  const weights = host.records.filter((r) => r.kind === KIND_READING && r.channel === 0);
  assert.ok(
    wanted.some(([value]) => value === null),
    "an overload is among them",
  );
  assert.deepEqual(
    weights.map(({ value, quality }) => [value, quality]),
    wanted,
  );
});
