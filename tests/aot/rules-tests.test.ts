// SPDX-License-Identifier: MIT
// Choices, sums and first passes, where a rule would be wrong by one.
//
// As rules.test.ts: V8 says what is right, and the programs run under UBSan and ASan.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assembleModule } from "./assemble.ts";
import { type Bits, type Case, difference, runEngine, runNative } from "./native.ts";

const P = "local.get 0";
const Q = "local.get 1";
const VALUES = [0, 1, 2, 3, 7, 8, 9, 15, 16, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];
const PAIRS: [Bits, Bits][] = VALUES.flatMap((p) => VALUES.map((q): [Bits, Bits] => [p, q]));
const END = 65_536;

// 5 when the condition holds and p is an address so far before the end of memory; a trap when it is not.
function loads(condition: string, displacement: number): string {
  return `${condition}; if; ${P}; i32.load8_u ${displacement}; i32.const 5; i32.add; return; end
    i32.const 77`;
}

// How often a loop from p & 7 to a limit is passed, counted in local 4.
function passes(limit: string, comparison: string): string {
  return `${P}; i32.const 7; i32.and; local.set 2; ${limit}; local.set 3
    loop; local.get 2; local.get 3; i32.${comparison}; if
      local.get 4; i32.const 1; i32.add; local.tee 4; i32.const 40; i32.eq; if; unreachable; end
      local.get 2; i32.const 1; i32.add; local.set 2; br 1
    end; end; local.get 4`;
}

const choice = (yes: string, no: string, condition: string): string =>
  `${yes}; ${no}; ${condition}; select`;
const moreThan8 = (value: string): string => `${value}; i32.const 8; i32.gt_u`;
const above = (limit: number): string => `${P}; i32.const ${limit}; i32.gt_u`;
const sumWithLess = (part: string, sum: string, op: string): string => `${part}; ${sum}; i32.${op}`;
const part = (local: string, mask: number): string => `${local}; i32.const ${mask}; i32.and`;

const CASES: Record<string, string> = {
  "c ? 1 : p > 8, false, leaves 8": loads(
    `${choice("i32.const 1", above(8), Q)}; i32.eqz`,
    END - 8,
  ),
  "c ? 1 : p > 8, true, says nothing of p": loads(choice("i32.const 1", above(8), Q), END - 10),
  "c ? p > 8 : 1, false, leaves 8": loads(
    `${choice(above(8), "i32.const 1", Q)}; i32.eqz`,
    END - 8,
  ),
  "c ? p <= 8 : 0, true, leaves 8": loads(
    choice(`${P}; i32.const 8; i32.le_u`, "i32.const 0", Q),
    END - 8,
  ),
  "p > 8 ? 0 : 1, true, leaves 8": loads(choice("i32.const 0", "i32.const 1", above(8)), END - 8),
  "p > 8 ? 1 : 0, false, leaves 8": loads(
    `${choice("i32.const 1", "i32.const 0", above(8))}; i32.eqz`,
    END - 8,
  ),
  "p > 8 ? 0 : 1, true, is p <= 8": `${choice("i32.const 0", "i32.const 1", above(8))}
    if; ${above(8)}; return; end; i32.const 77`,
  "p > 8 ? 1 : 0, true, is p > 8": `${choice("i32.const 1", "i32.const 0", above(8))}
    if; ${above(8)}; return; end; i32.const 77`,
  "p > 8 ? 1 : q > 8, false, is p <= 8": `${choice("i32.const 1", moreThan8(Q), above(8))}
    i32.eqz; if; ${above(8)}; return; end; i32.const 77`,
  "of two arms that may both be true nothing is known": loads(
    choice(`${P}; i32.const 8; i32.le_u`, `${P}; i32.const 9; i32.le_u`, Q),
    END - 9,
  ),
  "p < p + 1 unless it wraps": sumWithLess(P, `${P}; i32.const 1; i32.add`, "lt_u"),
  "p + 1 <= p when it wraps": sumWithLess(`${P}; i32.const 1; i32.add`, P, "le_u"),
  "p < p + 15 up to where it wraps": sumWithLess(
    `${P}; i32.const 0xfffffff0; i32.and`,
    `${P}; i32.const 0xfffffff0; i32.and; i32.const 16; i32.add`,
    "lt_u",
  ),
  "p + q is not more when q is 0": sumWithLess(
    part(P, 7),
    `${part(P, 7)}; ${part(Q, 7)}; i32.add`,
    "lt_u",
  ),
  "q + p is not p only when q is not 0": sumWithLess(
    `${part(Q, 7)}; ${part(P, 7)}; i32.add`,
    part(P, 7),
    "ne",
  ),
  "p < p + 1 as signed wraps elsewhere": sumWithLess(P, `${P}; i32.const 1; i32.add`, "lt_s"),
  "a loop whose limit may be its start may make no pass": passes(
    `${part(P, 7)}; ${part(Q, 3)}; i32.add`,
    "lt_u",
  ),
  "a loop whose limit is its start + 1 makes one": passes(
    `${part(P, 7)}; i32.const 1; i32.add`,
    "lt_u",
  ),
  "a loop whose limit may be below its start": passes(part(Q, 15), "lt_s"),
  "a loop that may start beyond its limit": passes("i32.const 7", "lt_s"),
};

test("what a test says holds where it could be wrong by one", { timeout: 600_000 }, () => {
  const cases: Case[] = Object.entries(CASES).map(([name, code]) => ({
    name,
    wasm: assembleModule({
      functions: [{ type: "i32 i32 -> i32", locals: "i32 i32 i32", code, export: "f" }],
      memory: { pages: 1 },
    }),
    calls: PAIRS.map((operands) => ({ name: "f", operands })),
  }));
  const native = runNative(cases, true);
  cases.forEach((item, i) => {
    assert.equal(difference(native[i]!, runEngine(item)), null, item.name);
  });
});
