// SPDX-License-Identifier: MIT
// Random programs aimed at the rules of the analysis: indices, ends, fields.
//
// Memory has what compiled AssemblyScript has: a length, a pointer and a cursor in cells, a read-only table,
// arrays, one of them at the very end of memory, and where objects are, on a line and not. Programs index them with counters, masks and operands, behind
// tests or not, and operands stand at the edges. Fuel ends every loop with a trap.

import { assembleModule, type ModuleText } from "./assemble.ts";
import type { Call } from "./native.ts";

const MEMORY_END = 65_536;
const CELLS = { length: 16, pointer: 20, cursor: 24, flag: 28 };
const TABLE = 64; // 16 octets, read-only
const POINTERS = 96; // 4 words: objects of 3 words each
const ROWS = 112; // 4 words: the same, 16 octets from each other, up to the end of memory
const ARRAY = 1024; // 8 words
const LAST_ARRAY = MEMORY_END - 32; // 8 words, up to the very end
const EDGES = [
  0,
  1,
  2,
  7,
  8,
  9,
  15,
  16,
  31,
  127,
  128,
  255,
  256,
  0x7fff_ffff,
  -1,
  -8,
  -0x8000_0000,
  65_535,
  65_536,
  MEMORY_END - 32,
  MEMORY_END - 4,
  MEMORY_END - 3,
  0x3fff_ffff,
  0x4000_0000,
];
const LOCALS = 6; // behind the two parameters; the last two count loops
const DEPTH_MAX = 3;

/** The same sequence for the same seed, 0 <= next(n) < n. */
export function randomFrom(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

type Random = (below: number) => number;

interface Writer {
  random: Random;
  callee: boolean; // the callee calls nobody
  label: number; // blocks around
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;

/** A module with two exported functions, and one they call. */
export function makeProgram(seed: number): Uint8Array {
  const random = randomFrom(seed);
  const bytes = (...values: number[]): number[] =>
    values.flatMap((value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]);
  const text: ModuleText = {
    functions: [
      { type: "i32 i32 -> i32", locals: "i32 ".repeat(LOCALS), code: body(random, true) },
      {
        type: "i32 i32 -> i32",
        locals: "i32 ".repeat(LOCALS),
        code: body(random, false),
        export: "f",
      },
      {
        type: "i32 i32 -> i32",
        locals: "i32 ".repeat(LOCALS),
        code: body(random, false),
        export: "g",
      },
    ],
    memory: { pages: 1 },
    globals: [
      { type: "i32", start: "i32.const 3000" },
      { type: "i32", start: "i32.const 1024" },
      { type: "i32", start: "i32.const 0" },
    ],
    data: [
      { at: "i32.const 16", bytes: bytes(8, ARRAY, 0, 1) },
      {
        at: `i32.const ${POINTERS}`,
        bytes: bytes(ARRAY, ARRAY + 64, ARRAY + 68, MEMORY_END - 12),
      },
      {
        at: `i32.const ${ROWS}`,
        bytes: bytes(MEMORY_END - 64, MEMORY_END - 48, MEMORY_END - 32, MEMORY_END - 16),
      },
      { at: `i32.const ${TABLE}`, bytes: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3] },
    ],
  };
  return assembleModule(text);
}

/** Calls whose operands stand at edges. */
export function makeCalls(seed: number, count: number): Call[] {
  const random = randomFrom(seed + 77);
  return Array.from({ length: count }, () => ({
    name: pick(random, ["f", "g"]),
    operands: [operand(random), operand(random)],
  }));
}

function operand(random: Random): number {
  return random(2) === 0 ? random(10) : pick(random, EDGES) >>> 0;
}

function body(random: Random, callee: boolean): string {
  const writer: Writer = { random, callee, label: 0 };
  const fuel = callee ? [] : ["i32.const 3000", "global.set 0"];
  return [...fuel, ...list(writer, 0), ...expression(writer, 0)].join("\n");
}

function list(writer: Writer, depth: number): string[] {
  const count = 1 + writer.random(depth === 0 ? 6 : 3);
  return Array.from({ length: count }, () => statement(writer, depth)).flat();
}

function statement(writer: Writer, depth: number): string[] {
  const { random } = writer;
  const flat = depth >= DEPTH_MAX;
  switch (random(flat ? 6 : 12)) {
    case 0:
    case 1:
      return [...expression(writer, 0), `local.set ${random(LOCALS)}`];
    case 2:
      return store(writer);
    case 3:
      return trapUnless(writer);
    case 4:
      return writer.callee
        ? [...expression(writer, 1), "global.set 2"]
        : [...expression(writer, 1), ...expression(writer, 1), "call 0", `local.set ${random(6)}`];
    case 5:
      return [...expression(writer, 1), "if", ...expression(writer, 1), "return", "end"];
    case 6:
    case 7:
      return choice(writer, depth);
    case 8:
      return random(3) === 0 ? bulk(writer) : cursorStore(writer);
    default:
      return loop(writer, depth);
  }
}

function choice(writer: Writer, depth: number): string[] {
  const test = condition(writer);
  const yes = list(writer, depth + 1);
  if (writer.random(2) === 0) return [...test, "if", ...yes, "end"];
  return [...test, "if", ...yes, "else", ...list(writer, depth + 1), "end"];
}

// this.buffer[this.cursor++] = value, with its check or without.
function cursorStore(writer: Writer): string[] {
  const { random } = writer;
  const check =
    random(3) > 0
      ? [
          `i32.const 0`,
          `i32.load ${CELLS.cursor}`,
          "i32.const 0",
          `i32.load ${CELLS.length}`,
        ].concat(["i32.ge_u", "if", "unreachable", "end"])
      : [];
  return [
    ...check,
    ...["i32.const 0", `i32.load ${CELLS.cursor}`, "i32.const 0", `i32.load ${CELLS.pointer}`],
    ...["i32.add", ...expression(writer, 1), "i32.store8 0"],
    ...[
      "i32.const 0",
      "i32.const 0",
      `i32.load ${CELLS.cursor}`,
      `i32.const ${pick(random, [1, 1, -1, 4])}`,
    ],
    ...["i32.add", `i32.store ${CELLS.cursor}`],
    ...(random(3) === 0 ? ["i32.const 0", "i32.const 0", `i32.store ${CELLS.cursor}`] : []),
  ];
}

function bulk(writer: Writer): string[] {
  const { random } = writer;
  const place = (): string[] => {
    const [code, displacement] = address(writer, pick(random, [1, 4]));
    return [...code, `i32.const ${displacement}`, "i32.add"];
  };
  const length = random(2) === 0 ? [`i32.const ${pick(random, [0, 1, 4, 16, 32])}`] : index(writer);
  return random(2) === 0
    ? [...place(), ...place(), ...length, "memory.copy"]
    : [...place(), ...expression(writer, 1), ...length, "memory.fill"];
}

function trapUnless(writer: Writer): string[] {
  const { random } = writer;
  const index = `local.get ${random(LOCALS + 2)}`;
  const limit =
    random(2) === 0
      ? ["i32.const 0", `i32.load ${CELLS.length}`]
      : [`i32.const ${pick(random, [1, 7, 8, 9, 32])}`];
  const kind = random(3);
  if (kind === 0) return [index, ...limit, "i32.ge_u", "if", "unreachable", "end"];
  if (kind === 1)
    return [
      index,
      "i32.const 0",
      "i32.lt_s",
      index,
      ...limit,
      "i32.ge_s",
      "i32.or",
      "if",
      "unreachable",
      "end",
    ];
  return [index, "i32.const 1", "i32.sub", ...limit, "i32.gt_u", "if", "unreachable", "end"];
}

// i = start; while (i < end) { ...; i += step }, with fuel; sometimes left from inside, sometimes with a sum.
function loop(writer: Writer, depth: number): string[] {
  const { random } = writer;
  const counter = LOCALS + random(2);
  const limit =
    random(2) === 0
      ? [`i32.const ${pick(random, [1, 7, 8, 9, 16, 33])}`]
      : [`local.get ${random(3)}`];
  const start =
    random(3) === 0 ? [`local.get ${random(3)}`] : [`i32.const ${pick(random, [0, 0, 1, -1, 3])}`];
  const compare = pick(random, ["i32.lt_s", "i32.lt_s", "i32.lt_u", "i32.ne", "i32.le_s"]);
  const fuel = [
    "global.get 0",
    "i32.const 1",
    "i32.sub",
    "global.set 0",
    "global.get 0",
    "i32.eqz",
    "if",
    "unreachable",
    "end",
  ];
  const sum =
    random(3) === 0
      ? [
          `local.get ${random(3)}`,
          `i32.const ${pick(random, [1, 3, -2])}`,
          "i32.add",
          `local.set ${random(3)}`,
        ]
      : [];
  const out = random(4) === 0 ? [...condition(writer), "br_if 2"] : [];
  return [
    ...[...start, `local.set ${counter}`, "block", "loop"],
    ...[`local.get ${counter}`, ...limit, compare, "if"],
    ...[...fuel, ...out, ...sum, ...list(writer, depth + 1)],
    ...[`local.get ${counter}`, `i32.const ${pick(random, [1, 1, 1, 2, 3])}`, "i32.add"],
    ...[`local.set ${counter}`, "br 1", "end", "end", "end"],
  ];
}

function condition(writer: Writer): string[] {
  const { random } = writer;
  const one = (): string[] => [
    `local.get ${random(LOCALS + 2)}`,
    ...(random(2) === 0
      ? [`local.get ${random(LOCALS + 2)}`]
      : [`i32.const ${pick(random, EDGES)}`]),
    `i32.${pick(random, ["lt_s", "lt_u", "ge_s", "gt_u", "eq", "ne", "le_u"])}`,
  ];
  const kind = random(4);
  if (kind === 0) return [...one(), ...one(), "i32.and"];
  if (kind === 1) return [...one(), ...one(), "i32.or"];
  return kind === 2 ? [...one(), "i32.eqz"] : one();
}

// Something that may be an index: a counter, a masked value, an operand, a sum of two.
function index(writer: Writer): string[] {
  const { random } = writer;
  const local = `local.get ${random(LOCALS + 2)}`;
  const kind = random(6);
  if (kind === 0) return [local, `i32.const ${pick(random, [7, 7, 3, 15, 8])}`, "i32.and"];
  if (kind === 1) return [local, `i32.const ${pick(random, [1, -1, 4])}`, "i32.add"];
  if (kind === 2) return [local, `local.get ${random(LOCALS + 2)}`, "i32.add"];
  if (kind === 3) return [local, `i32.const ${pick(random, [1, 2, 29])}`, "i32.shr_u"];
  return [local];
}

// Where one of four objects is.
function object(writer: Writer): string[] {
  const { random } = writer;
  const masked = [...index(writer), `i32.const ${pick(random, [1, 3, 3, 7])}`, "i32.and"];
  return [...masked, "i32.const 2", "i32.shl", `i32.load ${pick(random, [POINTERS, ROWS])}`];
}

// An address, and the displacement of an access to it.
function address(writer: Writer, bytes: number): [code: string[], displacement: number] {
  const { random } = writer;
  const shift = Math.log2(bytes);
  const scaled = shift === 0 ? [] : [`i32.const ${shift}`, "i32.shl"];
  const base = pick(random, [ARRAY, LAST_ARRAY, LAST_ARRAY, MEMORY_END - 8, TABLE]);
  switch (random(9)) {
    case 6:
      return [object(writer), pick(random, [0, 4, 8])];
    case 7:
      return [[...object(writer), ...index(writer), ...scaled, "i32.add"], pick(random, [0, 4])];
    case 8: {
      const [one, other] = [ARRAY, pick(random, [ARRAY + 4, ARRAY + 64, LAST_ARRAY])];
      const either = [`i32.const ${one}`, `i32.const ${other}`, ...condition(writer), "select"];
      return [either, pick(random, [0, 2, 4])];
    }
    case 0:
      return [["i32.const 0"], pick(random, Object.values(CELLS))];
    case 1:
      return [[...index(writer), ...scaled], base];
    case 2:
      return [[...index(writer), ...scaled, "global.get 1", "i32.add"], pick(random, [0, 4])];
    case 3:
      return [[`i32.const ${base + pick(random, [0, 4, 28, 29, 32])}`], 0];
    default:
      return [
        [...index(writer), ...scaled, `i32.const ${base}`, "i32.add"],
        pick(random, [0, 0, 4]),
      ];
  }
}

function store(writer: Writer): string[] {
  const bytes = pick(writer.random, [1, 2, 4, 4]);
  const [code, displacement] = address(writer, bytes);
  const op = bytes === 4 ? "i32.store" : `i32.store${bytes * 8}`;
  return [...code, ...expression(writer, 1), `${op} ${displacement}`];
}

function load(writer: Writer): string[] {
  const bytes = pick(writer.random, [1, 2, 4, 4]);
  const [code, displacement] = address(writer, bytes);
  const op = bytes === 4 ? "i32.load" : `i32.load${bytes * 8}_${pick(writer.random, ["u", "s"])}`;
  return [...code, `${op} ${displacement}`];
}

function expression(writer: Writer, depth: number): string[] {
  const { random } = writer;
  if (depth > 2) return [`local.get ${random(LOCALS + 2)}`];
  switch (random(9)) {
    case 0:
      return [`i32.const ${pick(random, EDGES)}`];
    case 1:
    case 2:
      return load(writer);
    case 3: {
      const op = pick(random, ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "shr_s"]);
      return [...expression(writer, depth + 1), ...expression(writer, depth + 1), `i32.${op}`];
    }
    case 4: {
      const op = pick(random, ["div_s", "div_u", "rem_s", "rem_u"]);
      const divisor = random(4) > 0 ? ["i32.const 1", "i32.or"] : [];
      const operands = [...expression(writer, depth + 1), ...expression(writer, 3)];
      return [...operands, ...divisor, `i32.${op}`];
    }
    case 5:
      return [
        ...expression(writer, depth + 1),
        ...expression(writer, depth + 1),
        ...condition(writer),
        "select",
      ];
    case 6:
      return [
        ...expression(writer, depth + 1),
        pick(random, ["i32.extend8_s", "i32.extend16_s", "i32.eqz", "i32.clz"]),
      ];
    case 7:
      return random(2) === 0 ? index(writer) : ["global.get 2"];
    default:
      return [`local.get ${random(LOCALS + 2)}`];
  }
}
