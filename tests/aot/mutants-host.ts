// SPDX-License-Identifier: MIT
// Mutants of what a host may do; V8 has none that writes, so C is looked at.
//
// Every program gives back what one place holds. The rule is right when the C reads that place after the host
// had its chance, and wrong when it gives a number that was known before.

import type { AotOptions } from "../../aot/index.ts";
import { assembleModule, type ModuleText } from "./assemble.ts";
import { large, type Mutant, n, type Translate } from "./mutants.ts";

export interface HostMutant extends Omit<Mutant, "programs"> {
  reads: (translate: Translate) => boolean;
}

const DATA = [{ at: n(64), bytes: [3, 1, 4, 1] }];
const WORD = 0x0104_0103; // little-endian
const F = { type: "-> i32", code: `${n(0)}; i32.load 64`, export: "f" };
const FILL = { module: "env", field: "fill", type: "i32 ->" };
const LEVEL = { module: "env", field: "level", type: "i32", mutable: true } as const;

function reads(text: Partial<ModuleText>, options: Partial<AotOptions> = {}, known = WORD) {
  const wasm = assembleModule({ functions: [F], memory: { pages: 1 }, data: DATA, ...text });
  return (translate: Translate): boolean =>
    !translate(wasm, { name: "x", ...options }).c.includes(`return ${known}u;`);
}

const fills = (length: number): Partial<AotOptions> => ({
  hostPointers: { "env.fill": [{ address: 0, length, access: "write" }] },
});
const filled = (address: string): Partial<ModuleText> => ({
  imports: [FILL],
  functions: [F, { type: "i32 ->", code: `${address}; call 0`, export: "g" }],
});
const stored = (callee: number): string =>
  `${n(0)}; ${n(5)}; i32.store 64; ${n(64)}; call ${callee}; ${n(0)}; i32.load 64`;
const STORE = { type: "-> i32", export: "f" };
const STORED = { imports: [FILL], functions: [{ ...STORE, code: stored(0) }] };
const CALLER = large({ type: "i32 ->", code: "local.get 0; call 0" });
const EXPORTED = { memory: { pages: 1, export: "memory" } };

// A global of the host, set before a call of the host.
const SHARED = {
  globalImports: [LEVEL],
  imports: [FILL],
  functions: [
    {
      type: "-> i32",
      code: `${n(5)}; global.set 0; ${n(60)}; call 0; global.get 0`,
      export: "f",
    },
  ],
};

export const HOST_MUTANTS: HostMutant[] = [
  {
    file: "sharing.ts",
    rule: "a host writes exported memory",
    old: "return !isPrivate && exports",
    now: "return isPrivate && exports",
    reads: reads(EXPORTED),
  },
  {
    file: "analyse/program.ts",
    rule: "a host writes up to the end that is declared",
    old: "scatter(memory, from, to);",
    now: "scatter(memory, from, to - 1);",
    reads: reads(EXPORTED, { hostWrites: [{ from: 0, to: 65 }] }),
  },
  {
    file: "analyse/program.ts",
    rule: "data at an imported address is not known",
    old: 'module.data.every(({ place }) => typeof place === "string" || "at" in place)',
    now: "module.data.length >= 0",
    reads: reads({
      globalImports: [{ module: "env", field: "at", type: "i32" }],
      data: [...DATA, { at: "global.get 0", bytes: [7] }],
    }),
  },
  {
    file: "analyse/program.ts",
    rule: "a host sets exported globals",
    old: "isShared(module, index) || imported",
    now: "imported",
    reads: reads(
      {
        functions: [{ type: "-> i32", code: "global.get 0", export: "f" }],
        globals: [{ type: "i32", start: n(5), export: "level" }],
      },
      {},
      5,
    ),
  },
  {
    file: "analyse/program.ts",
    rule: "a global that is imported twice is one variable",
    old: "if (own === undefined) return index;",
    now: "if (own === undefined || index >= 0) return index;",
    reads: reads(
      {
        globalImports: [LEVEL, LEVEL],
        functions: [
          {
            type: "i32 -> i32",
            locals: "i32",
            code: `global.get 1; local.set 1; local.get 0; global.set 0
              global.get 1; local.get 1; i32.eq`,
            export: "f",
          },
        ],
      },
      {},
      1,
    ),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import that is not declared writes everywhere",
    old: "scatter(program.memory, 0, program.memory.bytesMax);",
    now: "",
    reads: reads(filled(n(60))),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import writes as many octets as are declared",
    old: "const end = most + octetsMax(length, operands);",
    now: "const end = most + octetsMax(length, operands) - 1;",
    reads: reads(filled(n(60)), fills(5)),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import writes behind the largest address that it may get",
    old: "const end = most + octetsMax(length, operands);",
    now: "const end = start + octetsMax(length, operands);",
    reads: reads(filled(`local.get 0; ${n(31)}; i32.and`), fills(40)),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import that is given a length may write as much",
    old: "?? ANY).most * (",
    now: "?? ANY).least * (",
    reads: reads(
      {
        imports: [{ ...FILL, type: "i32 i32 ->" }],
        functions: [F, { type: "i32 ->", code: `${n(60)}; local.get 0; call 0`, export: "g" }],
      },
      { hostPointers: { "env.fill": [{ address: 0, length: { parameter: 1 }, access: "write" }] } },
    ),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import writes where it may write",
    old: 'if (access !== "write") continue;',
    now: 'if (access === "write") continue;',
    reads: reads(filled(n(62)), fills(5)),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import that is given a number of elements may write as many",
    old: "length.octetsEach ?? 1",
    now: "1",
    reads: reads(filled(n(25)), {
      hostPointers: {
        "env.fill": [{ address: 0, length: { parameter: 0, octetsEach: 2 }, access: "write" }],
      },
    }),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import that is listed changes what was stored where it writes",
    old: "forgetCells(state!, start, end);",
    now: "",
    reads: reads(STORED, fills(5), 5),
  },
  {
    file: "analyse/effects.ts",
    rule: "callers know where an import writes that is listed",
    old: "addWrite(program, summary, start, end);\n    scatter",
    now: "scatter",
    reads: reads(
      { imports: [FILL], functions: [{ ...STORE, code: stored(2) }, CALLER] },
      fills(5),
      5,
    ),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import that is listed may set globals that it shares",
    old: "state!.cells.delete(globalKey(index));",
    now: "",
    reads: reads(SHARED, fills(4), 5),
  },
  {
    file: "analyse/program.ts",
    rule: "a host shares the globals that it gives",
    old: "return imported !== undefined || exports",
    now: "return exports",
    reads: reads(SHARED, fills(4), 5),
  },
  {
    file: "analyse/effects.ts",
    rule: "a call of an import changes what was stored before",
    old: "state!.cells.clear();",
    now: "",
    reads: reads(STORED, {}, 5),
  },
  {
    file: "analyse/effects.ts",
    rule: "an import in the table writes as one that is called by name",
    old: "applyImport(run, index, operands);\n  if (sharesTable",
    now: "applyImport;\n  if (sharesTable",
    reads: reads(
      {
        types: ["i32 ->"],
        imports: [FILL],
        functions: [
          F,
          { type: "i32 ->", code: `local.get 0; ${n(0)}; call_indirect 0`, export: "g" },
        ],
        table: 1,
        elements: [{ at: n(0), functions: [0] }],
      },
      fills(5),
    ),
  },
];
