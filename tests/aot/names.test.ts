// SPDX-License-Identifier: MIT
// Goal: any name of WebAssembly becomes one of C, and no two become the same.
//
// Method: names that C does not have, names that are taken, imports that meet; the header is compared with
// exact lines, and gcc compiles it with a host that defines all of them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { AotError, translate } from "../../aot/index.ts";
import { program } from "../support/need.ts";
import { assembleModule, type ModuleText } from "./assemble.ts";
import { compare } from "./native.ts";

const EXPORTS = [
  ...["init", "trap", "memory_size", "table", "depth", "grow", "a.b", "a-b", "a_b", "", "é", "1"],
  ...['quote"', "line\nbreak", "back\\slash", "comment */ //", "??/", "data0", "element0", "int"],
];

const exportsOf = (names: readonly string[]): ModuleText => ({
  functions: names.map((name, i) => ({ export: name, type: "-> i32", code: `i32.const ${i}` })),
  memory: { pages: 1, export: "the memory" },
  table: 1,
  elements: [{ functions: [0] }],
  data: [{ at: "i32.const 0", bytes: [1] }, { bytes: [2] }],
});

const functionNames = (header: string): string[] =>
  [...header.matchAll(/^uint32_t (\w+)\(/gm)].map(([, name]) => name!);

test("exports get names of C, taken ones a number", () => {
  const { header } = translate(assembleModule(exportsOf(EXPORTS)), { name: "m" });
  assert.deepEqual(functionNames(header), [
    ...["m_init_2", "m_trap_2", "m_memory_size_2", "m_table_2", "m_depth_2", "m_grow_2"],
    ...["m_a_b", "m_a_b_2", "m_a_b_3", "m_", "m__", "m_1", "m_quote_", "m_line_break"],
    ...["m_back_slash", "m_comment______", "m____", "m_data0_2", "m_element0_2", "m_int"],
  ]);
});

test("all of them can be called", program("gcc"), () => {
  const wasm = assembleModule(exportsOf(EXPORTS));
  const calls = EXPORTS.map((name) => ({ name, operands: [] }));
  assert.ok(compare([{ name: "exports", wasm, calls }]) >= EXPORTS.length);
});

const IMPORTS: [module: string, field: string, name: string][] = [
  ["host", "read", "host_read"],
  ["host", "read", "host_read"],
  ["a.b", "c", "a_b_c"],
  ["a", "b.c", "a_b_c_2"],
  ["a_b", "c", "a_b_c_3"],
  ["1", "2", "_1_2"],
  ["m", "init", "m_init_2"],
  ["m", "run", "m_run_2"],
  ["sqrt", "f32", "sqrt_f32_2"],
  ["size", "t", "size_t_2"],
  ["Math", "pow", "Math_pow"],
  ["m", "data0", "m_data0_2"],
  ["", "", "_"],
];

function importing(): Uint8Array {
  return assembleModule({
    imports: IMPORTS.map(([module, field]) => ({ module, field, type: "-> i32" })),
    functions: [
      {
        export: "run",
        type: "-> i32",
        code: `i32.const 0${IMPORTS.map((_, i) => `; call ${i}; i32.add`).join("")}`,
      },
    ],
  });
}

test("imports get names of C, the same thing the same name", () => {
  const { header } = translate(importing(), { name: "m" });
  const names = functionNames(header).slice(0, -1);
  assert.deepEqual(names, [...new Set(IMPORTS.map(([, , name]) => name))]);
});

test("a host that defines these imports compiles", program("gcc"), () => {
  const folder = mkdtempSync(join(tmpdir(), "aot-names-"));
  try {
    const { c, header } = translate(importing(), { name: "m" });
    const names = functionNames(header).slice(0, -1);
    writeFileSync(join(folder, "m.c"), c);
    writeFileSync(join(folder, "m.h"), header);
    const definitions = names.map((name, i) => `uint32_t ${name}(void) { return ${1 << i}; }`);
    writeFileSync(
      join(folder, "main.c"),
      `#include "m.h"\n#include <stdlib.h>\n${definitions.join("\n")}\n` +
        "void m_trap(int kind, unsigned f, unsigned o) { abort(); }\n" +
        `int main(void) { m_init(); return m_run() == ${2 ** names.length} ? 0 : 1; }\n`,
    );
    const built = spawnSync("gcc", ["-o", "program", "main.c", "m.c"], { cwd: folder });
    assert.equal(built.status, 0, String(built.stderr));
    assert.equal(spawnSync(join(folder, "program")).status, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const refusal = (imports: Record<string, string>): string => {
  try {
    translate(importing(), { name: "m", imports });
    return "translated";
  } catch (error) {
    assert.ok(error instanceof AotError);
    return error.message;
  }
};

test("names given for imports are checked", () => {
  assert.equal(refusal({ "host.read": "adc_read" }), "translated");
  assert.equal(
    refusal({ "host.read": "adc-read" }),
    'the import host.read is called "adc-read": no C identifier',
  );
  for (const name of ["int", "f0", "m_init", "m_run", "memcpy"])
    assert.equal(
      refusal({ "host.read": name }),
      `the import host.read is called "${name}": that name is taken`,
    );
});

test("one import with two types is refused", () => {
  const wasm = assembleModule({
    imports: [
      { module: "host", field: "log", type: "i32 ->" },
      { module: "host", field: "log", type: "i64 ->" },
    ],
    functions: [],
  });
  assert.throws(
    () => translate(wasm, { name: "m" }),
    new AotError("two imports are host_log in C with different types; name host.log in --imports"),
  );
});

test("a prefix that is no name of C is refused", () => {
  assert.throws(
    () => translate(assembleModule({ functions: [] }), { name: "1st" }),
    new AotError('"1st" is no C identifier: give another --name'),
  );
});
