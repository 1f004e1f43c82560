// SPDX-License-Identifier: MIT
// Goal: modules that share a memory and a table are in C what they are in V8.
//
// Method: one module exports them, two import them; each reads, writes and grows what the others see, fills it
// when it is made, and calls through the other's slots: of other signatures, empty ones, behind the end, and in
// circles that only both together make. All functions take and give i32. Built strictly, with sanitizers, and
// as one program that gcc sees whole.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type AotOptions, translate } from "../../aot/index.ts";
import { program } from "../support/need.ts";
import { assembleModule, type FuncText, type ModuleText } from "./assemble.ts";
import { kindOf } from "./native.ts";

const TYPES = ["i32 -> i32", "-> i32", "i32 i32 -> i32"];
const NAMES = {
  "owner.memory": "owner_memory",
  "owner.table": "owner_table",
  "owner.level": "owner_level",
};

// What each of them can do to memory and table. Their own functions 0.. come first in `functions`.
function tools(own: readonly FuncText[]): FuncText[] {
  return [
    ...own,
    { export: "peek", type: "i32 -> i32", code: "local.get 0; i32.load8_u 0" },
    { export: "word", type: "i32 -> i32", code: "local.get 0; i32.load 0" },
    {
      export: "poke",
      type: "i32 i32 -> i32",
      code: "local.get 0; local.get 1; i32.store 0; i32.const 64; i32.load 0",
    },
    { export: "fixed", type: "-> i32", code: "i32.const 0; i32.load 64" },
    { export: "last", type: "-> i32", code: "i32.const 0; i32.load8_u 65535" },
    {
      export: "fill",
      type: "i32 i32 -> i32",
      code: "local.get 0; i32.const 165; local.get 1; memory.fill; local.get 0",
    },
    { export: "size", type: "-> i32", code: "memory.size" },
    { export: "more", type: "i32 -> i32", code: "local.get 0; memory.grow" },
    { export: "one", type: "i32 i32 -> i32", code: "local.get 1; local.get 0; call_indirect 0" },
    { export: "none", type: "i32 -> i32", code: "local.get 0; call_indirect 1" },
    {
      export: "two",
      type: "i32 i32 -> i32",
      code: "local.get 1; i32.const 9; local.get 0; call_indirect 2",
    },
    // What a stranger stores is read back, not what was stored before.
    {
      export: "across",
      type: "i32 -> i32",
      code: `i32.const 0; i32.const 3; i32.store 128;
        i32.const 70; local.get 0; call_indirect 0; drop; i32.const 0; i32.load 128`,
    },
  ];
}

const at = (slot: number): string => `i32.const ${slot}`;

const OWNER = assembleModule({
  types: TYPES,
  memory: { pages: 1, max: 3, export: "memory" },
  table: 8,
  tableExport: "table",
  globals: [{ type: "i32", start: "i32.const 7", export: "level" }],
  data: [{ at: at(64), bytes: [1, 2, 3, 4] }],
  elements: [{ at: at(0), functions: [0, 1] }],
  functions: tools([
    { type: "i32 -> i32", code: "local.get 0; i32.const 100; i32.add" },
    { type: "-> i32", code: "global.get 0" },
    // Goes down through slot 4, which the user fills, and that comes back through slot 5.
    {
      export: "down",
      type: "i32 -> i32",
      code: `local.get 0; i32.eqz; if i32; i32.const 1; else
        local.get 0; i32.const 1; i32.sub; i32.const 4; call_indirect 0; end`,
    },
  ]),
});

// Types in another order: a signature is the same in all modules.
const USER: ModuleText = {
  types: ["i32 -> i32", "-> i32", "i32 i32 -> i32"].toReversed(),
  imports: [{ module: "owner", field: "down", type: "i32 -> i32" }],
  globalImports: [{ module: "owner", field: "level", type: "i32", mutable: true }],
  tableFrom: { module: "owner", field: "table" },
  table: 6,
  memory: { pages: 1, from: { module: "owner", field: "memory" } },
  data: [
    { at: at(66), bytes: [9] },
    { at: "i32.const 65535", bytes: [5] },
  ],
  elements: [{ at: at(3), functions: [1, 2, 0] }, { functions: [3] }],
  functions: tools([
    {
      type: "i32 -> i32",
      code: `i32.const 0; local.get 0; i32.store 128;
        global.get 0; local.get 0; i32.add; global.set 0; global.get 0`,
    },
    { type: "i32 -> i32", code: "local.get 0; i32.const 5; call_indirect 0" },
    { type: "i32 i32 -> i32", code: "local.get 0; local.get 1; i32.sub" },
    {
      export: "put",
      type: "i32 -> i32",
      code: "local.get 0; i32.const 0; i32.const 1; table.init 1; local.get 0",
    },
    {
      export: "move",
      type: "i32 i32 -> i32",
      code: "local.get 0; local.get 1; i32.const 2; table.copy; i32.const 0",
    },
    { export: "named", type: "i32 -> i32", code: "local.get 0; call 0" },
  ]).map((func) => ({
    ...func, // call_indirect names types by their place
    code: func.code.replaceAll(/call_indirect (\d)/g, (_, i) => `call_indirect ${2 - Number(i)}`),
  })),
};

// Wants more than there is at first, and gives on what it imports.
const LATER: ModuleText = {
  memory: { pages: 2, from: { module: "owner", field: "memory" }, export: "memory" },
  tableFrom: { module: "owner", field: "table" },
  table: 8,
  tableExport: "table",
  functions: [
    { export: "high", type: "i32 -> i32", code: "local.get 0; i32.load8_u 65536" },
    { export: "sure", type: "-> i32", code: "i32.const 0; i32.load8_u 131071" },
  ],
};

interface Linked {
  name: string;
  wasm: Uint8Array;
  options?: Partial<AotOptions>;
}

type Step = [module: string, name: string, ...operands: number[]] | [module: string];

// Instances in this order; a step of a module's name alone makes its instance anew.
function inEngine(modules: readonly Linked[], steps: readonly Step[]): string[] {
  const made: Record<string, WebAssembly.Exports> = {};
  return steps.map(([module, name, ...operands]) => {
    try {
      if (name !== undefined)
        return String((made[module]![name] as (...values: number[]) => number)(...operands) >>> 0);
      const { wasm } = modules.find((one) => one.name === module)!;
      made[module] = new WebAssembly.Instance(
        new WebAssembly.Module(wasm as BufferSource),
        made as unknown as WebAssembly.Imports,
      ).exports;
      return "made";
    } catch (error) {
      if (error instanceof WebAssembly.LinkError)
        return `trap ${/memory/.test(error.message) ? 2 : 3}`;
      return `trap ${kindOf(error)}`;
    }
  });
}

const BUILDS = [
  ["-O2", "-Wall", "-Wextra", "-Werror"],
  ["-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"],
  ["-O2", "-flto", "-flto-partition=one"],
];

function inC(modules: readonly Linked[], steps: readonly Step[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), "aot-sharing-"));
  try {
    for (const { name, wasm, options } of modules) {
      const { c, header } = translate(wasm, { ...options, name });
      writeFileSync(join(folder, `${name}.c`), c);
      writeFileSync(join(folder, `${name}.h`), header);
    }
    writeFileSync(join(folder, "main.c"), mainText(modules, steps));
    return BUILDS.map((flags) => {
      const files = ["main.c", ...modules.map(({ name }) => `${name}.c`)];
      const how = ["-ffp-contract=off", "-fno-strict-aliasing", ...flags, "-o", "program"];
      const built = spawnSync("gcc", [...how, ...files], { cwd: folder, encoding: "utf8" });
      assert.equal(built.stderr, "");
      const ran = spawnSync(join(folder, "program"), { encoding: "utf8" });
      assert.deepEqual([ran.stderr, ran.status], ["", 0]);
      return ran.stdout.trimEnd().split("\n");
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mainText(modules: readonly Linked[], steps: readonly Step[]): string {
  const traps = modules.map(
    ({ name }) => `_Noreturn void ${name}_trap(int kind, unsigned f, unsigned at) {
  (void)f; (void)at; printf("trap %d\\n", kind); longjmp(back, 1);
}`,
  );
  const calls = steps.map(([module, name, ...operands]) => {
    const list = operands.map((value) => `${value >>> 0}u`).join(", ");
    const call = `printf("%u\\n", (unsigned)${module}_${name}(${list}))`;
    const made = `${module}_init(); puts("made")`;
    return `  if (!setjmp(back)) { ${name === undefined ? made : call}; }`;
  });
  return [
    "#include <setjmp.h>\n#include <stdio.h>",
    ...modules.map(({ name }) => `#include "${name}.h"`),
    "static jmp_buf back;",
    ...traps,
    `int main(void) {\n${calls.join("\n")}\n  return 0;\n}\n`,
  ].join("\n");
}

// V8 has one message for an empty slot and one of another signature.
function agree(modules: readonly Linked[], steps: readonly Step[]): void {
  const expected = inEngine(modules, steps);
  assert.equal(expected.includes("trap 0"), false, expected.join(" "));
  for (const lines of inC(modules, steps)) {
    const told = lines.map((line, i) =>
      expected[i] === "trap 78" && /^trap [78]$/.test(line) ? "trap 78" : line,
    );
    const named = (list: readonly string[]): string[] =>
      list.map((line, i) => `${steps[i]!.join(" ")}: ${line}`);
    assert.deepEqual(named(told), named(expected));
  }
}

const OWNED: Linked = { name: "owner", wasm: OWNER, options: { memoryBytes: 3 * 65_536 } };
const USING: Linked = { name: "user", wasm: assembleModule(USER), options: { imports: NAMES } };
const BOTH = ["owner", "user"] as const;

const SLOTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0xffff_ffff];
const everySlot: Step[] = BOTH.flatMap((module) =>
  SLOTS.flatMap((slot): Step[] => [
    [module, "none", slot],
    [module, "one", slot, 12],
    [module, "two", slot, 3],
  ]),
);

test("a slot is called, or traps, in whichever module it was filled", program("gcc"), () => {
  agree(
    [OWNED, USING],
    [
      ["owner"],
      ...everySlot.slice(0, 6),
      ["user"],
      ...everySlot,
      ["user", "put", 7],
      ["user", "put", 8],
      ["user", "move", 0, 3],
      ["user", "move", 7, 0],
      ...everySlot,
      ["owner"],
      ["user"],
      ["owner", "none", 1],
    ],
  );
});

test("memory of another module is read, written and grown", program("gcc"), () => {
  const edges = [0, 63, 64, 66, 65_532, 65_533, 65_535, 65_536, 131_071, 131_072, 196_604, 196_608];
  const all = BOTH.flatMap((module): Step[] => [
    ...edges.flatMap((address): Step[] => [
      [module, "peek", address],
      [module, "word", address],
      [module, "poke", address, address + 5],
      [module, "fill", address, 3],
    ]),
    ...["fixed", "last", "size"].map((name): Step => [module, name]),
    [module, "poke", 64, 77],
    [module, "across", 3],
  ]);
  const grown: Step[] = [
    ["user", "more", 0],
    ["user", "more", 3],
    ["user", "more", 1],
    ["owner", "size"],
    ...all,
    ["owner", "more", 1],
    ["user", "size"],
    ...all,
    ["user", "more", 1],
    ["owner", "more", 0xffff_ffff],
    ...all,
  ];
  agree([OWNED, USING], [["owner"], ["user"], ...all, ...grown, ["owner"], ["user"], ...all]);
});

test("a circle of calls through two modules is counted", program("gcc"), () => {
  agree(
    [OWNED, USING],
    [
      ["owner"],
      ["user"],
      ["owner", "down", 100],
      ["owner", "down", 0xffff_ffff],
      ["user", "named", 0xffff_ffff],
      ["owner", "one", 5, 0xffff_ffff],
      ["user", "one", 4, 0xffff_ffff],
      ["user", "named", 100],
      ["owner", "down", 100],
    ],
  );
});

test("what is imported is as large as declared, or no instance is made", program("gcc"), () => {
  const later: Linked = {
    name: "later",
    wasm: assembleModule(LATER),
    options: { imports: NAMES, memoryBytes: 65_536 * 4 },
  };
  const slots = {
    name: "slots",
    wasm: assembleModule({ functions: [], tableFrom: LATER.tableFrom!, table: 9 }),
    options: { imports: NAMES },
  };
  agree(
    [OWNED, later, slots],
    [
      ["owner"],
      ["slots"],
      ["later"],
      ["owner", "more", 1],
      ["later"],
      ["later", "sure"],
      ["owner", "poke", 131_068, -1],
      ["later", "sure"],
      ["later", "high", 65_535],
      ["later", "high", 65_536],
    ],
  );
});

test("segments that do not fit stop where they are", program("gcc"), () => {
  const late = {
    ...USER,
    data: [
      { at: at(80), bytes: [8] },
      { at: at(65_534), bytes: [1, 2, 3] },
    ],
  };
  const wide = {
    ...USER,
    elements: [
      { at: at(7), functions: [1] },
      { at: at(8), functions: [1] },
    ],
  };
  agree(
    [
      OWNED,
      { ...USING, name: "late", wasm: assembleModule(late) },
      {
        ...USING,
        name: "wide",
        wasm: assembleModule({ ...wide, functions: USER.functions.slice(0, 3) }),
      },
    ],
    [
      ["owner"],
      ["late"],
      ["owner", "peek", 80],
      ["owner", "one", 3, 5],
      ["wide"],
      ["owner", "one", 7, 5],
    ],
  );
});

test("private memory is in no other module", program("gcc"), () => {
  const owner = { ...OWNED, options: { ...OWNED.options, hostWrites: [] } };
  assert.throws(() => inC([owner, USING], [["owner"]]), /owner_memory_size/);
});

test("an import that is a function and a memory is refused", () => {
  const origin = { module: "a", field: "b" };
  const wasm = assembleModule({
    imports: [{ ...origin, type: "->" }],
    functions: [],
    memory: { pages: 1, from: origin },
  });
  assert.throws(() => translate(wasm, { name: "x" }), /two imports are a_b in C/);
});
