// SPDX-License-Identifier: MIT
// Mutants of loops written twice, and of tests assumed never to hold.

import { counted, get, type Mutant, n, op, p, q, set } from "./mutants.ts";

const low = (mask: number, value = p): string => op("and", value, n(mask));
const code = (text: string): { code: string }[] => [{ code: text }];
const add = (local: number, by: number): string => set(local, op("add", get(local), n(by)));
const tested = (index: string): string => `${op("ge_u", index, n(8))}; if; unreachable; end`;
const AFFINE = `${tested(op("add", q, op("mul", get(2), p)))}; ${add(3, 1)}`;
const AFFINE_LOOP = `${counted(2, n(5), AFFINE)}; ${get(3)}`;

const VERSION: Omit<Mutant, "file">[] = [
  {
    rule: "the last index of a loop is that of its last pass",
    old: "sum(limit, number(-1))",
    now: "sum(limit, number(-2))",
    programs: code(AFFINE_LOOP),
  },
  {
    rule: "a factor that is too large wraps between",
    old: 'binary("lt_u", factor, number(FACTOR_END))',
    now: 'binary("lt_u", factor, number(-1))',
    programs: code(AFFINE_LOOP),
  },
  {
    rule: "an index may begin below 0",
    old: 'binary("lt_u", base, number(BASE_END))',
    now: 'binary("lt_u", base, number(-1))',
    programs: code(AFFINE_LOOP),
  },
  {
    rule: "a counter may begin below 0",
    old: "[start, limit].map",
    now: "[limit].map",
    programs: code(
      `${set(2, p)}; ${set(4, low(7))}
        ${counted(2, get(4), `${tested(get(2))}; ${add(3, 1)}`)}; ${get(3)}`,
    ),
  },
  {
    rule: "a part of an index that a pass changes is none",
    old: "if (local !== counter) forms.set(local, undefined);",
    now: "if (local === -1) forms.set(local, undefined);",
    programs: code(
      `${counted(
        2,
        n(4),
        `${tested(op("add", get(2), get(4)))}
          ${set(4, op("add", get(4), low(7)))}`,
      )}; ${get(4)}`,
    ),
  },
  {
    rule: "a part of an index that one arm changes is none",
    old: "for (const local of localsSet([statement])) forms.set(local, undefined);",
    now: "",
    programs: code(
      `${counted(
        2,
        n(4),
        `${set(4, get(2))}; ${q}; if; ${set(4, p)}; end
          ${tested(op("add", get(2), get(4)))}; ${add(3, 1)}`,
      )}; ${get(3)}`,
    ),
  },
];

const ASSUMED: Mutant[] = [
  {
    file: "analyse/simplify.ts",
    rule: "a test is assumed never to hold where that was proven",
    old: "if (range?.most === 0 && dropped.length === 0",
    now: "if (range?.least === 0 && dropped.length === 0",
    programs: code(`${tested(p)}; ${q}`),
  },
];

export const VERSION_MUTANTS: Mutant[] = [
  ...VERSION.map((mutant) => ({ ...mutant, file: "analyse/version.ts" })),
  ...ASSUMED,
];
