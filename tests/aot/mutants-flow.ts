// SPDX-License-Identifier: MIT
// Mutants of evaluation, effects, control, loops and of what is left out.

import { counted, element, get, last, type Mutant, n, op, p, q, set, when } from "./mutants.ts";

const low = (mask: number, value = p): string => op("and", value, n(mask));
const code = (text: string): { code: string }[] => [{ code: text }];
const read = (at: number): string => `${n(0)}; i32.load ${at}`;
const write = (at: number, value: string): string => `${n(0)}; ${value}; i32.store ${at}`;
const add = (local: number, by: number): string => set(local, op("add", get(local), n(by)));
const GROWING = { module: { memory: { pages: 1, max: 2 } }, memoryBytes: 131_072 };
const WRITER = { type: "i32 ->", code: write(24, p) };

const TESTED = `${op("ge_u", get(2), n(8))}; if; unreachable; end`;

const EVALUATE: Omit<Mutant, "file">[] = [
  {
    rule: "an access ends within memory",
    old: "const inBounds = range.most + displacement + bytes <= memory.bytesMin;",
    now: "const inBounds = range.most + displacement + 1 <= memory.bytesMin;",
    programs: code(when(op("lt_u", p, n(2)), `${p}; i32.load 65532`)),
  },
  {
    rule: "an access is proven within the least memory",
    old: "displacement + bytes <= memory.bytesMin;",
    now: "displacement + bytes <= memory.bytesMax;",
    programs: [
      {
        code: `${q}; if; ${low(1)}; memory.grow; drop; end; ${low(7)}; i32.load 65532`,
        ...GROWING,
      },
    ],
  },
  {
    rule: "behind an access its address may be the last one",
    old: "memory.bytesMax - bytes - displacement",
    now: "memory.bytesMax - bytes - displacement - 1",
    programs: code(`${p}; i32.load8_u 0; drop; ${op("eq", p, n(65_535))}`),
  },
  {
    rule: "behind an access its address may be in what memory grew by",
    old: "const limit = memory.bytesMax - bytes",
    now: "const limit = memory.bytesMin - bytes",
    programs: [
      {
        code: `${n(1)}; memory.grow; drop; ${p}; i32.load8_u 0; drop; ${op("gt_u", p, n(65_535))}`,
        ...GROWING,
      },
    ],
  },
  {
    rule: "alignment is that of address and displacement",
    old: "low: (range.low + displacement) % 2 ** range.bits",
    now: "low: range.low % 2 ** range.bits",
    programs: code(`${op("shl", low(7), n(2))}; i32.load 66`),
  },
  {
    rule: "128 is negative when it is loaded with its sign",
    old: "if (raw.range.most < half) return raw;",
    now: "if (raw.range.most <= half) return raw;",
    programs: code(
      `${n(0)}; ${low(128)}; i32.store8 24; ${op("lt_s", `${n(0)}; i32.load8_s 24`, n(0))}`,
    ),
  },
  {
    rule: "a table's entry depends on the displacement",
    old: "`table${bytes} ${displacement}`",
    now: "`table${bytes}`",
    programs: code(op("eq", `${low(7)}; i32.load8_u 64`, `${low(7)}; i32.load8_u 72`)),
  },
  {
    rule: "the second arm of a select is taken when the condition is false",
    old: "const holds = truth ? plain : OPPOSITE[plain]!;",
    now: "const holds = plain;",
    programs: last(8, `${n(0)}; ${low(15)}; ${op("lt_u", low(15), n(8))}; select`),
  },
  {
    rule: "a select gives one of two",
    old: "underCondition(run, no, condition, false)",
    now: "underCondition(run, yes, condition, true)",
    programs: last(8, `${low(7)}; ${low(15)}; ${q}; select`),
  },
  {
    rule: "a select of other arms is another value",
    old: 'numberOf(numbers, "pair", yes.number, no.number)',
    now: 'numberOf(numbers, "pair", yes.number, 0)',
    programs: code(op("eq", `${n(1)}; ${p}; ${q}; select`, `${n(1)}; ${n(3)}; ${q}; select`)),
  },
  {
    rule: "memory may have another size",
    old: 'numberOfPlace(numbers, "size", node)',
    now: 'numberOf(numbers, "size", 0)',
    programs: [
      {
        code: `memory.size; local.set 2; ${low(1)}; memory.grow; drop
          ${op("eq", get(2), "memory.size")}`,
        ...GROWING,
      },
    ],
  },
  {
    rule: "a mask takes away",
    old: "range.most <= mask;",
    now: "range.most <= mask + 1;",
    programs: code(when(op("lt_u", p, n(9)), op("eq", low(7), p))),
  },
  {
    rule: "a variable that is known to be one number is that number",
    old: "constantValue(run, range.least) : { number, range };\n}\n\n// A number",
    now: "constantValue(run, range.least + 1) : { number, range };\n}\n\n// A number",
    programs: code(when(op("eq", p, n(7)), element(8, p))),
  },
];

const EFFECTS: Omit<Mutant, "file">[] = [
  {
    rule: "a store changes cells that it may reach",
    old: "forgetCells(state, first, end);",
    now: "",
    programs: code(`${write(24, n(5))}; ${low(4)}; ${q}; i32.store 24; ${read(24)}`),
  },
  {
    rule: "a store reaches as far as it is wide",
    old: "const end = last + node.bytes;",
    now: "const end = last + 1;",
    programs: code(`${n(0)}; ${n(5)}; i32.store8 31; ${low(4)}; ${q}; i32.store 24
      ${n(0)}; i32.load8_u 31`),
  },
  {
    rule: "a cell that begins before a store is reached by it",
    old: "if (at < end && start < at + (key % 16)) cells.delete(key);",
    now: "if (at < end && start <= at) cells.delete(key);",
    programs: code(`${write(24, n(5))}; ${low(1)}; ${q}; i32.store8 26; ${read(24)}`),
  },
  {
    rule: "callers know what a function writes",
    old: "addWrite(program, summary, first, end);\n    if (first",
    now: "if (first",
    programs: [{ code: `${write(24, n(5))}; ${p}; call 1; ${read(24)}`, others: [WRITER] }],
  },
  {
    rule: "stores of unknown address leave nothing known",
    old: "else scatter(program.memory, first, end);",
    now: "",
    programs: code(`${read(24)}; local.set 2; ${low(4)}; ${q}; i32.store 24; ${get(2)}`),
  },
  {
    rule: "a narrow store keeps the low bits only",
    old: "if (value.range.most <= most) return value;",
    now: "if (bytes > 0) return value;",
    programs: code(`${n(0)}; ${p}; i32.store8 24; ${op("eq", `${n(0)}; i32.load8_u 24`, p)}`),
  },
  {
    rule: "callers know which globals a function sets",
    old: "addGlobal(program, summary, cell);",
    now: "",
    programs: [
      {
        code: `${n(5)}; global.set 0; ${p}; call 1; global.get 0`,
        others: [{ type: "i32 ->", code: `${p}; global.set 0` }],
      },
    ],
  },
  {
    rule: "a call changes what its callee sets",
    old: "for (const index of callee.globals) state.cells.delete(globalKey(index));",
    now: "",
    programs: [
      {
        code: `${n(5)}; global.set 0; ${p}; call 1; global.get 0`,
        others: [{ type: "i32 ->", code: `${p}; global.set 0` }],
      },
    ],
  },
  {
    rule: "a call changes what its callee writes",
    old: "for (const [start, end] of callee.writes) forgetCells(state, start, end);",
    now: "",
    programs: [{ code: `${write(24, n(5))}; ${p}; call 1; ${read(24)}`, others: [WRITER] }],
  },
  {
    rule: "a callee that may do anything changes all",
    old: "if (callee.anything) return state.cells.clear();",
    now: "",
    programs: [
      {
        code: `${write(24, n(5))}; ${p}; call 1; ${read(24)}`,
        others: [{ type: "i32 ->", code: `${p}; ${n(0)}; call_indirect 0` }, WRITER],
        module: { types: ["i32 ->"], table: 1, elements: [{ at: n(0), functions: [2] }] },
      },
    ],
  },
  {
    rule: "an indirect call changes all",
    old: "addAnything(run.program, run.summary);\n  run.state.cells.clear();",
    now: "addAnything(run.program, run.summary);",
    programs: [
      {
        code: `${write(24, n(5))}; ${p}; ${n(0)}; call_indirect 0; ${read(24)}`,
        others: [WRITER],
        module: { types: ["i32 ->"], table: 1, elements: [{ at: n(0), functions: [1] }] },
      },
    ],
  },
  {
    rule: "whatever a function was given once it may be given",
    old: "if (growRange(callee.parameters, i, range, callee.growths)) changed = true;",
    now: "if (!callee.parameters[i] && growRange(callee.parameters, i, range, 0)) changed = true;",
    programs: [
      {
        code: `${n(3)}; call 1; ${low(15)}; call 1; i32.add`,
        others: [{ type: "i32 -> i32", code: element(8, p) }],
      },
    ],
  },
  {
    rule: "a range of octets ends where its length says",
    old: "Math.min(at.most + length.most, memory.bytesMax)];",
    now: "Math.min(at.most + length.least, memory.bytesMax)];",
    programs: code(`${write(24, n(5))}; ${n(22)}; ${q}; ${low(15)}; memory.fill; ${read(24)}`),
  },
  {
    rule: "a range of octets is proven with its length",
    old: "+ length!.most;",
    now: "+ length!.least;",
    programs: code(`${n(65_528)}; ${q}; ${low(15)}; memory.fill; ${p}`),
  },
  {
    rule: "octets that are copied come from within memory",
    old: "Math.max(target!.most, from === undefined ? 0 : source!.most)",
    now: "target!.most",
    programs: code(`${n(24)}; ${op("add", low(15), n(65_520))}; ${n(8)}; memory.copy; ${q}`),
  },
  {
    rule: "a fill changes cells",
    old: "forgetCells(state, start, end);\n  addWrite(program, summary, start, end);",
    now: "addWrite(program, summary, start, end);",
    programs: code(`${write(24, n(5))}; ${n(24)}; ${q}; ${n(3)}; memory.fill; ${read(24)}`),
  },
  {
    rule: "callers know what a function fills",
    old: "addWrite(program, summary, start, end);\n  scatter",
    now: "scatter",
    programs: [
      {
        code: `${write(24, n(5))}; ${p}; call 1; ${read(24)}`,
        others: [{ type: "i32 ->", code: `${n(24)}; ${p}; ${n(3)}; memory.fill` }],
      },
    ],
  },
  {
    rule: "what is filled is not known",
    old: "scatter(program.memory, start, end);\n  const limit",
    now: "const limit",
    programs: code(`${read(24)}; local.set 2; ${n(24)}; ${q}; ${n(3)}; memory.fill; ${get(2)}`),
  },
  {
    rule: "nothing may be filled at the very end",
    old: "unsignedRange(0, program.memory.bytesMax)",
    now: "unsignedRange(0, program.memory.bytesMax - 1)",
    programs: code(`${p}; ${q}; ${n(0)}; memory.fill; ${op("eq", p, n(65_536))}`),
  },
];

const FLOW: Omit<Mutant, "file">[] = [
  {
    rule: "behind a condition that is false it does not hold",
    old: "assume(numbers, otherwise, condition.number, false)",
    now: "assume(numbers, otherwise, condition.number, true)",
    programs: code(when(op("lt_u", p, n(8)), n(1), op("lt_u", p, n(8)))),
  },
  {
    rule: "an if has two ends",
    old: "ends.length === 1 ? ends[0]",
    now: "ends.length > 0 ? ends[0]",
    programs: last(8, `${set(2, low(15))}; ${q}; if; ${set(2, n(3))}; end; ${get(2)}`),
  },
  {
    rule: "a block may be left at its end",
    old: "if (run.state !== undefined) arrived.push(run.state);",
    now: "",
    programs: last(8, `block; ${set(2, n(3))}; ${q}; br_if 0; ${set(2, low(15))}; end; ${get(2)}`),
  },
  {
    rule: "a block may be left by any branch",
    old: "else waiting.push(arriving);",
    now: "",
    programs: last(
      8,
      `block; ${set(2, n(3))}; ${low(1, q)}; br_if 0; ${set(2, low(15))}; ${low(2, q)}; br_if 0
        ${set(2, n(4))}; end; ${get(2)}`,
    ),
  },
  {
    rule: "a table of branches has one for all else",
    old: "new Set([...node.labels, node.otherwise])",
    now: "new Set(node.labels)",
    programs: last(
      8,
      `block; block; ${set(2, n(3))}; ${p}; br_table 1 0; end; ${set(2, low(15))}; end; ${get(2)}`,
    ),
  },
  {
    rule: "a loop's head has what comes back",
    old: "[entry, ...backs], localsSetIn",
    now: "[entry], localsSetIn",
    programs: code(counted(2, n(8), `${element(4, get(2))}; local.set 3`) + `; ${get(2)}`),
  },
  {
    rule: "a function may return any of its results",
    old: "if (growRange(summary.results!, i, range, summary.growths)) changed = true;",
    now: "if (!summary.results![i] && growRange(summary.results!, i, range, 0)) changed = true;",
    programs: [
      {
        code: element(8, `${p}; ${q}; call 1`),
        others: [{ type: "i32 i32 -> i32", code: `${q}; if; ${n(3)}; return; end; ${low(15)}` }],
      },
    ],
  },
  {
    rule: "nobody knows whether memory grew",
    old: "return setUnknown(run, node.result, node);",
    now: "return;",
    programs: [{ code: `${low(1)}; memory.grow; local.set 2; ${get(2)}`, ...GROWING }],
  },
];

const LOOPS: Mutant[] = [
  {
    file: "analyse/trips.ts",
    rule: "a sum is complete behind the last pass",
    old: "Math.ceil((end - start) / step)",
    now: "Math.ceil((end - start) / step) - 1",
    programs: last(8, `${counted(2, n(8), add(3, 1))}; ${get(3)}`),
  },
  {
    file: "analyse/trips.ts",
    rule: "the last pass of wide steps counts",
    old: "Math.ceil((end - start) / step)",
    now: "Math.floor((end - start) / step)",
    programs: last(4, `${counted(2, n(10), add(3, 1), 3)}; ${get(3)}`),
  },
  {
    file: "analyse/trips.ts",
    rule: "a counter that wraps counts on",
    old: "if (end > SIGNED_MOST - step) return undefined;",
    now: "",
    programs: code(
      `${set(2, n(0x7fff_fffc))}
        ${counted(2, n(0x7fff_ffff), `${add(3, 1)}; ${element(8, get(3))}; drop`, 4)}
        ${get(3)}`,
    ),
  },
  {
    file: "analyse/trips.ts",
    rule: "a sum may be in a loop inside",
    old: 'return statement.kind === "loop" && all.length > 0 ? undefined : all;',
    now: "return all;",
    programs: last(
      8,
      `${counted(2, n(4), `${set(4, n(0))}; ${counted(4, n(4), add(3, 1))}`)}; ${get(3)}`,
    ),
  },
  {
    file: "analyse/trips.ts",
    rule: "a sum may fall",
    old: "down += Math.min(0, range?.leastSigned ?? 0);",
    now: "",
    programs: last(8, `${set(3, n(4))}; ${counted(2, n(6), add(3, -1))}; ${get(3)}`),
  },
  {
    file: "analyse/trips.ts",
    rule: "what is taken away does not add",
    old: 'value.op !== "add" || value.operandType',
    now: "!/^(add|sub)$/.test(value.op) || value.operandType",
    programs: last(
      16,
      `${set(3, n(4))}; ${counted(2, n(6), set(3, op("sub", get(3), n(1))))}; ${get(3)}`,
    ),
  },
  {
    file: "analyse/trips.ts",
    rule: "a sum that may wrap says nothing",
    old: "if (least < SIGNED_LEAST || most > SIGNED_MOST) continue;",
    now: "",
    programs: code(`${counted(2, n(4), add(3, 0x3000_0000))}; ${op("lt_s", get(3), n(0))}`),
  },
  {
    file: "analyse/trips.ts",
    rule: "passes are counted up to the largest limit",
    old: "entry.locals[limit.index]!).mostSigned",
    now: "entry.locals[limit.index]!).leastSigned",
    programs: last(8, `${set(4, low(15))}; ${counted(2, get(4), add(3, 1))}; ${get(3)}`),
  },
  {
    file: "analyse/trips.ts",
    rule: "passes are counted from the least start",
    old: "entry.locals[counter]!).leastSigned",
    now: "entry.locals[counter]!).mostSigned",
    programs: last(8, `${set(2, low(7))}; ${counted(2, n(10), add(3, 1))}; ${get(3)}`),
  },
  {
    file: "analyse/counted.ts",
    rule: "a loop that goes on early may not count",
    old: "branchesTo(loop.body, loop.label) !== 1",
    now: "branchesTo(loop.body, loop.label) < 1",
    programs: last(6, `${counted(2, n(4), `${add(3, 1)}; ${low(1, get(3))}; br_if 1`)}; ${get(3)}`),
  },
  {
    file: "analyse/counted.ts",
    rule: "a counter is set once",
    old: "setsOf(yes, test.counter) !== 1",
    now: "setsOf(yes, test.counter) < 1",
    programs: last(
      6,
      `${counted(2, n(4), `${add(3, 1)}; ${op("lt_s", get(3), low(15))}; if; ${set(2, n(0))}; end`)}
        ${get(3)}`,
    ),
  },
  {
    file: "analyse/counted.ts",
    rule: "a limit that changes is none",
    old: 'if (test.limit.kind === "local" && changed.has(test.limit.index)) return undefined;',
    now: "",
    programs: last(
      6,
      `${set(4, n(4))}; ${counted(
        2,
        get(4),
        `${add(3, 1)}; ${op("lt_s", get(4), low(15))}; if; ${add(4, 1)}; end`,
      )}
        ${get(3)}`,
    ),
  },
  {
    file: "analyse/counted.ts",
    rule: "a counter that falls does not count up",
    old: "return by >= 1 && by <= STEP_MAX ? by : undefined;",
    now: "return Math.abs(by | 0);",
    programs: code(
      `${counted(2, n(4), `${add(3, 1)}; ${element(6, get(3))}; local.set 4`, -1)}; ${get(3)}`,
    ),
  },
  {
    file: "analyse/split.ts",
    rule: "what is left of a split loop traps",
    old: "...copyInside(test.yes, 0)",
    now: "",
    programs: code(`${counted(2, p, `${TESTED}; ${add(3, 1)}`)}; ${get(3)}`),
  },
  {
    file: "analyse/split.ts",
    rule: "what is left of a split loop begins its pass",
    old: "...copyInside(before, freshLabel(func)), ",
    now: "",
    programs: code(
      `${set(4, low(15))}; ${counted(
        2,
        get(4),
        `${write(24, op("add", read(24), n(1)))}; ${TESTED}; ${add(3, 1)}`,
      )}; ${get(3)}`,
    ),
  },
  {
    file: "analyse/split.ts",
    rule: "a limit is compared with its sign",
    old: 'op: "lt_s", type',
    now: 'op: "lt_u", type',
    programs: code(`${counted(2, p, `${TESTED}; ${add(3, 1)}`)}; ${get(3)}`),
  },
  {
    file: "analyse/split.ts",
    rule: "an index test that lets the limit pass is no other one",
    old: 'condition.op !== "ge_u"',
    now: "!/^g[et]_u$/.test(condition.op)",
    programs: code(
      `${set(4, low(15))}; ${counted(
        2,
        get(4),
        `${op("gt_u", get(2), n(8))}; if; unreachable; end; ${add(3, 1)}`,
      )}; ${get(3)}`,
    ),
  },
];

const SIMPLIFY: Omit<Mutant, "file">[] = [
  {
    rule: "a load that may trap stays",
    old: "return knowledge.reaches.get(node)?.inBounds !== true;",
    now: "return knowledge.reaches.get(node) === undefined;",
    programs: code(`${p}; i32.load 0; drop; ${q}`),
  },
  {
    rule: "a conversion that may trap stays",
    old: 'return node.op.startsWith("trunc_f");',
    now: "return false;",
    programs: code(`${p}; f32.reinterpret_i32; i32.trunc_f32_s; drop; ${q}`),
  },
  {
    rule: "a shift of what may be negative keeps its sign",
    old: 'node.op === "shr_s" && left.leastSigned >= 0',
    now: 'node.op === "shr_s" && left.mostSigned >= 0',
    programs: code(op("shr_s", p, n(1))),
  },
  {
    rule: "a mask takes away what is above it",
    old: "left.most <= mask;",
    now: "left.most <= mask + 1;",
    programs: code(when(op("lt_u", p, n(9)), low(7))),
  },
  {
    rule: "a divisor may be 0",
    old: "|| right.least === 0) return false;",
    now: "|| right.most === 0) return false;",
    programs: code(op("div_u", p, low(7, q))),
  },
  {
    rule: "the least number by -1 overflows",
    old: "left.leastSigned === -(2 ** 31) && right.most === 2 ** 32 - 1;",
    now: "false;",
    programs: code(when(q, op("div_s", p, q))),
  },
  {
    rule: "the least i64 by -1 overflows",
    old: "divisor !== 0n && divisor !== 0xffff_ffff_ffff_ffffn",
    now: "divisor !== 0n",
    programs: code(
      `${p}; i64.extend_i32_u; i64.const 32; i64.shl; i64.const -1; i64.div_s; i32.wrap_i64`,
    ),
  },
  {
    rule: "what is known may have to trap first",
    old: "isConstant(range) && !canTrap(knowledge, node)",
    now: "isConstant(range)",
    programs: code(op("and", `${p}; i32.load 0`, n(0))),
  },
  {
    rule: "a condition that is known may have to trap first",
    old: "const dropped: Statement[] = canTrap(knowledge, node.condition)",
    now: "const dropped: Statement[] = !canTrap(knowledge, node.condition)",
    programs: code(`${op("and", `${p}; i32.load 0`, n(0))}; if; ${set(2, q)}; end; ${get(2)}`),
  },
  {
    rule: "an arm that is not chosen may have to trap first",
    old: "if (pure && chosen !== undefined && chosen.least > 0)",
    now: "if (chosen !== undefined && chosen.least > 0)",
    programs: code(`${q}; ${p}; i32.load 0; ${op("or", p, n(1))}; select`),
  },
];

export const FLOW_MUTANTS: Mutant[] = [
  ...EVALUATE.map((mutant) => ({ ...mutant, file: "analyse/evaluate.ts" })),
  ...EFFECTS.map((mutant) => ({ ...mutant, file: "analyse/effects.ts" })),
  ...FLOW.map((mutant) => ({ ...mutant, file: "analyse/flow.ts" })),
  ...LOOPS,
  ...SIMPLIFY.map((mutant) => ({ ...mutant, file: "analyse/simplify.ts" })),
];
