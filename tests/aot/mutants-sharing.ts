// SPDX-License-Identifier: MIT
// Mutants of what modules share: the C is looked at.
//
// A rule is right when the C has what it makes necessary: a size that is a variable, a check, a count, a load
// that another module may have made differ.

import { assembleModule, type ModuleText } from "./assemble.ts";
import type { HostMutant } from "./mutants-host.ts";
import { large, n, type Translate } from "./mutants.ts";

const ORIGIN = { module: "env", field: "shared" };
const F = { type: "i32 -> i32", export: "f" };
const MEMORY = { pages: 1, from: ORIGIN };
const MEMORY_BYTES = 2 * 65_536; // room to grow

function has(pattern: RegExp, text: Partial<ModuleText>) {
  const wasm = assembleModule({ functions: [], ...text });
  return (translate: Translate): boolean =>
    pattern.test(translate(wasm, { name: "x", memoryBytes: MEMORY_BYTES }).c);
}

const load = (code: string): ModuleText["functions"] => [{ ...F, code }];
const BEHIND = `local.get 0; i32.load8_u; drop; local.get 0; ${n(65_535)}; i32.gt_u`;
const INDIRECT = "local.get 0; call_indirect 0";
const TABLE = { types: ["->"], table: 4, elements: [{ at: n(0), functions: [0] }] };
const IDLE = large({ type: "->", code: "nop" });
const CALLS_OUT = {
  ...TABLE,
  imports: [{ module: "env", field: "leave", type: "->" }],
  functions: [{ type: "->", export: "f", code: "call 0" }],
  elements: [{ at: n(0), functions: [1] }],
};

export const SHARING_MUTANTS: HostMutant[] = [
  {
    file: "index.ts",
    rule: "exported memory may be grown by whoever imports it",
    old: "room && (shared || growsInside(module))",
    now: "room && growsInside(module)",
    reads: has(/> x_memory_size\.bytes/, {
      functions: load("local.get 0; i32.load8_u"),
      memory: { pages: 1, export: "memory" },
    }),
  },
  {
    file: "index.ts",
    rule: "imported memory may be larger than it declares",
    old: "bytesMax: IMPORTED_BYTES_MAX",
    now: "bytesMax: least",
    reads: has(/l0 > 65535u/, { functions: load(BEHIND), memory: MEMORY }),
  },
  {
    file: "index.ts",
    rule: "imported memory is as large as it declares, and not as --memory",
    old: "bytes: least, bytesMin: least,",
    now: "bytes: least, bytesMin: bytes,",
    reads: has(/> env_shared_size\.bytes/, {
      functions: load(`${n(0)}; i32.load8_u 65536`),
      memory: MEMORY,
    }),
  },
  {
    file: "emit/memory.ts",
    rule: "an imported memory is seen to be large enough",
    old: "if (RARE(${memoryBytes(shape)} < ${bytes}u))",
    now: "if (RARE(0))",
    reads: has(/env_shared_size\.bytes < 65536u/, { memory: MEMORY }),
  },
  {
    file: "emit/segments.ts",
    rule: "an imported table is seen to be large enough",
    old: "if (RARE(${table}_size < ${initial}u))",
    now: "if (RARE(0))",
    reads: has(/env_shared_size < 4u/, { ...TABLE, elements: [], tableFrom: ORIGIN }),
  },
  {
    file: "emit/writer.ts",
    rule: "an imported table may have more slots than are declared",
    old: "if (module.table?.imported !== undefined) return `${names.table}_size`;",
    now: "",
    reads: has(/l0 >= env_shared_size/, {
      types: ["->"],
      functions: [{ type: "i32 ->", export: "f", code: INDIRECT }],
      table: 4,
      tableFrom: ORIGIN,
    }),
  },
  {
    file: "emit/types.ts",
    rule: "modules that share a table know a signature by one address",
    old: "if (shared.table) return",
    now: "if (!shared) return",
    reads: has(/\.type != &wasm_type_to\)/, {
      types: ["->"],
      functions: [{ type: "i32 ->", export: "f", code: INDIRECT }],
      table: 4,
      tableExport: "t",
    }),
  },
  {
    file: "analyse/effects.ts",
    rule: "a function of another module in the table may write everywhere",
    old: "if (sharesTable(run.program.module)) applyUnknown(run);",
    now: "",
    reads: has(/return \(?\*|return [^\n]*x_at64/, {
      types: ["->"],
      functions: [
        { type: "-> i32", export: "f", code: `${n(0)}; i32.load 64` },
        { type: "i32 ->", export: "g", code: INDIRECT },
      ],
      memory: { pages: 1 },
      data: [{ at: n(64), bytes: [3, 1, 4, 1] }],
      table: 4,
      tableExport: "t",
    }),
  },
  {
    file: "calls.ts",
    rule: "functions in a shared table are reached",
    old: "if (sharesTable(module)) roots.push(",
    now: "if (module.start === -1) roots.push(",
    reads: has(/\(void \(\*\)\(void\)\)f0/, { ...TABLE, functions: [IDLE], tableExport: "t" }),
  },
  {
    file: "calls.ts",
    rule: "an import may call back through a shared table",
    old: "!(shared && leaves)",
    now: "!leaves",
    reads: (translate) => !has(/depth\+\+/, CALLS_OUT)(translate), // a module that shares none counts nothing
  },
  {
    file: "calls.ts",
    rule: "what is in a shared table and calls an import may be entered again",
    old: "!(shared && leaves)",
    now: "true",
    reads: has(/wasm_depth\+\+/, { ...CALLS_OUT, tableExport: "t" }),
  },
  {
    file: "calls.ts",
    rule: "an export that calls through a shared table may be entered again",
    old: "if (shared) for (const index of exportedFunctions(module)) callees.add(index);",
    now: "",
    reads: has(/wasm_depth\+\+/, {
      types: ["->"],
      functions: [{ type: "i32 ->", export: "f", code: INDIRECT }],
      table: 4,
      tableExport: "t",
    }),
  },
];
