// SPDX-License-Identifier: MIT
// Goal: `ferrule aot` writes both files or neither, and says what is wrong.
//
// Method: the command in a process of its own on small modules; exact texts.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule } from "../support/ferrule.ts";
import { assembleModule } from "./assemble.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-aot-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = assembleModule({
  imports: [{ module: "host", field: "adc read", type: "i32 -> i32" }],
  functions: [{ export: "tick", type: "->", code: "i32.const 0; call 0; drop" }],
  memory: { pages: 1 },
});
const BAD = assembleModule({
  functions: [{ export: "f", type: "->", code: `octets fd 0c ${"00 ".repeat(16)}; drop` }],
});
writeFileSync(join(folder, "good.wasm"), GOOD);
writeFileSync(join(folder, "bad.wasm"), BAD);
writeFileSync(join(folder, "text.wasm"), "hello, world");
writeFileSync(join(folder, "names.json"), '{ "host.adc read": "board_adc" }');
writeFileSync(join(folder, "list.json"), "[1]");

const inFolder = (...args: string[]) => ferrule(["aot", ...args], { cwd: folder });

test("OUT.c and OUT.h are written, and named", async () => {
  const { code, stdout, stderr } = await inFolder("good.wasm", "-o", "loop.c");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^loop\.c {2}\d+ bytes\nloop\.h {2}\d+ bytes\ntranslated in [\d.]+ s\n$/);
  const header = readFileSync(join(folder, "loop.h"), "utf8");
  for (const line of [
    "_Noreturn void loop_trap(int kind, unsigned function, unsigned offset) WASM_BORDER;",
    "uint32_t host_adc_read(uint32_t l0) WASM_BORDER;",
    "void loop_init(void) WASM_BORDER;",
    "extern uint8_t loop_memory[65536];",
    'void loop_tick(void) WASM_BORDER; // "tick"',
  ])
    assert.ok(header.split("\n").includes(line), line);
  assert.match(readFileSync(join(folder, "loop.c"), "utf8"), /^#include "loop\.h"\n/);
});

test("prefix, memory and names of imports can be chosen", async () => {
  const options = [
    "--name",
    "ot",
    "--memory",
    "2048",
    "--imports",
    "names.json",
    "--json",
    "--private-memory",
  ];
  const { code, stdout } = await inFolder("good.wasm", "-o", "my loop.c", ...options);
  assert.equal(code, 0);
  const { files } = JSON.parse(stdout) as { files: { file: string; bytes: number }[] };
  assert.deepEqual(
    files.map(({ file }) => file),
    ["my loop.c", "my loop.h"],
  );
  const header = readFileSync(join(folder, "my loop.h"), "utf8");
  assert.equal(files[1]?.bytes, Buffer.byteLength(header));
  for (const line of [
    "uint32_t board_adc(uint32_t l0) WASM_BORDER;",
    "extern uint8_t ot_memory[2048];",
    "void ot_init(void) WASM_BORDER;",
  ])
    assert.ok(header.split("\n").includes(line), line);
  assert.match(readFileSync(join(folder, "my loop.c"), "utf8"), /^#include "my loop\.h"\n/);
});

test("--explain gives a reason for each check that is left out", async () => {
  const { code, stdout } = await inFolder("good.wasm", "-o", "why.c", "--explain", "--json");
  assert.equal(code, 0);
  const { reasons } = JSON.parse(stdout) as { reasons: unknown };
  assert.ok(Array.isArray(reasons));
});

const REFUSED: [args: string[], code: number, said: string][] = [
  [
    ["bad.wasm", "-o", "bad.c"],
    1,
    "ferrule: bad.wasm: function 0, offset 30: a SIMD instruction is not supported\n",
  ],
  [
    ["text.wasm", "-o", "bad.c"],
    1,
    "ferrule: text.wasm: not a valid WebAssembly module: " +
      "expected magic word 00 61 73 6d, found 68 65 6c 6c @+0\n",
  ],
  [
    ["none.wasm", "-o", "bad.c"],
    3,
    "ferrule: there is no none.wasm\n" +
      "  next: build one, as ferrule build firmware/nodes/oven --out build/oven\n",
  ],
  [
    ["good.wasm", "-o", "bad.c", "--imports", "list.json"],
    1,
    "ferrule: list.json is no list of names\n" +
      '  next: write {"module.field": "c_name", …} into it\n',
  ],
  [
    ["good.wasm", "-o", "bad.c", "--name", "9to5"],
    1,
    'ferrule: good.wasm: "9to5" is no C identifier: give another --name\n',
  ],
  [["good.wasm"], 2, "ferrule: required option '-o, --output <OUT.c>' not specified\n"],
  [
    ["good.wasm", "-o", "bad.h"],
    2,
    "ferrule: option '-o, --output <OUT.c>' argument 'bad.h' is invalid. " +
      "a file that ends in .c is wanted.\n",
  ],
  [
    ["good.wasm", "-o", "bad.c", "--memory", "64k"],
    2,
    "ferrule: option '--memory <BYTES>' argument '64k' is invalid. " +
      "a whole number from 0 to 268435456 is wanted.\n",
  ],
  [
    ["good.wasm", "-o", "bad.c", "--checks", "none"],
    2,
    "ferrule: option '--checks <WHICH>' argument 'none' is invalid. " +
      "Allowed choices are needed, all.\n",
  ],
];

test("what is wrong is said, and no file is written", async () => {
  const runs = await Promise.all(REFUSED.map(([args]) => inFolder(...args)));
  runs.forEach(({ code, stdout, stderr }, i) => {
    const [, expected, said] = REFUSED[i]!;
    assert.deepEqual([code, stdout, stderr], [expected, "", said]);
  });
  assert.ok(!existsSync(join(folder, "bad.c")));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith("bad.") && name !== "bad.wasm"),
    [],
  );
});
