// SPDX-License-Identifier: MIT
// Random modules aimed at what a translator gets wrong, from a seed.
//
// Addresses lie at the ends of memory and of arrays, misaligned and overlapping; loops end one pass before,
// at and behind the last element; checks are there, or off by one; lengths and pointers are in memory, where
// stores may reach them. Every loop takes from one measure of fuel, so that each call ends or traps. A float
// that goes to memory is no NaN, since the bits of one are open.

import { createPrng, type Prng } from "../../host-sim/prng.ts";
import { assembleModule, type FuncText } from "./assemble.ts";
import { EDGES } from "./edges.ts";
import { idiom } from "./idioms.ts";
import type { Call, Case } from "./native.ts";

interface Generator {
  prng: Prng;
  functions: number; // made so far: those may be called
  depth: number; // of statements
  loops: number; // counters in use
}

const PAGE = 65_536;
const PARAMETERS = "i32 i32 i64 f64";
const LOCALS = "i32 i32 i32 i32 i32 i32 i64 i64 f64 f64 f32 f64";
const I32_LOCALS = [0, 1, 4, 5, 6]; // to read and to write
const COUNTERS = [7, 8, 9]; // of loops: read, never written by other statements
const I64_LOCALS = [2, 10, 11];
const F64_LOCALS = [3, 12, 13];
const F32_LOCAL = 14;
const SCRATCH = 15;
const FUEL = 2000;
const FUNCTIONS = 3;
const CALLS = 6; // of each
const HEADER = 1024; // a length and a pointer lie here, and data behind them
const ELEMENTS = [1, 3, 8, 16];

const pick = <T>(prng: Prng, list: readonly T[]): T => list[prng.below(list.length)]!;

const CONSTANTS = [
  ...[0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 255, 256, HEADER, HEADER + 4, HEADER + 16],
  ...[PAGE - 9, PAGE - 8, PAGE - 5, PAGE - 4, PAGE - 3, PAGE - 2, PAGE - 1, PAGE, PAGE + 1],
  ...[0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_fffc, 0xffff_ffff],
];
const DISPLACEMENTS = [
  ...Array.from({ length: 24 }, (_, i) => i >> 1), // far ones mostly trap
  HEADER,
  PAGE - 4,
  PAGE - 8,
  PAGE,
  0xffff_fff8,
];
const BINARY_I32 = "add add sub mul and or xor shl shr_s shr_u rotl rotr div_s div_u rem_s rem_u";
const COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
const BINARY_F64 = "add sub mul div min max copysign";
const words = (text: string): string[] => text.split(" ");
const LOADS_I32 = words("i32.load i32.load8_u i32.load8_s i32.load16_u i32.load16_s");
const LOADS_I64 = words("i64.load i64.load32_u i64.load32_s i64.load8_s i64.load16_u");
const STORES_I32 = words("i32.store i32.store8 i32.store16");
const STORES_I64 = words("i64.store i64.store32 i64.store8 i64.store16");
const TRUNCATIONS_I32 = words("i32.trunc_sat_f64_s i32.trunc_sat_f64_u i32.trunc_f64_s");
const TRUNCATIONS_I64 = words("i64.trunc_sat_f64_s i64.trunc_sat_f64_u i64.trunc_f64_u");
const UNARY_I32 = words("i32.eqz i32.clz i32.ctz i32.popcnt i32.extend8_s i32.extend16_s");

function integer32(g: Generator, depth: number): string {
  const { prng } = g;
  const less = depth - 1;
  if (depth <= 0 || prng.chance(0.15)) return leaf(g);
  const a = (): string => integer32(g, less);
  switch (prng.below(12)) {
    case 0:
    case 1:
    case 2:
      return `${a()}; ${a()}; i32.${pick(prng, words(BINARY_I32))}`;
    case 3:
      return `${a()}; ${a()}; i32.${pick(prng, words(COMPARE))}`;
    case 4:
      return `${a()}; i32.const ${pick(prng, [1, 3, 7, 15, 63, 255, -4, -8])}; i32.and`;
    case 5:
      return `${address(g, less)}; ${pick(prng, LOADS_I32)} ${pick(prng, DISPLACEMENTS)}`;
    case 6:
      return `${element(g, less)}; i32.load ${pick(prng, [0, 0, 4])}`;
    case 7:
      return `${integer64(g, less)}; ${pick(prng, ["i32.wrap_i64", "i64.eqz"])}`;
    case 8:
      return `${integer64(g, less)}; ${integer64(g, less)}; i64.${pick(prng, words(COMPARE))}`;
    case 9:
      return `${float64(g, less)}; ${pick(prng, TRUNCATIONS_I32)}`;
    case 10:
      return `${a()}; ${a()}; ${a()}; select`;
    default:
      return `${a()}; ${pick(prng, UNARY_I32)}`;
  }
}

function leaf({ prng, loops }: Generator): string {
  switch (prng.below(4)) {
    case 0:
      return `i32.const ${pick(prng, CONSTANTS)}`;
    case 1:
      return `global.get ${prng.below(2)}`;
    case 2:
      return loops > 0 ? `local.get ${COUNTERS[prng.below(loops)]}` : "local.get 0";
    default:
      return `local.get ${pick(prng, I32_LOCALS)}`;
  }
}

function integer64(g: Generator, depth: number): string {
  const { prng } = g;
  const less = depth - 1;
  if (depth <= 0 || prng.chance(0.2))
    return prng.chance(0.5)
      ? `i64.const ${pick(prng, EDGES.i64)}`
      : pick(prng, [...I64_LOCALS.map((index) => `local.get ${index}`), "global.get 2"]);
  const a = (): string => integer64(g, less);
  switch (prng.below(6)) {
    case 0:
    case 1:
      return `${a()}; ${a()}; i64.${pick(prng, words(BINARY_I32))}`;
    case 2:
      return `${integer32(g, less)}; ${pick(prng, ["i64.extend_i32_s", "i64.extend_i32_u"])}`;
    case 3:
      return `${address(g, less)}; ${pick(prng, LOADS_I64)} ${pick(prng, DISPLACEMENTS)}`;
    case 4:
      return `${float64(g, less)}; ${pick(prng, TRUNCATIONS_I64)}`;
    default:
      return `${a()}; ${a()}; ${integer32(g, less)}; select`;
  }
}

function float64(g: Generator, depth: number): string {
  const { prng } = g;
  const less = depth - 1;
  if (depth <= 0 || prng.chance(0.25))
    return prng.chance(0.5)
      ? `f64.const ${pick(prng, EDGES.f64)}`
      : pick(prng, [...F64_LOCALS.map((index) => `local.get ${index}`), "global.get 3"]);
  const a = (): string => float64(g, less);
  switch (prng.below(7)) {
    case 0:
    case 1: {
      const op = pick(prng, words(BINARY_F64));
      // Which sign the NaN of an operation has is open (§4.3.3): here it comes from a constant.
      const right = op === "copysign" ? `f64.const ${pick(prng, EDGES.f64)}` : a();
      return `${a()}; ${right}; f64.${op}`;
    }
    case 2:
      return `${a()}; f64.${pick(prng, words("abs neg ceil floor trunc nearest sqrt"))}`;
    case 3:
      return `${integer32(g, less)}; ${pick(prng, ["f64.convert_i32_s", "f64.convert_i32_u"])}`;
    case 4:
      return `${integer64(g, less)}; ${pick(prng, ["f64.convert_i64_s", "f64.convert_i64_u"])}`;
    case 5:
      return `${address(g, less)}; f64.load ${pick(prng, DISPLACEMENTS)}`;
    default:
      return `local.get ${F32_LOCAL}; f64.promote_f32`;
  }
}

// Anywhere, masked, scaled, or at the end of memory.
function address(g: Generator, depth: number): string {
  const { prng } = g;
  const value = integer32(g, depth);
  switch (prng.below(12)) {
    case 0:
      return value;
    case 1:
    case 2:
      return `${value}; i32.const ${pick(prng, [0xff, 0xffc, 0xffff, 0xfffc, 0xfff8])}; i32.and`;
    case 3:
    case 4:
      return `${value}; i32.const 15; i32.and; i32.const ${pick(prng, [0, 1, 2, 3])}; i32.shl`;
    case 5:
      return `i32.const ${PAGE}; ${value}; i32.const 31; i32.and; i32.sub`;
    case 6:
      return `${value}; i32.const 7; i32.and; i32.const ${PAGE - 8 - prng.below(8)}; i32.add`;
    default:
      return `i32.const ${HEADER + prng.below(40)}`;
  }
}

// As asc indexes an array: a base, constant or loaded, and an index times the size of an element.
function element(g: Generator, depth: number): string {
  const { prng } = g;
  const shift = prng.below(4);
  const count = pick(prng, ELEMENTS);
  const end = PAGE - (count << shift) + pick(prng, [-1, 0, 0, 1]);
  const base = pick(prng, [
    `i32.const ${HEADER + 16}`,
    `i32.const ${end}`,
    `i32.const ${HEADER + 4}; i32.load 0`,
  ]);
  return `${base}; ${index(g, depth)}; i32.const ${shift}; i32.shl; i32.add`;
}

function index(g: Generator, depth: number): string {
  const { prng, loops } = g;
  if (loops === 0 || prng.chance(0.3)) return integer32(g, depth);
  const counter = `local.get ${COUNTERS[prng.below(loops)]}`;
  const shifted = `${counter}; i32.const ${pick(prng, [-1, 1, 2, 255])}; i32.add`;
  return pick(prng, [counter, counter, shifted, `${shifted}; i32.const 7; i32.and`]);
}

function statements(g: Generator, count: number): string {
  return Array.from({ length: 1 + g.prng.below(count) }, () => statement(g)).join("\n");
}

function statement(g: Generator): string {
  const { prng } = g;
  if (g.depth >= 3) return simple(g);
  g.depth++;
  const text = nested(g, prng.below(16));
  g.depth--;
  return text;
}

function nested(g: Generator, kind: number): string {
  const { prng } = g;
  switch (kind) {
    case 0:
    case 1:
      return `${integer32(g, 2)}; if; ${statements(g, 2)}; else; ${statements(g, 2)}; end`;
    case 2:
    case 3:
    case 4:
      return loop(g);
    case 5:
      return `block; ${statements(g, 2)}; ${integer32(g, 2)}; br_if 0; ${statements(g, 2)}; end`;
    case 6:
      return `block; block; ${integer32(g, 2)}; br_table 0 1 0 1; end; ${statements(g, 2)}; end`;
    case 7: {
      const bound = pick(prng, [
        `i32.const ${HEADER}; i32.load 0`,
        `i32.const ${pick(prng, ELEMENTS)}`,
      ]);
      const counter = pick(prng, I32_LOCALS);
      const check = pick(prng, ["i32.ge_u", "i32.gt_u", "i32.ge_s"]);
      return `local.get ${counter}; ${bound}; ${check}; if; unreachable; end
        i32.const ${HEADER + 16}; local.get ${counter}; i32.const 2; i32.shl; i32.add
        ${integer32(g, 2)}; i32.store 0`;
    }
    case 8:
    case 9:
    case 10:
    case 11:
      return idiom({
        prng,
        value: () => integer32(g, 1),
        target: pick(prng, I32_LOCALS),
        call: g.functions === 0 ? undefined : callOf(g),
      });
    default:
      return simple(g);
  }
}

// From a start in steps to a bound that is constant, masked or loaded; the test at the top or at the end.
function loop(g: Generator): string {
  const { prng } = g;
  if (g.loops >= COUNTERS.length) return simple(g);
  const counter = COUNTERS[g.loops++]!;
  const start = pick(prng, [0, 0, 0, 1, -1, 5]);
  const step = pick(prng, [1, 1, 1, 2, -1, 4]);
  const bound = pick(prng, [
    ...ELEMENTS.map((count) => `i32.const ${count + pick(prng, [-1, 0, 0, 1])}`),
    "local.get 0; i32.const 31; i32.and",
    "local.get 1",
    `i32.const ${HEADER}; i32.load 0`,
  ]);
  const test = pick(prng, words("i32.lt_s i32.lt_u i32.le_s i32.ne"));
  const body = statements(g, 3);
  const count = `local.get ${counter}; i32.const ${step}; i32.add; local.set ${counter}`;
  const fuel =
    "global.get 4; i32.const 1; i32.sub; global.set 4; global.get 4; i32.eqz; if; unreachable; end";
  g.loops--;
  const head = `i32.const ${start}; local.set ${counter}`;
  if (prng.chance(0.5))
    return `${head}; block; loop; local.get ${counter}; ${bound}; ${test}; i32.eqz; br_if 1
      ${fuel}; ${body}; ${count}; br 0; end; end`;
  return `${head}; loop; ${fuel}; ${body}; ${count}
    local.get ${counter}; ${bound}; ${test}; br_if 0; end`;
}

function store(to: string, value: string, name: string, displacement: number): string {
  return `${to}; ${value}; ${name} ${displacement}`;
}

function simple(g: Generator): string {
  const { prng } = g;
  switch (prng.below(12)) {
    case 0:
    case 1:
      return `${integer32(g, 3)}; local.set ${pick(prng, I32_LOCALS)}`;
    case 2:
      return `${integer64(g, 3)}; local.set ${pick(prng, I64_LOCALS)}`;
    case 3:
      return `${float64(g, 3)}; local.set ${pick(prng, F64_LOCALS)}`;
    case 4:
      return `${integer32(g, 2)}; global.set ${prng.below(2)}`;
    case 5:
    case 6:
      return store(element(g, 2), integer32(g, 2), pick(prng, STORES_I32), pick(prng, [0, 0, 4]));
    case 7:
      return store(
        address(g, 2),
        integer32(g, 2),
        pick(prng, STORES_I32),
        pick(prng, DISPLACEMENTS),
      );
    case 8:
      return store(
        address(g, 2),
        integer64(g, 2),
        pick(prng, STORES_I64),
        pick(prng, DISPLACEMENTS),
      );
    case 9:
      return floatStore(g);
    case 10:
      return g.functions === 0 ? `${integer64(g, 2)}; global.set 2` : callOf(g);
    default:
      return rare(g);
  }
}

function callOf(g: Generator): string {
  const operands = [integer32(g, 2), integer32(g, 1), integer64(g, 1), float64(g, 1)];
  return `${operands.join("; ")}; call ${g.prng.below(g.functions)}; drop`;
}

// A NaN becomes 1: the address comes first, then the value through a local that no address reads.
function floatStore(g: Generator): string {
  const value = `${float64(g, 2)}; local.set ${SCRATCH}`;
  const kept = `local.get ${SCRATCH}; local.get ${SCRATCH}; f64.eq`;
  const known = `${kept}; if f64; local.get ${SCRATCH}; else; f64.const 0x3ff0000000000000; end`;
  return `${value}; ${address(g, 1)}; ${known}; f64.store ${pick(g.prng, DISPLACEMENTS)}`;
}

function rare(g: Generator): string {
  const { prng } = g;
  const length = `${integer32(g, 1)}; i32.const 31; i32.and`;
  switch (prng.below(5)) {
    case 0:
      return `${address(g, 1)}; ${integer32(g, 1)}; ${length}; memory.fill`;
    case 1:
      return `${address(g, 1)}; ${address(g, 1)}; ${length}; memory.copy`;
    case 2:
      return `i32.const ${prng.below(2)}; memory.grow; global.set 1`;
    case 3:
      return `memory.size; local.set ${pick(prng, I32_LOCALS)}`;
    default:
      return `${float64(g, 2)}; f32.demote_f64; local.set ${F32_LOCAL}`;
  }
}

function functionText(g: Generator, i: number): FuncText {
  const body = statements(g, 5);
  const code = `${body}\n${integer32(g, 3)}`;
  return { export: `f${i}`, type: `${PARAMETERS} -> i32`, locals: LOCALS, code };
}

/** A module of some functions and calls of them. */
export function generateCase(seed: number): Case {
  const prng = createPrng(seed).fork("aot");
  const g: Generator = { prng, functions: 0, depth: 0, loops: 0 };
  const functions: FuncText[] = [];
  for (let i = 0; i < FUNCTIONS; i++) {
    functions.push(functionText(g, i));
    g.functions++;
  }
  functions.push({ export: "refuel", type: "->", code: `i32.const ${FUEL}; global.set 4` });
  const grows = prng.chance(0.5);
  const wasm = assembleModule({
    functions,
    memory: { pages: 1, max: grows ? 2 : 1 },
    globals: [
      { type: "i32", start: "i32.const 8", export: "g0" },
      { type: "i32", start: `i32.const ${HEADER}`, export: "g1" },
      { type: "i64", start: "i64.const -1", export: "g2" },
      { type: "f64", start: "f64.const 0x3ff8000000000000" },
      { type: "i32", start: `i32.const ${FUEL}` },
    ],
    data: [
      { at: `i32.const ${HEADER}`, bytes: [pick(prng, ELEMENTS), 0, 0, 0, 16, 4, 0, 0, 9, 8, 7] },
      { at: `i32.const ${PAGE - 16}`, bytes: Array.from({ length: 16 }, () => prng.below(256)) },
    ],
  });
  return {
    name: `seed ${seed}`,
    wasm,
    calls: callsOf(prng),
    ...(grows && { options: { memoryBytes: 2 * PAGE } }),
  };
}

function callsOf(prng: Prng): Call[] {
  const one = (i: number): Call[] => [
    { name: "refuel", operands: [] },
    {
      name: `f${i}`,
      operands: [
        pick(prng, [...EDGES.i32, ...CONSTANTS.map((value) => value >>> 0)]),
        pick(prng, [0, 1, 7, 8, 9, 16, 17, ...EDGES.i32]),
        pick(prng, EDGES.i64),
        pick(prng, EDGES.f64),
      ],
    },
  ];
  return Array.from({ length: FUNCTIONS * CALLS }, () => one(prng.below(FUNCTIONS))).flat();
}
