// SPDX-License-Identifier: MIT
// Mutants of what is known: relations, states, numbers, memory, the module.

import { counted, element, get, last, type Mutant, n, op, p, q, set, when } from "./mutants.ts";

const low = (mask: number, value = p): string => op("and", value, n(mask));
const code = (text: string): { code: string }[] => [{ code: text }];
const read = (at: number): string => `${n(0)}; i32.load ${at}`;
const write = (at: number, value: string): string => `${n(0)}; ${value}; i32.store ${at}`;

const RELATIONS: Omit<Mutant, "file">[] = [
  {
    rule: "less as signed is less as unsigned from 0 on",
    old: 'if (sign === "u") return a.range.leastSigned >= 0 &&',
    now: 'if (sign === "u") return',
    programs: code(when(op("lt_s", p, q), op("lt_u", p, q))),
  },
  {
    rule: "less as unsigned is less as signed below 2^31",
    old: "return b.range.leastSigned >= 0 &&",
    now: "return",
    programs: code(when(op("lt_u", p, q), op("lt_s", p, q))),
  },
  {
    rule: "less or equal is not less",
    old: 'return holds(state, "lt", sign, a, b);',
    now: 'return holds(state, "lt", sign, a, b) || holds(state, "le", sign, a, b);',
    programs: code(when(op("le_u", p, q), op("lt_u", p, q))),
  },
  {
    rule: "what is less is not equal",
    old: '? op === "ne" : undefined',
    now: '? op === "eq" : undefined',
    programs: code(when(op("lt_u", p, q), op("eq", p, q))),
  },
  {
    rule: "of two conditions that are not both true one may be",
    old: '(op === "and" && truth)',
    now: '(op === "and")',
    programs: code(
      when(op("and", op("lt_u", p, n(8)), op("lt_u", q, n(8))), n(1), op("lt_u", p, n(8))),
    ),
  },
  {
    rule: "of two conditions one of which is true the other may be false",
    old: '(op === "or" && !truth)',
    now: '(op === "or")',
    programs: code(when(op("or", op("lt_u", p, n(8)), op("lt_u", q, n(8))), op("lt_u", p, n(8)))),
  },
  {
    rule: "greater is less with operands exchanged",
    old: "greater ? relationKey(plain, right, left)",
    now: "greater ? relationKey(plain, left, right)",
    programs: code(when(op("gt_u", p, q), op("lt_u", p, q))),
  },
  {
    rule: "equal to 0 is not true",
    old: "term.left, !truth)",
    now: "term.left, truth)",
    programs: code(when(op("eqz", p), op("eqz", p))),
  },
  {
    rule: "what does not hold is the opposite",
    old: "truth ? op : OPPOSITE[op]!, [",
    now: "op, [",
    programs: code(when(op("lt_u", p, n(8)), n(1), op("lt_u", p, n(8)))),
  },
];

const STATE: Omit<Mutant, "file">[] = [
  {
    rule: "a shift that lost bits says nothing of them",
    old: "if (b.least !== b.most || a.most * factor > 0xffff_ffff) return true;",
    now: "if (b.least !== b.most) return true;",
    programs: code(when(op("lt_u", op("shl", p, n(2)), n(32)), element(8, p))),
  },
  {
    rule: "a shifted limit is rounded down",
    old: "Math.floor(range.most / factor)",
    now: "Math.floor(range.most / factor) - 1",
    programs: code(when(op("lt_u", op("shl", low(255), n(2)), n(36)), element(8, low(255)))),
  },
  {
    rule: "a difference that wraps says nothing of its parts",
    old: "if (!fits(a.leastSigned - b.mostSigned, a.mostSigned - b.leastSigned)) return true;",
    now: "",
    programs: code(when(op("gt_s", op("sub", p, n(5)), n(0)), op("gt_s", p, n(0)))),
  },
  {
    rule: "a sum that wraps says nothing of its parts",
    old: "if (!fits(a.leastSigned + b.leastSigned, a.mostSigned + b.mostSigned)) return true;",
    now: "",
    programs: code(
      when(op("and", op("ge_s", p, n(0)), op("lt_s", op("add", p, n(5)), n(10))), element(5, p)),
    ),
  },
  {
    rule: "the part of a sum is the sum less the other's least",
    old: "range.mostSigned - b.leastSigned,\n    ])",
    now: "range.mostSigned - b.mostSigned,\n    ])",
    programs: code(when(op("lt_s", op("add", low(15), low(7, q)), n(9)), element(8, low(15)))),
  },
  {
    rule: "what was taken away is the difference less the least",
    old: "a.leastSigned - range.mostSigned,",
    now: "a.mostSigned - range.mostSigned,",
    programs: code(when(op("le_s", op("sub", low(15), low(15, q)), n(-8)), n(5))),
  },
  {
    rule: "values that join have the range of both",
    old: ".reduce((a, b) => joinRanges(a, b))",
    now: ".reduce((a) => a)",
    programs: last(8, `${set(2, low(15))}; ${q}; if; ${set(2, n(3))}; end; ${get(2)}`),
  },
  {
    rule: "what is noted on one side is not known behind",
    old: "joined = other === undefined ? undefined : joinRanges(joined, other);",
    now: "joined = other === undefined ? joined : joinRanges(joined, other);",
    programs: code(
      `${q}; if; ${op("ge_u", op("add", p, n(1)), n(8))}; if; unreachable; end; end
        ${element(8, op("add", p, n(1)))}`,
    ),
  },
  {
    rule: "a cell that one side forgot is not known",
    old: "const values = states.map(({ cells }) => cells.get(key));",
    now: "const values = states.map(({ cells }) => cells.get(key) ?? first.cells.get(key));",
    programs: [
      {
        code: `${write(24, low(7))}; ${q}; if; else; ${p}; call 1; end; ${element(8, read(24))}`,
        others: [{ type: "i32 ->", code: write(24, p) }],
      },
    ],
  },
  {
    rule: "a relation holds behind when it holds on both sides",
    old: "rest.every((s) => s.relations.has(key))",
    now: "rest.some(() => true)",
    programs: code(
      `${low(1, q)}; if; ${op("ge_u", p, q)}; if; unreachable; end; end; ${op("lt_u", p, q)}`,
    ),
  },
  {
    rule: "what a head claims holds in every pass",
    old: "if (!isWithin(rangeOf(numbers, state, number), range)) return false;",
    now: "if (!isWithin(rangeOf(numbers, state, number), range)) return true;",
    programs: last(4, `${counted(2, n(8), `${element(4, get(2))}; local.set 3`)}; ${get(2)}`),
  },
  {
    rule: "a cell that the head claims is kept in every pass",
    old: "if (state.cells.get(key) !== value) return false;",
    now: "",
    programs: code(
      `${write(24, n(0))}; loop; ${write(28, element(8, read(24)))}
        ${write(24, op("add", read(24), n(1)))}; ${op("lt_u", read(24), n(10))}; br_if 0; end
        ${read(28)}`,
    ),
  },
];

const NUMBERS: Omit<Mutant, "file">[] = [
  {
    rule: "operands of a difference stay in their order",
    old: "(add|mul|and|or|xor|eq|ne)",
    now: "(add|sub|mul|and|or|xor|eq|ne)",
    programs: code(op("eq", op("sub", p, q), op("sub", q, p))),
  },
  {
    rule: "values that one place brings forth differ",
    old: "numberOf(numbers, kind, index, which + 2 ** 31)",
    now: "numberOf(numbers, kind, index, 2 ** 31)",
    programs: code(
      `${set(2, n(1))}; ${set(3, n(2))}; ${p}; if; ${set(2, n(3))}; ${set(3, n(4))}; end
        ${op("eq", get(2), get(3))}`,
    ),
  },
  {
    rule: "places that bring forth something differ",
    old: "(index = numbers.places.size)",
    now: "(index = 0)",
    programs: code(op("eq", `${low(0x7fff)}; i32.load8_u 0`, `${low(0x7fff, q)}; i32.load8_u 1`)),
  },
];

const MEMORY: Omit<Mutant, "file">[] = [
  {
    rule: "a field may still hold its first contents",
    old: "cell?.range ?? contents(memory, address, bytes)",
    now: "cell?.range ?? value",
    programs: [
      {
        code: element(8, read(16)),
        others: [{ type: "i32 ->", code: write(16, low(3)), export: "set" }],
      },
    ],
  },
  {
    rule: "a field may hold whatever is stored",
    old: "const joined = joinRanges(last, value);",
    now: "const joined = last;",
    programs: code(`${op("eq", read(24), n(0))}; local.set 2; ${write(24, p)}; ${get(2)}`),
  },
  {
    rule: "cells that overlap are none",
    old: "else if (owner[at] !== key) return scatterCells(memory, address, bytes);",
    now: "else if (owner[at] !== key) owner[at] = key;",
    programs: code(
      `${op("gt_u", `${n(0)}; i32.load8_u 25`, n(3))}; local.set 2; ${low(1, q)}
        if; ${write(24, p)}; else; ${n(0)}; ${low(3)}; i32.store8 25; end; ${get(2)}`,
    ),
  },
  {
    rule: "octets that other stores reach are not known",
    old: "if (memory.scattered[at] === 1) return undefined;",
    now: "if (memory.scattered[at] === 2) return undefined;",
    programs: code(`${read(24)}; local.set 2; ${low(31)}; ${q}; i32.store8 4; ${get(2)}`),
  },
  {
    rule: "octets of a field of another size are not known",
    old: "else if (memory.owner[at] !== 0) return undefined;",
    now: "",
    programs: code(`${n(0)}; i32.load8_u 25; local.set 2; ${write(24, p)}; ${get(2)}`),
  },
  {
    rule: "a table with a stored octet is not known",
    old: "if (scattered[at] === 1 || owner[at] !== 0) return false;",
    now: "if (scattered[at] === 1) return false;",
    programs: code(
      `${low(15)}; i32.load8_u 64; local.set 2; ${n(0)}; ${q}; i32.store8 66
        ${op("gt_u", get(2), n(12))}`,
    ),
  },
  {
    rule: "a table with scattered octets is not known",
    old: "if (scattered[at] === 1 || owner[at] !== 0) return false;",
    now: "if (owner[at] !== 0) return false;",
    programs: code(
      `${low(15)}; i32.load8_u 64; local.set 2; ${low(7)}; ${q}; i32.store8 66
        ${op("gt_u", get(2), n(12))}`,
    ),
  },
  {
    rule: "a table ends with its last entry",
    old: "at <= last; at += stride",
    now: "at < last; at += stride",
    programs: last(12, `${low(15)}; i32.load8_u 64`),
  },
  {
    rule: "a store reaches its last octet",
    old: "Math.min(end, scattered.length)",
    now: "Math.min(end - 1, scattered.length)",
    programs: code(
      `${n(0)}; i32.load8_u 111; local.set 2; ${low(15)}; ${q}; i32.store8 96; ${get(2)}`,
    ),
  },
];

const PROGRAM: Omit<Mutant, "file">[] = [
  {
    rule: "functions of a table get anything",
    old: "[...rootsOf(module), ...listedFunctions(module)]",
    now: "[...rootsOf(module)]",
    programs: [
      {
        code: `${p}; ${n(0)}; call_indirect 0`,
        others: [{ type: "i32 -> i32", code: element(8, p) }],
        module: { types: ["i32 -> i32"], table: 1, elements: [{ at: n(0), functions: [1] }] },
      },
    ],
  },
  {
    rule: "exports get anything",
    old: "summary.parameters = summary.parameters.map(() => ANY);",
    now: "summary.parameters = summary.parameters.map(() => constant(3));",
    programs: code(element(8, p)),
  },
  {
    rule: "a longer write counts beside a shorter one",
    old: "if (end <= last) return;",
    now: "if (summary.writes.has(start)) return;",
    programs: [
      {
        code: `${n(0)}; ${n(5)}; i32.store8 26; ${p}; call 1; ${n(0)}; i32.load8_u 26`,
        others: [{ type: "i32 ->", code: `${n(0)}; ${p}; i32.store8 24; ${write(24, p)}` }],
      },
    ],
  },
  {
    rule: "a function writes what its callees write",
    old: "for (const [start, end] of callee.writes) addWrite(program, summary, start, end);",
    now: "",
    programs: [
      {
        code: `${write(24, n(5))}; ${p}; call 1; ${read(24)}`,
        others: [
          { type: "i32 ->", code: `${p}; call 2` },
          { type: "i32 ->", code: write(24, p) },
        ],
      },
    ],
  },
  {
    rule: "a function sets what its callees set",
    old: "for (const index of callee.globals) addGlobal(program, summary, index);",
    now: "",
    programs: [
      {
        code: `${n(5)}; global.set 0; ${p}; call 1; global.get 0`,
        others: [
          { type: "i32 ->", code: `${p}; call 2` },
          { type: "i32 ->", code: `${p}; global.set 0` },
        ],
      },
    ],
  },
  {
    rule: "a function whose callee may do anything may",
    old: "if (callee.anything) addAnything(program, summary);",
    now: "",
    programs: [
      {
        code: `${write(24, n(5))}; ${p}; call 1; ${read(24)}`,
        others: [
          { type: "i32 ->", code: `${p}; call 2` },
          { type: "i32 ->", code: `${p}; ${n(0)}; call_indirect 0` },
          { type: "i32 ->", code: write(24, p) },
        ],
        module: { types: ["i32 ->"], table: 1, elements: [{ at: n(0), functions: [3] }] },
      },
    ],
  },
  {
    rule: "a global may have any value that is set",
    old: "if (!growRange(globals, index, value, globalGrowths[index]!)) return;",
    now: "if (index >= 0) return;",
    programs: code(`${element(8, "global.get 0")}; ${p}; global.set 0`),
  },
  {
    rule: "a range grows by every value",
    old: "const joined = last === undefined ? value : joinRanges(last, value);",
    now: "const joined = last ?? value;",
    programs: [
      {
        code: `${op("add", `${n(3)}; call 1`, `${low(15)}; call 1`)}`,
        others: [{ type: "i32 -> i32", code: element(8, p) }],
      },
      {
        code: element(8, `${p}; ${q}; call 1`),
        others: [{ type: "i32 i32 -> i32", code: `${q}; if; ${n(3)}; return; end; ${low(15)}` }],
      },
    ],
  },
];

export const FACT_MUTANTS: Mutant[] = [
  ...RELATIONS.map((mutant) => ({ ...mutant, file: "analyse/relations.ts" })),
  ...STATE.map((mutant) => ({ ...mutant, file: "analyse/state.ts" })),
  ...NUMBERS.map((mutant) => ({ ...mutant, file: "analyse/numbers.ts" })),
  ...MEMORY.map((mutant) => ({ ...mutant, file: "analyse/memory.ts" })),
  ...PROGRAM.map((mutant) => ({ ...mutant, file: "analyse/program.ts" })),
];
