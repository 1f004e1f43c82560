// SPDX-License-Identifier: MIT
// What the bundles of the example nodes take, and what their build refuses.
//
// Goal: octets, memory and modelled variables keep the budgets of the boards or are refused with the figure, and only
// shrink (js-sizes.json); the same input gives the same octets; a bundle with a fault planted into it is not written.
// Method: the real build; faults are planted into the finished script and the build's last look takes it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkBundle } from "../../boards/js/check.ts";
import { readHex, storageFiles } from "../../scripts/build/hex.ts";
import { type JsBundle, makeJs, requireJsBudget, writeJs } from "../../scripts/build/js.ts";
import { jsSizeTable } from "../../scripts/build/js-size.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { PROJECT } from "../support/ferrule.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule bundle "));
after(() => rmSync(folder, { recursive: true, force: true }));

type Numbers = Record<string, number>;
const TABLE = JSON.parse(readFileSync(new URL("js-sizes.json", import.meta.url), "utf8")) as Record<
  string,
  Numbers
>;

interface Made {
  built: BuiltNode;
  bundle: JsBundle;
}
const made = new Map<string, Promise<Made>>();

/** The bundle of an example node, made once. */
function make(node: string, board: string): Promise<Made> {
  const key = `${node} on ${board}`;
  if (!made.has(key)) made.set(key, makeNow(node, board));
  return made.get(key)!;
}

async function makeNow(node: string, board: string): Promise<Made> {
  const built = await buildNode(join(PROJECT, "firmware/nodes", node), { board });
  return { built, bundle: await makeJs(board, built) };
}

const RUNS = ["kaluma-pico", "espruino-esp32c3"].flatMap((board) =>
  ["oven", "meter"].map((node) => [node, board] as const),
);

for (const [node, board] of RUNS)
  test(`${node} on ${board} takes what the table says`, async (t) => {
    const { bundle } = await make(node, board);
    const { takes } = bundle;
    t.diagnostic(`${node} on ${board}\n${jsSizeTable(takes)}`);
    const found = Object.fromEntries(takes.rows.map((row) => [row.part, row.takes]));
    assert.doesNotMatch(bundle.code, /memoryBytes|waiting/, "what the host never calls");
    const line = `"${node} on ${board}": ${JSON.stringify(found)}`;
    const most = TABLE[`${node} on ${board}`];
    assert.ok(most !== undefined, `tests/boards/js-sizes.json lacks ${line}`);
    for (const [part, now] of Object.entries(found)) {
      const before: number = most[part] ?? 0;
      assert.ok(now <= before, `${part} grew: ${line}`);
      assert.equal(now, before, `${part} shrank: put ${line} into tests/boards/js-sizes.json`);
    }
  });

for (const [node, board] of RUNS)
  test(`${node} keeps the budgets of ${board} or is refused with the figure`, async () => {
    const { bundle } = await make(node, board);
    const { bundleBytesMax: most } = bundle.board;
    const octets = bundle.code.length;
    const require = () => requireJsBudget(node, bundle);
    if (bundle.takes.kept) assert.doesNotThrow(require);
    else if (octets <= most) assert.throws(require, /over its budget/);
    else
      assert.throws(require, new RegExp(`bundle: ${octets} of ${most}, ${octets - most} too many`));
  });

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("the same input gives the same octets in any folder, one script in each", async () => {
  const { built, bundle } = await make("oven", "kaluma-pico");
  const again = await makeNow("oven", "kaluma-pico");
  const [one, two] = ["one", "two with a longer name"].map((name) => join(folder, name));
  const first = await writeJs(bundle, built, one!);
  const second = await writeJs(again.bundle, again.built, two!);
  for (const file of readdirSync(one!))
    assert.deepEqual(readFileSync(join(one!, file)), readFileSync(join(two!, file)), file);
  assert.deepEqual(
    readdirSync(one!).filter((name) => name.endsWith(".js")),
    ["oven.js"],
  );
  const script = readFileSync(first.program, "latin1");
  assert.equal(script, readFileSync(second.program, "latin1"));
  const manifest = JSON.parse(readFileSync(first.manifest, "utf8")) as {
    bundle: { bytes: number; sha256: string };
    modules: Record<"loop" | "link", { sha256: string; memoryBytes: number }>;
    tools: Record<string, string>;
  };
  assert.deepEqual(manifest.bundle, {
    file: "oven.js",
    bytes: script.length,
    sha256: sha256(script),
  });
  for (const name of ["loop", "link"] as const) {
    assert.equal(manifest.modules[name].sha256, Buffer.from(built[name].hash).toString("hex"));
    assert.equal(manifest.modules[name].memoryBytes, bundle.memory[name]);
  }
  for (const tool of ["ferrule", "assemblyscript", "binaryen", "acorn", "espruino"])
    assert.match(manifest.tools[tool]!, /^\d+\.\d+/, tool);
  writeFileSync(join(two!, "old.js"), "");
  const refused = /already holds old\.js, and a folder holds one script/;
  await assert.rejects(writeJs(bundle, built, two!), refused);
});

test("the HEX of an Espruino Pico holds the bundle", async () => {
  const { built, bundle } = await make("oven", "espruino-rp2040");
  const image = await writeJs(bundle, built, join(folder, "hex"));
  const files = storageFiles(readHex(readFileSync(image.hex!, "latin1")));
  const kept = Buffer.from(files.get(".bootcde")!).toString("latin1");
  assert.equal(kept, bundle.code);
  assert.equal(kept, readFileSync(image.program, "latin1"));
});

/** The script with one thing changed; what is searched must be there. */
function planted(code: string, from: RegExp, to: (found: string) => string): string {
  assert.match(code, from);
  return code.replace(from, to);
}

const OTHERWISE = /the known run of the bundle fails: (trap|ferrule: this engine computes wrongly)/;
const FAULTS: readonly [string, (code: string) => string, RegExp][] = [
  [
    "a flipped data octet",
    (code) => planted(code, /(?<=,\d+,')[^'{};]{20,}(?=')/, flipped),
    OTHERWISE,
  ],
  [
    "a label left in",
    (code) => planted(code, /return /, (text) => `q:for(;;){break q}${text}`),
    /outside what the engine knows:\n {2}1: label q/,
  ],
  [
    "a memory of 64 KiB",
    (code) => planted(code, /new ArrayBuffer\(\d+\)/, () => "new ArrayBuffer(65536)"),
    /memory of 65536 octets, at most 8192/,
  ],
  [
    "a character outside ASCII",
    (code) => planted(code, /'ferrule: /, () => "'f\u00e9rrule: "),
    /outside what the engine knows:\n {2}1: not ASCII/,
  ],
  ["half of a script", (code) => code.slice(0, code.length / 2), /not ES5/],
];

// One character of the data, to its neighbour that means another octet.
function flipped(text: string): string {
  const at = text.length >> 1;
  const other = text[at] === "k" ? "m" : "k";
  return `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
}

for (const [name, plant, message] of FAULTS)
  test(`${name} fails the build`, async () => {
    const { code } = (await make("oven", "espruino-rp2040")).bundle;
    assert.doesNotThrow(() => checkBundle(code));
    assert.throws(() => checkBundle(plant(code)), message);
  });
