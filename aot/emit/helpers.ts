// SPDX-License-Identifier: MIT
// C functions that the translated code calls, each only where it is used.
//
// No library: neither newlib's nor libm's. Floats are taken apart by their bits, so that every target gives
// the same result; square roots are digit by digit and rounded right.

import type { ValueType } from "../ir.ts";
import { BITWISE } from "./bitwise.ts";

interface Helper {
  needs: readonly string[];
  text: string;
}

interface FloatFormat {
  type: ValueType;
  c: string; // the type in C
  bits: string; // the type of its bits
  mantissa: number; // stored bits
  exponentMax: number; // field of infinities and NaNs
  suffix: string;
}

const F32: FloatFormat = {
  type: "f32",
  c: "float",
  bits: "uint32_t",
  mantissa: 23,
  exponentMax: 255,
  suffix: "u",
};
const F64: FloatFormat = {
  type: "f64",
  c: "double",
  bits: "uint64_t",
  mantissa: 52,
  exponentMax: 2047,
  suffix: "ull",
};

/** Text of the helpers that are used, those they need first. */
export function helperText(used: ReadonlySet<string>): string {
  const done = new Set<string>();
  const parts: string[] = [];
  const add = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const helper = HELPERS.get(name);
    if (helper === undefined) throw new RangeError(`no helper ${name}`);
    helper.needs.forEach(add);
    parts.push(helper.text.trim());
  };
  for (const name of [...used].toSorted()) add(name);
  return parts.join("\n");
}

const HELPERS = new Map<string, Helper>();

function define(name: string, needs: readonly string[], text: string): void {
  HELPERS.set(name, { needs, text });
}

for (const width of [32, 64]) {
  const t = `uint${width}_t`;
  const builtin = width === 32 ? "" : "ll";
  define(
    `rotl${width}`,
    [],
    `static inline ${t} rotl${width}(${t} a, ${t} n) {
  n &= ${width - 1};
  return a << n | a >> (-n & ${width - 1});
}`,
  );
  define(
    `rotr${width}`,
    [],
    `static inline ${t} rotr${width}(${t} a, ${t} n) {
  n &= ${width - 1};
  return a >> n | a << (-n & ${width - 1});
}`,
  );
  for (const op of ["clz", "ctz"])
    define(
      `${op}${width}`,
      [],
      `static inline ${t} ${op}${width}(${t} a) {
  return a ? (${t})__builtin_${op}${builtin}(a) : ${width};
}`,
    );
  define(
    `popcnt${width}`,
    [],
    `static inline ${t} popcnt${width}(${t} a) { return (${t})__builtin_popcount${builtin}(a); }`,
  );
}

for (const width of [16, 32, 64]) {
  const bytes = width / 8;
  const t = `uint${width}_t`;
  const parts = Array.from({ length: bytes }, (_, i) => `(${t})p[${i}] << ${8 * i}`);
  const writes = Array.from({ length: bytes }, (_, i) => `p[${i}] = (uint8_t)(v >> ${8 * i});`);
  const natural = Math.min(bytes, 4) - 1; // 64 bits are two words on these chips
  define(
    `load${width}`,
    [],
    `static inline ${t} load${width}(const uint8_t *p) {
  if (__builtin_expect(((uintptr_t)p & ${natural}) == 0, 1)) return *(const u${width}m *)p;
  return (${t})(${parts.join(" | ")});
}`,
  );
  define(
    `store${width}`,
    [],
    `static inline void store${width}(uint8_t *p, ${t} v) {
  if (__builtin_expect(((uintptr_t)p & ${natural}) == 0, 1)) { *(u${width}m *)p = v; return; }
  ${writes.join(" ")}
}`,
  );
}

for (const format of [F32, F64]) defineFloat(format);
for (const [name, text] of BITWISE) define(name, ["f32_bits"], text);

function defineFloat(format: FloatFormat): void {
  const { type, c, bits, mantissa, exponentMax, suffix } = format;
  const sign = `(1${suffix} << ${type === "f32" ? 31 : 63})`;
  const frac = `((1${suffix} << ${mantissa}) - 1)`;
  const bias = (exponentMax - 1) / 2;
  define(
    `${type}_of`,
    [],
    `static inline ${c} ${type}_of(${bits} u) {
  union { ${bits} u; ${c} f; } x = { u };
  return x.f;
}`,
  );
  define(
    `${type}_bits`,
    [],
    `static inline ${bits} ${type}_bits(${c} f) {
  union { ${c} f; ${bits} u; } x = { f };
  return x.u;
}`,
  );
  defineSigns(format, sign);
  defineRounding(format, sign, frac, bias);
  defineSqrt(format, sign, frac, bias);
  defineSaturating(format);
}

function defineSigns({ type, c }: FloatFormat, sign: string): void {
  const both = [`${type}_of`, `${type}_bits`];
  for (const [op, join, order] of [
    ["min", "|", "<"],
    ["max", "&", ">"],
  ])
    define(
      `${op}_${type}`,
      both,
      `static inline ${c} ${op}_${type}(${c} a, ${c} b) {
  if (a != a || b != b) return a + b;
  if (a == b) return ${type}_of(${type}_bits(a) ${join} ${type}_bits(b));
  return a ${order} b ? a : b;
}`,
    );
  define(
    `copysign_${type}`,
    both,
    `static inline ${c} copysign_${type}(${c} a, ${c} b) {
  return ${type}_of((${type}_bits(a) & ~${sign}) | (${type}_bits(b) & ${sign}));
}`,
  );
  define(
    `abs_${type}`,
    both,
    `static inline ${c} abs_${type}(${c} a) { return ${type}_of(${type}_bits(a) & ~${sign}); }`,
  );
  define(
    `neg_${type}`,
    both,
    `static inline ${c} neg_${type}(${c} a) { return ${type}_of(${type}_bits(a) ^ ${sign}); }`,
  );
}

function defineRounding(format: FloatFormat, sign: string, frac: string, bias: number): void {
  const { type, c, bits, mantissa, exponentMax } = format;
  define(
    `trunc_${type}`,
    [`${type}_of`, `${type}_bits`],
    `static inline ${c} trunc_${type}(${c} a) {
  ${bits} u = ${type}_bits(a);
  int e = (int)(u >> ${mantissa} & ${exponentMax}) - ${bias};
  if (e >= ${mantissa}) return a != a ? a + a : a;
  return ${type}_of(e < 0 ? u & ${sign} : u & ~(${frac} >> e));
}`,
  );
  define(
    `floor_${type}`,
    [`trunc_${type}`],
    `static inline ${c} floor_${type}(${c} a) {
  ${c} t = trunc_${type}(a); return t > a ? t - 1 : t;
}`,
  );
  define(
    `ceil_${type}`,
    [`trunc_${type}`],
    `static inline ${c} ceil_${type}(${c} a) {
  ${c} t = trunc_${type}(a); return t < a ? t + 1 : t;
}`,
  );
  define(
    `nearest_${type}`,
    [`trunc_${type}`, `abs_${type}`, `copysign_${type}`],
    `static inline ${c} nearest_${type}(${c} a) {
  ${c} t = trunc_${type}(a), d = abs_${type}(a - t), m = abs_${type}(t);
  if (d > (${c})0.5 || (d == (${c})0.5 && ((${bits})m & 1))) m += 1;
  return a != a ? a + a : d == d ? copysign_${type}(m, a) : a;
}`,
  );
}

// R = floor(sqrt(m * 2^k)) with one bit more than the result has; it is never halfway between two results.
function defineSqrt(format: FloatFormat, sign: string, frac: string, bias: number): void {
  const { type, c, bits, mantissa, exponentMax, suffix } = format;
  const rounds = mantissa + 2;
  const nan = `(${bits})${exponentMax} << ${mantissa} | (${bits})1 << ${mantissa - 1}`;
  define(
    `sqrt_${type}`,
    [`${type}_of`, `${type}_bits`],
    `static ${c} sqrt_${type}(${c} a) {
  ${bits} u = ${type}_bits(a), m = u & ${frac}, rest = 0, root = 0;
  int e = (int)(u >> ${mantissa} & ${exponentMax}), i;
  if (a != a) return a + a;
  if ((u & ~${sign}) == 0) return a;
  if (u & ${sign}) return ${type}_of(${nan});
  if (e == ${exponentMax}) return a;
  if (e == 0) for (e = 1; !(m >> ${mantissa}); e--) m <<= 1;
  m |= 1${suffix} << ${mantissa};
  e -= ${bias};
  if (e & 1) { m <<= 1; e--; }
  for (i = 0; i < ${rounds}; i++) {
    int at = ${mantissa} - 2 * i;
    ${bits} trial = root << 2 | 1;
    rest = rest << 2 | ((at >= 0 ? m >> at : at == -1 ? m << 1 : 0) & 3);
    root <<= 1;
    if (rest >= trial) { rest -= trial; root |= 1; }
  }
  return ${type}_of(((${bits})(e / 2 + ${bias - 1}) << ${mantissa}) + ((root + 1) >> 1));
}`,
  );
}

// Conversions that never trap; comparisons of floats only, NaN becomes 0.
function defineSaturating(format: FloatFormat): void {
  const { type, c } = format;
  for (const width of type === "f32" ? [64] : [32, 64]) {
    const half = `${2 ** (width - 1)}.0`;
    const whole = `${2 ** width}.0`;
    const t = `uint${width}_t`;
    const s = width === 32 ? "u" : "ull";
    define(
      `sat_s${width}_${type}`,
      [],
      `static inline ${t} sat_s${width}_${type}(${c} a) {
  if (a != a) return 0;
  if (a >= (${c})${half}) return ~(${t})0 >> 1;
  return a < (${c})-${half} ? 1${s} << ${width - 1} : (${t})(int${width}_t)a;
}`,
    );
    define(
      `sat_u${width}_${type}`,
      [],
      `static inline ${t} sat_u${width}_${type}(${c} a) {
  if (!(a > (${c})-1.0)) return 0;
  return a >= (${c})${whole} ? ~(${t})0 : (${t})a;
}`,
    );
  }
}
