// SPDX-License-Identifier: MIT
// Goal: a node folder anywhere builds to two sound modules, or is refused.
//
// Method: folders with a space in the path outside the project; planted mistakes in loop.ts; exact texts.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { cacheFolder, hashTexts, putCached, takeCached } from "../../scripts/build/cache.ts";
import { compile } from "../../scripts/build/compile.ts";
import { checkModule, EXPORTS, IMPORTS } from "../../scripts/build/imports.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { readSignatures } from "../../scripts/build/signatures.ts";
import { createSourceTree } from "../../scripts/build/sources.ts";
import { Failure } from "../../scripts/cli/failure.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";

const top = makeFolder();
const LOOP = [
  'import { report } from "ferrule/loop";',
  'import { EFFORT } from "ferrule/node";',
  'import { half } from "./parts/half";',
  "export function decide(): void {",
  "  report(EFFORT, half(84));",
  "}",
];
const HALF = "export function half(x: i32): i32 {\n  return x / 2;\n}\n";

async function refusal(name: string, files: Record<string, string>): Promise<string> {
  const folder = putFiles(join(top, name), { "node.json": nodeJson(), ...files });
  try {
    await buildNode(folder);
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exitCode, 1);
    return error.message.replaceAll(`${folder}/`, "");
  }
  return "built";
}

test("the tables of host functions are those of SPEC.md", () => {
  const spec = readFileSync(join(import.meta.dirname, "../../SPEC.md"), "utf8");
  for (const name of ["loop", "link"] as const) {
    const part = spec.split(/^### /m).find((text) => text.includes(`\`${name}\`\n`)) ?? "";
    const [exportRows = "", importRows = ""] = part.split("| import |").map((text) => text);
    assert.deepEqual(readRows(importRows), IMPORTS[name], name);
    assert.deepEqual(readRows(exportRows), EXPORTS[name], name);
  }
});

// | `name(a, b): i32` | meaning |
function readRows(text: string): Record<string, [number, number]> {
  const rows = text.matchAll(/^\| `(\w+)\(([^)]*)\)(: i32)?` \|/gm);
  return Object.fromEntries(
    [...rows].map(([, name, args, result]) => {
      const count = args === "" ? 0 : (args ?? "").split(",").length;
      return [name ?? "", [count, result === undefined ? 0 : 1] as [number, number]];
    }),
  );
}

test("the example nodes build to modules with exactly the listed signatures", async () => {
  for (const name of ["oven", "meter"]) {
    const folder = join(import.meta.dirname, "../../firmware/nodes", name);
    const built = await buildNode(folder);
    assert.deepEqual(checkModule("loop", built.loop.wasm), []);
    assert.deepEqual(checkModule("link", built.link.wasm), []);
    const hash = createHash("sha256").update(built.loop.wasm).digest("hex");
    assert.equal(Buffer.from(built.loop.hash).toString("hex"), hash);
  }
});

test("a folder outside the project with Windows line ends builds", async () => {
  const files = {
    "node.json": nodeJson().replaceAll("\n", "\r\n"),
    "loop.ts": `${LOOP.join("\r\n")}\r\n`,
    "parts/half.ts": HALF,
  };
  const folder = putFiles(join(top, "good node"), files);
  const first = await buildNode(folder);
  assert.ok(first.loop.wasm.length > 500);
  putFiles(folder, { "parts/half.ts": HALF.replace("/ 2", "/ 3") });
  const second = await buildNode(folder);
  assert.notDeepEqual(second.loop.hash, first.loop.hash, "an own file belongs to the cache's key");
  assert.deepEqual(second.link.hash, first.link.hash);
});

test("another node.json gives other modules, the same one the same", async () => {
  const folder = putFiles(join(top, "tuned"), { "node.json": nodeJson() });
  const first = await buildNode(folder);
  putFiles(folder, { "node.json": nodeJson({ periodMs: 20 }) });
  const slower = await buildNode(folder);
  assert.notDeepEqual(slower.link.hash, first.link.hash, "the period stands in the birth message");
  assert.notDeepEqual(slower.loop.hash, first.loop.hash, "100 ms are other ticks");
  putFiles(folder, { "node.json": nodeJson() });
  assert.deepEqual((await buildNode(folder)).link.hash, first.link.hash);
});

test("an error in loop.ts shows the user's file, line and column", async () => {
  const loop = LOOP.map((line) => line.replace("half(84)", "halve(84)")).join("\r\n");
  assert.equal(
    await refusal("bad name", { "loop.ts": loop, "parts/half.ts": HALF }),
    [
      "loop.ts:5:18: Cannot find name 'halve'. (AS2304)",
      "    report(EFFORT, halve(84));",
      "                   ^^^^^",
    ].join("\n"),
  );
});

test("a loop.ts without decide() is told so", async () => {
  const text = await refusal("no decide", { "loop.ts": "export function tick2(): void {}\n" });
  assert.equal(text, "loop.ts:1:1: it must export function decide(): void");
});

test("a file that is not there and a file outside the folder are named", async () => {
  const missing = await refusal("missing", { "loop.ts": LOOP.join("\n") });
  assert.equal(missing.split("\n")[0], "loop.ts:3:22: File 'parts/half.ts' not found. (AS6054)");
  const outside = 'import { x } from "../x";\nexport function decide(): void { x(); }\n';
  putFiles(top, { "x.ts": "export function x(): void {}\n" });
  const text = await refusal("outside", { "loop.ts": outside });
  assert.equal(text.split("\n")[0], "loop.ts:1:19: File 'x.ts' not found. (AS6054)");
});

test("only a node with a tap that polls may import tap_put", async () => {
  const loop = [
    '@external("host", "tap_put") declare function put(tap: i32, at: i32, length: i32): i32;',
    "export function decide(): void { put(0, 0, 8); }",
  ].join("\n");
  assert.equal(
    (await refusal("sender", { "loop.ts": loop })).replace(/^.*?: /, "").split("\n")[0],
    'loop imports tap_put, and no tap of this node has "mode": "poll"',
  );
});

test("a host function outside the list is refused with its name and the list", async () => {
  const loop = [
    '@external("host", "flash_erase") declare function erase(offset: i32): i32;',
    "export function decide(): void { erase(0); }",
  ].join("\n");
  assert.equal(
    (await refusal("greedy", { "loop.ts": loop })).replace(/^.*?: /, ""),
    "loop imports host.flash_erase, which it may not; " +
      "loop may import now_us, adc_read, pwm_write, digital_read, digital_write, pulse_count, " +
      "burst_take, tap_take, tap_put, edge_take, edge_unit_ps, tap_open, ring_put, mailbox_take",
  );
});

test("a function of the list with another signature or another module is refused", async () => {
  const text = (declared: string): string =>
    `${declared} declare function f(a: i64): i32;\n` +
    "export function init(): void { f(1); }\nexport function tick(): void {}\n" +
    "export function memoryBytes(): i32 { return __heap_base as i32; }\n";
  const check = async (declared: string): Promise<string[]> => {
    const tree = createSourceTree({ folder: undefined, overlay: { "a.ts": text(declared) } });
    const compiled = await compile(tree, "a.ts");
    assert.ok(compiled.ok);
    return checkModule("loop", compiled.wasm);
  };
  assert.deepEqual(await check('@external("host", "adc_read")'), [
    "loop imports adc_read as (i64)->(i32), not (i32)->(i32)",
  ]);
  const [foreign = ""] = await check('@external("env", "adc_read")');
  assert.match(foreign, /^loop imports env\.adc_read, which it may not; /);
});

test("a module without the exports that the host calls is refused", () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  assert.ok(WebAssembly.validate(empty));
  assert.deepEqual(readSignatures(empty), { imports: [], exports: [] });
  assert.deepEqual(checkModule("loop", empty), [
    "loop exports init as nothing, not ()->()",
    "loop exports tick as nothing, not ()->()",
    "loop exports memoryBytes as nothing, not ()->(i32)",
    "loop exports memory as nothing, not memory",
  ]);
});

test("the signatures read from a module are those that WebAssembly sees", async () => {
  const { link } = await buildNode(join(import.meta.dirname, "../../firmware/nodes/oven"));
  const module = new WebAssembly.Module(link.wasm as BufferSource);
  const { imports, exports } = readSignatures(link.wasm);
  assert.deepEqual(
    imports.map(({ module: from, name }) => `${from}.${name}`),
    WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`),
  );
  assert.deepEqual(
    exports.map(({ name }) => name),
    WebAssembly.Module.exports(module).map(({ name }) => name),
  );
});

test("no two lists of texts share a cache key", () => {
  const keys = [
    hashTexts([["a", "bc"]]),
    hashTexts([["ab", "c"]]),
    hashTexts([
      ["a", ""],
      ["", "bc"],
    ]),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test("a cached module comes back; a damaged or absent one does not", () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const key = `test-${process.pid}`;
  const file = join(cacheFolder() ?? "", `${key}.wasm`);
  after(() => rmSync(file, { force: true }));
  assert.equal(takeCached(key), undefined);
  putCached(key, empty);
  assert.deepEqual(takeCached(key), empty);
  writeFileSync(file, empty.subarray(0, 7));
  assert.equal(takeCached(key), undefined);
});
