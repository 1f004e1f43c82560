// SPDX-License-Identifier: MIT
// Random modules for the chain to JavaScript: 32-bit code as a compiler leaves it.
//
// Many functions a module: they call those before them and a host function, share memory and globals, jump out
// of blocks and loops. Every access is aligned and inside, no division traps, every loop ends. Some 64-bit and
// floating arithmetic is among it. A module is text for binaryen.

import binaryen from "binaryen";
import { createPrng, type Prng } from "../../host-sim/prng.ts";

export const FUNCTIONS = 24;
const PARAMETERS = 2;
const LOCALS = 7; // parameters among them
const MEMORY_BYTES = 1024;
const CALLS_MAX = 200; // that one call from outside leads to

interface Scope {
  prng: Prng;
  index: number; // of the function
  labels: string[]; // blocks that are open
  loops: number;
}

/** The module of a seed: exports f0, f1, … of two i32 each, memory and memoryBytes. */
export function randomModule(seed: number): Uint8Array {
  const prng = createPrng(seed);
  const functions = Array.from({ length: FUNCTIONS }, (_, i) => functionText(prng, i));
  const data = Array.from(
    { length: 40 },
    () => `\\${prng.below(256).toString(16).padStart(2, "0")}`,
  );
  const text = `(module (import "host" "probe" (func $probe (param i32 i32) (result i32)))
    (memory 1) (data (i32.const 100) "${data.join("")}") (export "memory" (memory 0))
    (global $fuel (mut i32) (i32.const 0)) (global $g (mut i32) (i32.const 7))
    (func (export "memoryBytes") (result i32) (i32.const ${MEMORY_BYTES + 64}))
    ${functions.join("\n")})`;
  const module = binaryen.parseText(text);
  try {
    if (module.validate() !== 1) throw new Error("the generator made no valid module");
    if (prng.below(2) === 0) {
      binaryen.setShrinkLevel(1);
      binaryen.setOptimizeLevel(2);
      module.optimize();
    }
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

function functionText(prng: Prng, index: number): string {
  const scope: Scope = { prng, index, labels: [], loops: 0 };
  const body = statements(scope, 3);
  const locals = Array.from({ length: LOCALS - PARAMETERS }, () => "(local i32)").join(" ");
  const counters = Array.from({ length: scope.loops }, (_, i) => `(local $c${i} i32)`).join(" ");
  const local = "(param i32 i32) (result i32)";
  const spend = "(global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))";
  const empty = "(if (i32.lt_s (global.get $fuel) (i32.const 0)) (then (return (i32.const 0))))";
  const own = `(func $f${index} ${local} ${locals} ${counters} ${spend} ${empty}
    ${body} ${expression(scope, 3)})`;
  if (prng.below(3) === 0) return own; // only called by others
  return `${own} (func (export "f${index}") ${local} (global.set $fuel (i32.const ${CALLS_MAX}))
    (call $f${index} (local.get 0) (local.get 1)))`;
}

const statements = (scope: Scope, depth: number): string =>
  Array.from({ length: 1 + scope.prng.below(5) }, () => one(scope, depth)).join(" ");

function one(scope: Scope, depth: number): string {
  const { prng } = scope;
  const choice = prng.below(depth > 0 ? 14 : 7);
  if (choice < 4) return `(local.set ${prng.below(LOCALS)} ${expression(scope, 3)})`;
  if (choice < 6) return store(scope);
  if (choice === 6) return jumpText(scope);
  if (choice < 10) {
    const other = prng.below(2) === 0 ? "" : `(else ${statements(scope, depth - 1)})`;
    return `(if ${condition(scope)} (then ${statements(scope, depth - 1)}) ${other})`;
  }
  if (choice < 12) return inBlock(scope, depth);
  if (choice === 12) return loopText(scope, depth);
  return `(if ${condition(scope)} (then (return ${expression(scope, 2)})))`;
}

function inBlock(scope: Scope, depth: number): string {
  const label = `$l${scope.labels.length}x${scope.prng.below(1 << 30)}`;
  const inner = { ...scope, labels: [...scope.labels, label] };
  const text = `(block ${label} ${statements(inner, depth - 1)})`;
  scope.loops = inner.loops;
  return text;
}

// Ends after at most 5 rounds.
function loopText(scope: Scope, depth: number): string {
  const counter = `$c${scope.loops++}`;
  const head = `$h${scope.prng.below(1 << 30)}`;
  const inner = { ...scope, labels: [...scope.labels] };
  const body = statements(inner, depth - 1);
  scope.loops = inner.loops;
  const start = `(local.set ${counter} (i32.const 0))`;
  const step = `(local.set ${counter} (i32.add (local.get ${counter}) (i32.const 1)))`;
  const on = `(i32.lt_u (local.get ${counter}) (i32.const ${1 + scope.prng.below(5)}))`;
  if (scope.prng.below(2) === 0)
    return `${start} (loop ${head} ${body} ${step} (br_if ${head} ${on}))`;
  return `${start} (loop ${head} (if ${on} (then ${body} ${step} (br ${head}))))`;
}

function jumpText(scope: Scope): string {
  const { prng, labels } = scope;
  if (labels.length === 0) return `(global.set $g ${expression(scope, 2)})`;
  return `(br_if ${labels[prng.below(labels.length)]!} ${condition(scope)})`;
}

// An address inside, aligned to 8.
const address = (scope: Scope): string =>
  scope.prng.below(3) === 0
    ? `(i32.const ${8 * scope.prng.below(MEMORY_BYTES / 8)})`
    : `(i32.and ${expression(scope, 1)} (i32.const ${MEMORY_BYTES - 8}))`;

function store(scope: Scope): string {
  const { prng } = scope;
  const [kind, step] = [
    ["i32.store", 4],
    ["i32.store8", 1],
    ["i32.store16", 2],
  ][prng.below(3)]!;
  const offset = Number(step) * prng.below(8 / Number(step));
  return `(${kind} offset=${offset} ${address(scope)} ${expression(scope, 2)})`;
}

function load(scope: Scope): string {
  const { prng } = scope;
  const kinds = [
    ...([
      ["load", 4],
      ["load", 4],
      ["load8_u", 1],
      ["load8_s", 1],
    ] as const),
    ...([
      ["load16_u", 2],
      ["load16_s", 2],
    ] as const),
  ];
  const [kind, step] = kinds[prng.below(kinds.length)]!;
  return `(i32.${kind} offset=${step * prng.below(8 / step)} ${address(scope)})`;
}

const COMPARISONS = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split(" ");
const OPERATORS = "add add add sub sub mul and and or xor shl shr_s shr_u".split(" ");
const pick = (prng: Prng, all: readonly string[]): string => all[prng.below(all.length)]!;

function condition(scope: Scope): string {
  const { prng } = scope;
  if (prng.below(4) === 0) return expression(scope, 1);
  if (prng.below(5) === 0) return `(i32.eqz ${expression(scope, 1)})`;
  return `(i32.${pick(prng, COMPARISONS)} ${expression(scope, 1)} ${expression(scope, 1)})`;
}

const NUMBERS = [
  0,
  1,
  2,
  4,
  7,
  12,
  24,
  255,
  256,
  4096,
  65535,
  65536,
  1e6,
  2 ** 31 - 1,
  -(2 ** 31),
  -1,
  -5,
];

function expression(scope: Scope, depth: number): string {
  const { prng } = scope;
  if (depth === 0 || prng.below(5) === 0) {
    if (prng.below(3) === 0) return `(i32.const ${NUMBERS[prng.below(NUMBERS.length)]!})`;
    return prng.below(9) === 0 ? "(global.get $g)" : `(local.get ${prng.below(LOCALS)})`;
  }
  const part = (): string => expression(scope, depth - 1);
  const choice = prng.below(24);
  if (choice < 9) return `(i32.${pick(prng, OPERATORS)} ${part()} ${part()})`;
  if (choice < 12) return load(scope);
  if (choice === 12) return condition(scope);
  if (choice === 13) return `(select ${part()} ${part()} ${condition(scope)})`;
  if (choice === 14)
    return `(i32.mul ${part()} (i32.const ${NUMBERS[prng.below(NUMBERS.length)]!}))`;
  if (choice === 15) return `(call $probe ${part()} ${part()})`;
  if (choice < 18 && scope.index > 0) {
    const callee = Math.max(0, scope.index - 1 - prng.below(scope.index)); // never itself
    return `(call $f${callee} ${part()} ${part()})`;
  }
  if (choice === 18)
    return `(if (result i32) ${condition(scope)} (then ${part()}) (else ${part()}))`;
  if (choice === 19) return `(local.tee ${prng.below(LOCALS)} ${part()})`;
  if (choice === 20) {
    const operator = pick(prng, ["div_u", "rem_u", "rem_s"]);
    return `(i32.${operator} ${part()} (i32.const ${1 + prng.below(1000)}))`;
  }
  return rare(scope, part, choice);
}

function rare(scope: Scope, part: () => string, choice: number): string {
  const { prng } = scope;
  if (choice === 21) return `(i32.clz ${part()})`;
  if (choice === 22) {
    const wide = `(i64.mul (i64.extend_i32_s ${part()}) (i64.extend_i32_u ${part()}))`;
    return `(i32.wrap_i64 (i64.shr_s ${wide} (i64.const ${prng.below(40)})))`;
  }
  const quotient = `(f64.div (f64.convert_i32_s ${part()}) (f64.const ${2 + prng.below(9)}))`;
  return `(i32.trunc_f64_s (f64.floor ${quotient}))`;
}
