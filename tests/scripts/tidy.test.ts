// SPDX-License-Identifier: MIT
// Goal: each rule of the house is broken once and seen.
//
// Method: small trees of planted files through the checker; the words it looks for are put together here.

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { EXCEPTIONS } from "../../scripts/tidy/exceptions.ts";
import { checkFiles, readTracked } from "../../scripts/tidy.ts";

const HEAD = "// SPDX-License-Identifier: MIT\n// A planted file.\n\n";
const SOUND: Record<string, string> = {
  "package.json": '{ "dependencies": { "zod": "4.6.7" } }\n',
  "package-lock.json": '{ "packages": { "node_modules/zod": { "version": "4.6.7" } } }\n',
  "ARCHITECTURE.md": "| zod | schemas |\n",
  ".npmrc": "engine-strict=true\n",
};

/** Problems of a sound tree with these files laid over it, as "path:line rule". */
function check(files: Record<string, string>): string[] {
  const texts = new Map(Object.entries({ ...SOUND, ...files }));
  return checkFiles(texts).map(({ path, line, rule }) => `${path}:${line} ${rule}`);
}

/** Problems of one gateway core that something imports. */
function checkCore(code: string): string[] {
  const user = `${HEAD}import "../../gateway/planted.ts";\n`;
  return check({ "gateway/planted.ts": HEAD + code, "tests/gateway/user.test.ts": user });
}

test("a sound tree has no problem", () => {
  assert.deepEqual(check({}), []);
  assert.deepEqual(checkCore("export const a = 1;\n"), []);
});

test("T1: a long file, a test being allowed more and a command less", () => {
  assert.deepEqual(checkCore("export const a = 1;\n".repeat(398)), ["gateway/planted.ts:401 T1"]);
  const long = HEAD + "export {};\n".repeat(598);
  assert.deepEqual(check({ "tests/a.test.ts": long }), ["tests/a.test.ts:601 T1"]);
  const command = (lines: number): string[] =>
    check({
      "scripts/commands/planted.ts": HEAD + "export {};\n".repeat(lines - 3),
    }).filter((problem) => problem.endsWith("T1"));
  assert.deepEqual(command(60), []);
  assert.deepEqual(command(61), ["scripts/commands/planted.ts:61 T1"]);
});

test("T2: a long function, many parameters, not a table and not a block of tests", () => {
  const long = `export function f(): void {\n${"  f();\n".repeat(59)}}\n`;
  assert.deepEqual(checkCore(long), ["gateway/planted.ts:4 T2"]);
  const many =
    "export const f = (a: 1, b: 1, c: 1, d: 1, e: 1, g: 1): void => void [a, b, c, d, e, g];\n";
  assert.deepEqual(checkCore(many), ["gateway/planted.ts:4 T2"]);
  const cases = Array.from({ length: 70 }, (_, i) => `    case ${i}:\n      return ${i};\n`);
  const table = `export function f(x: number): number {\n  switch (x) {\n${cases.join("")}  }\n`;
  assert.deepEqual(checkCore(`${table}  return 0;\n}\n`), []);
  const block = `describe("x", () => {\n${"  f();\n".repeat(70)}});\n`;
  assert.deepEqual(check({ "tests/a.test.ts": HEAD + block }), []);
});

test("T3: columns of code, tabs, line ends, the last line; a comment may be longer", () => {
  const wide = `export const a = "${"x".repeat(90)}";\n`;
  assert.deepEqual(checkCore(wide), ["gateway/planted.ts:4 T3"]);
  assert.deepEqual(checkCore(`export const a = 1; // ${"why ".repeat(30)}.\n`), []);
  assert.deepEqual(checkCore("export const a =\t1;\n"), ["gateway/planted.ts:4 T3"]);
  assert.deepEqual(checkCore("export const a = 1;\r\n"), ["gateway/planted.ts:4 T3"]);
  assert.deepEqual(checkCore("export const a = 1; \n"), ["gateway/planted.ts:4 T3"]);
  assert.deepEqual(checkCore("export const a = 1;"), ["gateway/planted.ts:4 T3"]);
  assert.deepEqual(check({ "a.md": "x" }), ["a.md:1 T3"]);
});

test("T4: the head of a file", () => {
  const file = (text: string): string[] => check({ "tests/a.test.ts": text });
  assert.deepEqual(file("export {};\n"), ["tests/a.test.ts:1 T4"]);
  assert.deepEqual(file("// SPDX-License-Identifier: MIT\nexport {};\n"), ["tests/a.test.ts:2 T4"]);
  assert.deepEqual(file("// SPDX-License-Identifier: MIT\n// No stop\n"), ["tests/a.test.ts:2 T4"]);
  const long = `// SPDX-License-Identifier: MIT\n// ${"x".repeat(80)}.\n`;
  assert.deepEqual(file(long), ["tests/a.test.ts:2 T4"]);
  assert.deepEqual(file(`#!/usr/bin/env node\n${HEAD}`), []);
});

const IMPORTS: [string, string, boolean][] = [
  ["firmware/wire/a.ts", "./b", true],
  ["firmware/wire/a.ts", "../loop/sample", false],
  ["firmware/loop/sample.ts", "../wire/a", true],
  ["firmware/loop/sample.ts", "./decide", false],
  ["firmware/loop/decide.ts", "./sample", true],
  ["firmware/loop/sample.ts", "./abi", false],
  ["firmware/loop/index.ts", "./abi", true],
  ["firmware/loop/index.ts", "../link/outbox", false],
  ["firmware/link/outbox.ts", "./abi", false],
  ["firmware/link/mqttsn/packet.ts", "../cbor", true],
  ["firmware/nodes/x/loop.ts", "ferrule/loop", true],
  ["firmware/nodes/x/loop.ts", "../../loop/abi", false],
  ["gateway/session.ts", "./packet.ts", true],
  ["gateway/session.ts", "./udp.ts", false],
  ["gateway/session.ts", "node:dgram", false],
  ["gateway/session.ts", "../firmware/link/cbor.ts", false],
  ["gateway/udp.ts", "node:dgram", true],
  ["gateway/udp.ts", "../host-sim/clock.ts", false],
  ["hub/registry.ts", "./server.ts", false],
  ["hub/registry.ts", "../gateway/packet.ts", false],
  ["hub/web/chart.ts", "../api.ts", true],
  ["hub/web/chart.ts", "node:fs", false],
  ["hub/web/chart.ts", "../registry.ts", false],
  ["host-sim/clock.ts", "../gateway/session.ts", true],
  ["host-sim/clock.ts", "../gateway/udp.ts", false],
  ["host-sim/clock.ts", "node:dgram", false],
  ["host-sim/clock.ts", "../firmware/loop/sample.ts", false],
  ["host-sim/clock.ts", "../hub/web/chart.ts", false],
  ["hub/registry.ts", "../scripts/tidy.ts", false],
  ["scripts/tidy.ts", "../tests/support/need.ts", false],
];

test("T5: who may import whom", () => {
  for (const [from, name, allowed] of IMPORTS) {
    const found = check({ [from]: `${HEAD}import ${JSON.stringify(name)};\n` });
    assert.equal(!found.includes(`${from}:4 T5`), allowed, `${from} imports ${name}`);
  }
  const dynamic = checkCore('export const a = (): unknown => import("node:net");\n');
  assert.ok(dynamic.includes("gateway/planted.ts:4 T5"));
});

test("T6: time, entropy and the outside world in a core", () => {
  const hidden = [
    "Date.now()",
    "performance.now()",
    "process.env",
    "Math.random()",
    "eval",
    "setTimeout",
  ];
  for (const code of hidden)
    assert.deepEqual(checkCore(`export const a = ${code};\n`), ["gateway/planted.ts:4 T6"], code);
  assert.deepEqual(checkCore("export const a = { Date: 1 }.Date;\n"), []);
  assert.deepEqual(check({ "tests/a.test.ts": `${HEAD}Math.random();\n` }), [
    "tests/a.test.ts:4 T6",
  ]);
  assert.deepEqual(check({ "tests/a.test.ts": `${HEAD}Date.now();\n` }), []);
});

test("T7: names that collect unrelated code", () => {
  for (const path of ["gateway/utils.ts", "tests/misc/a.test.ts", "common/a.test.ts"])
    assert.ok(check({ [path]: HEAD }).includes(`${path}:1 T7`), path);
  assert.deepEqual(check({ "tests/database.test.ts": HEAD }), []);
});

test("T8: inheritance and TypeScript that does not vanish", () => {
  const refused = ["class A extends B {}", "enum A { B }", "namespace A {}"];
  for (const code of refused)
    assert.deepEqual(checkCore(`export ${code}\n`), ["gateway/planted.ts:4 T8"], code);
  const property = "export class A {\n  constructor(readonly b: number) {}\n}\n";
  assert.deepEqual(checkCore(property), ["gateway/planted.ts:5 T8"]);
  assert.deepEqual(checkCore("export class A extends Error {}\n"), []);
});

test("T9: unfinished business, code in comments, files nobody imports", () => {
  assert.deepEqual(checkCore(`// ${"TO" + "DO"} later\nexport {};\n`), ["gateway/planted.ts:4 T9"]);
  assert.deepEqual(checkCore("// const a = 1;\nexport {};\n"), ["gateway/planted.ts:4 T9"]);
  assert.deepEqual(checkCore("// a reading waits; then it goes\nexport {};\n"), []);
  assert.deepEqual(check({ "gateway/alone.ts": HEAD }), ["gateway/alone.ts:1 T9"]);
});

test("T10: host functions only in the abi files, as listed", () => {
  const declared = (name: string, args: string): string =>
    `${HEAD}@external("host", "${name}")\nexport declare function f(${args}): i32;\n`;
  const file = (path: string, text: string): string[] =>
    check({ [path]: text }).filter((problem) => problem.endsWith("T10"));
  assert.deepEqual(file("firmware/loop/abi.ts", declared("adc_read", "input: i32")), []);
  assert.equal(file("firmware/loop/abi.ts", declared("adc_read", "")).length, 1);
  assert.equal(file("firmware/loop/abi.ts", declared("entropy", "a: i32, b: i32")).length, 1);
  assert.equal(file("firmware/loop/sample.ts", declared("adc_read", "input: i32")).length, 1);
});

test("T11: no allocation and no float where the tick can reach", () => {
  const refused = ["new A()", "[1, 2]", '"text"', "memory.grow(1)", "<f64>1", "<f32>1"];
  for (const code of refused) {
    const text = `${HEAD}export const a = ${code};\n`;
    const found = check({ "firmware/loop/sample.ts": text });
    assert.ok(found.includes("firmware/loop/sample.ts:4 T11"), code);
  }
  const table = `${HEAD}export const a = memory.data<u8>([1, 2]);\n`;
  const found = check({ "firmware/loop/sample.ts": table });
  assert.ok(!found.some((problem) => problem.endsWith("T11")));
});

test("T12: dependencies are pinned, locked and explained", () => {
  assert.deepEqual(check({ "package.json": '{ "dependencies": { "zod": "^4.6.7" } }\n' }), [
    "package.json:1 T12",
  ]);
  assert.deepEqual(check({ "package.json": '{ "devDependencies": { "zod": "4.6.8" } }\n' }), [
    "package-lock.json:1 T12",
  ]);
  assert.deepEqual(check({ "ARCHITECTURE.md": "| zodiac | x |\n" }), ["ARCHITECTURE.md:1 T12"]);
  assert.deepEqual(check({ ".npmrc": "\n" }), [".npmrc:1 T12"]);
});

test("T13: tests that do not run", () => {
  const refused = [
    'test.only("x", f);',
    'test.skip("x", f);',
    'test("x", { skip: true }, f);',
    'it("x", { only: true }, f);',
    "xit(f);",
    `${"/* c8 " + "ignore file */"}`,
  ];
  for (const code of refused)
    assert.deepEqual(
      check({ "tests/a.test.ts": `${HEAD}${code}\n` }),
      ["tests/a.test.ts:4 T13"],
      code,
    );
  assert.deepEqual(check({ "tests/a.test.ts": `${HEAD}ring.skip(2);\n` }), []);
});

test("T14: nothing of one machine", () => {
  const refused = [
    `cd ${"/ho" + "me/me/project"}`,
    `cat ${"/tm" + "p/x"}`,
    `ping ${"192." + "168.1.4"}`,
    `ping ${"10." + "1.2.3"}`,
    `${"-----BEGIN "}PRIVATE KEY-----`,
    `https://${"registry." + "npmjs.org"}/zod`,
  ];
  for (const text of refused)
    assert.deepEqual(check({ "a.md": `${text}\n` }), ["a.md:1 T14"], text);
  assert.deepEqual(
    check({ "a.md": "ping 192.0.2.10, 127.0.0.1; version 10.1.2.3.4; src/tmp/x\n" }),
    [],
  );
});

test("every exception has a reason and still has a file it is for", () => {
  const paths = [...readTracked(resolve(import.meta.dirname, "../..")).keys()];
  for (const { rule, path, reason } of EXCEPTIONS) {
    assert.ok(reason.length > 10, rule);
    assert.ok(
      paths.some((p) => path.test(p)),
      `${rule} ${String(path)} fits no file any more`,
    );
  }
});
