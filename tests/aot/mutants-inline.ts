// SPDX-License-Identifier: MIT
// Mutants of small functions where they are called.
//
// What a wrong copy does differs from V8. What is too much or too little of it is seen in the C: calls that are
// left, and how much there is.

import { LIMITS } from "../../aot/inline.ts";
import { assembleModule, type FuncText } from "./assemble.ts";
import type { HostMutant } from "./mutants-host.ts";
import {
  counted,
  get,
  type Mutant,
  n,
  op,
  p,
  type Program,
  q,
  set,
  type Translate,
} from "./mutants.ts";

const FILE = "inline.ts";

/** f(p, q) with four more locals, and callees from 1 on that are small enough. */
function calling(code: string, ...callees: FuncText[]): Program[] {
  const f: FuncText = { type: "i32 i32 -> i32", locals: "i32 i32 i32 i32", code, export: "f" };
  return [{ code: "", module: { functions: [f, ...callees] } }];
}

const low = (value: string, mask = 7): string => op("and", value, n(mask));
const EARLY: FuncText = {
  type: "i32 -> i32",
  code: `${p}; ${n(3)}; i32.lt_s; if; ${n(7)}; return; end; ${p}; ${n(5)}; i32.add`,
};
const FROM_BLOCK: FuncText = {
  type: "i32 -> i32",
  code: `block; ${p}; br_if 0; ${n(7)}; return; end; ${p}; ${n(5)}; i32.add`,
};
// Counts up to its parameter, at most to 40, and returns from there.
const FROM_LOOP: FuncText = {
  type: "i32 -> i32",
  locals: "i32",
  code: `loop; ${get(1)}; ${low(p)}; i32.ge_u; if; ${get(1)}; return; end
    ${set(1, op("add", get(1), n(1)))}; br 0; end; unreachable`,
};
const ADD_CALL = set(3, op("add", get(3), `${get(2)}; call 1`));
const SUM_OF_CALLS = `${counted(2, n(5), ADD_CALL)}; ${get(3)}`;
// The sum of what two calls give, more in value than either.
const TWICE = `${p}; call 1; ${n(100)}; i32.mul; ${q}; call 1; i32.add`;

const COPIES: Omit<Mutant, "file">[] = [
  {
    rule: "a parameter that its function sets is a copy",
    old: '"local" && !set.has(i)',
    now: '"local"',
    programs: calling(`${p}; call 1; ${p}; i32.mul`, {
      type: "i32 -> i32",
      code: `${set(0, op("add", p, n(5)))}; ${p}`,
    }),
  },
  {
    rule: "a local is 0 whenever its function begins",
    old: "before.push({ kind",
    now: "if (operand !== undefined) before.push({ kind",
    programs: calling(SUM_OF_CALLS, {
      type: "i32 -> i32",
      locals: "i32",
      code: `${get(1)}; ${p}; i32.add; local.tee 1`,
    }),
  },
  {
    rule: "a parameter is its operand",
    old: "value: operand ?? { kind",
    now: "value: { kind",
    programs: calling(`${op("add", p, n(1))}; call 1`, {
      type: "i32 -> i32",
      code: op("mul", p, p),
    }),
  },
  {
    rule: "locals are each other's neighbours, not the same",
    old: "func.locals.push(type) - 1",
    now: "func.locals.push(type) - 1 - (i & 1)",
    programs: calling(`${op("add", p, n(1))}; ${op("add", q, n(2))}; call 1`, {
      type: "i32 i32 -> i32",
      code: op("sub", p, q),
    }),
  },
  {
    rule: "what is behind a return is not run",
    old: '[...assign(results, statement.values), { kind: "branch", label }]',
    now: "assign(results, statement.values)",
    programs: calling(`${p}; call 1`, EARLY),
  },
  {
    rule: "a return gives its results",
    old: '[...assign(results, statement.values), { kind: "branch", label }]',
    now: '[{ kind: "branch", label }]',
    programs: calling(`${p}; call 1`, EARLY),
  },
  {
    rule: "each result is its value",
    old: "value: values[i]!",
    now: "value: values[0]!",
    programs: calling(`${p}; ${q}; call 1; i32.sub`, {
      type: "i32 i32 -> i32 i32",
      code: `${q}; ${p}`,
    }),
  },
  {
    rule: "a return in a block or a loop leaves the callee only",
    old: "[{ ...statement, body: leaveInto(statement.body, results, label) }]",
    now: "[statement]",
    programs: [...calling(TWICE, FROM_BLOCK), ...calling(TWICE, FROM_LOOP)],
  },
  {
    rule: "a return under a condition leaves the callee only",
    old: "yes: leaveInto(statement.yes, results, label)",
    now: "yes: statement.yes",
    programs: calling(TWICE, EARLY),
  },
  {
    rule: "a return where a condition fails leaves the callee only",
    old: "no: leaveInto(statement.no, results, label)",
    now: "no: statement.no",
    programs: calling(TWICE, {
      type: "i32 -> i32",
      code: `${p}; ${n(3)}; i32.lt_s; if; nop; else; ${n(7)}; return; end; ${p}; ${n(5)}; i32.add`,
    }),
  },
];

export const INLINE_MUTANTS: Mutant[] = COPIES.map((mutant) => ({ ...mutant, file: FILE }));

const ADD: FuncText = { type: "i32 -> i32", code: `${p}; ${n(3)}; i32.mul; ${n(5)}; i32.add` };
const times = (calls: number, callee: number): string =>
  `${p}; ${`call ${callee}; `.repeat(calls)}`;

// Calls of functions that are left in the C.
function callsLeft(translate: Translate, ...functions: FuncText[]): number {
  const { c } = translate(assembleModule({ functions }), { name: "x" });
  return [...c.matchAll(/= f\d+\(/g)].length;
}

// A label twice in one function is no C.
const LABELS = calling(
  `block; ${op("eq", q, n(9))}; br_if 0
    ${set(2, `${p}; call 1`)}; ${op("lt_u", get(2), q)}; br_if 0
    ${set(2, `${q}; call 1`)}; end; ${get(2)}`,
  FROM_BLOCK,
)[0]!;

function labelsDiffer(translate: Translate): boolean {
  const { c } = translate(assembleModule({ functions: [], ...LABELS.module }), { name: "x" });
  const labels = [...c.matchAll(/^ +(L\d+):/gm)].map(([, label]) => label);
  return labels.length > 3 && new Set(labels).size === labels.length;
}

const exported = (code: string): FuncText => ({ type: "i32 -> i32", code, export: "g" });
const LARGE: FuncText = { ...ADD, code: `${set(0, p)}; `.repeat(LIMITS.callee) + p };
// Small until six calls are inlined in it.
const GROWN: FuncText[] = [ADD, { ...ADD, code: times(6, 0) }, exported(times(1, 1))];

export const INLINE_LIMITS: HostMutant[] = [
  {
    rule: "what may call itself is not inlined",
    old: "recursive.has(callee.index) || ",
    now: "",
    reads: (translate: Translate) =>
      callsLeft(
        translate,
        exported(`${p}; call 1`),
        {
          type: "i32 -> i32",
          code: `${p}; i32.eqz; if i32; ${n(1)}; else; ${p}; ${n(1)}; i32.sub; call 2; end`,
        },
        { type: "i32 -> i32", code: `${p}; call 1` },
      ) >= 3,
  },
  {
    rule: "a function is inlined up to a size",
    old: "added > LIMITS.callee",
    now: "added > 9 * LIMITS.callee",
    reads: (translate: Translate) => callsLeft(translate, LARGE, exported(`${p}; call 0`)) === 1,
  },
  {
    rule: "callees come before callers",
    old: "if (done) order.push(func);",
    now: "if (!done) order.push(func);",
    reads: (translate: Translate) =>
      callsLeft(translate, exported(`${p}; call 1`), { ...ADD, code: `${p}; call 2` }, ADD) === 0,
  },
  {
    rule: "a function grows up to a size",
    old: "size + added > LIMITS.caller",
    now: "size > 2 * LIMITS.caller",
    reads: (translate: Translate) => callsLeft(translate, ADD, exported(times(900, 0))) > 500,
  },
  {
    rule: "what is inlined counts for the function",
    old: "      size += added;\n",
    now: "",
    reads: (translate: Translate) => callsLeft(translate, ADD, exported(times(900, 0))) > 500,
  },
  {
    rule: "what is inlined counts for the module",
    old: "      room -= added;\n",
    now: "",
    reads: (translate: Translate) =>
      callsLeft(
        translate,
        ...[
          ADD,
          ...[201, 202, 203, 204].map((calls) => ({
            ...exported(times(calls, 0)),
            export: `g${calls}`,
          })),
        ],
      ) > 200,
  },
  {
    rule: "a function is as large as what was inlined in it",
    old: "sizes.set(func.index, size);",
    now: "sizes.set(func.index, 1);",
    reads: (translate: Translate) => callsLeft(translate, ...GROWN) === 1,
  },
  ...[
    {
      rule: "labels of two copies differ",
      old: "caller.label += freshLabel(callee);",
      now: "",
    },
    {
      rule: "labels of a copy are none of the caller's",
      old: "label: freshLabel(func)",
      now: "label: 0",
    },
    {
      rule: "labels inside a copy are not that of its end",
      old: "const label = caller.label++;",
      now: "const label = caller.label;",
    },
    {
      rule: "labels inside a copy are its own",
      old: "label: (own) => own + caller.label",
      now: "label: (own) => own",
    },
  ].map((mutant) => ({ ...mutant, reads: labelsDiffer })),
].map((mutant) => ({ ...mutant, file: FILE }));
