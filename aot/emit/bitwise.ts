// SPDX-License-Identifier: MIT
// f32 by its bits: comparisons with a constant, and saturating conversions to i32.
//
// Neither chip has an FPU, so that a comparison is a call of a library and a few integer instructions are not.
// As integers positive floats stand in their order, then NaNs from 0x7f800001 on; negative ones from
// 0x80000000 on in reverse, up to minus infinity at 0xff800000, then NaNs.

const POSITIVE: Record<string, string> = {
  gt: "u - (b + 1) < 0x7f800000u - b",
  ge: "u - b < 0x7f800001u - b",
  lt: "(int32_t)u < (int32_t)b && u <= 0xff800000u",
  le: "(int32_t)u <= (int32_t)b && u <= 0xff800000u",
  eq: "u == b",
};
const NEGATIVE: Record<string, string> = {
  gt: "u <= 0x7f800000u || u - 0x80000000u < b - 0x80000000u",
  ge: "u <= 0x7f800000u || u - 0x80000000u <= b - 0x80000000u",
  lt: "u - (b + 1) < 0xff800000u - b",
  le: "u - b < 0xff800001u - b",
  eq: "u == b",
};
const ZERO: Record<string, string> = {
  gt: "u - 1 < 0x7f800000u",
  ge: "u <= 0x7f800000u || u == 0x80000000u",
  lt: "u - 0x80000001u < 0x7f800000u",
  le: "u - 0x80000000u <= 0x7f800000u || u == 0",
  eq: "u << 1 == 0",
};

/** Helpers by name; `b` is the constant's bits. */
export const BITWISE = new Map<string, string>([
  ...Object.entries({ positive: POSITIVE, negative: NEGATIVE, zero: ZERO }).flatMap(
    ([side, tests]) =>
      Object.entries(tests).map(([op, test]): [string, string] => {
        const name = `f32_${op}_${side}`;
        const body = `const uint32_t u = f32_bits(a); (void)b; return ${test};`;
        return [name, `static inline uint32_t ${name}(float a, uint32_t b) { ${body} }`];
      }),
  ),
  [
    "sat_s32_f32",
    `static inline uint32_t sat_s32_f32(float a) {
  const uint32_t u = f32_bits(a), e = u >> 23 & 255, m = (u & 0x7fffff) | 0x800000;
  if (e < 127) return 0;
  if (e >= 158) return (u & 0x7fffffff) > 0x7f800000 ? 0 : u >> 31 ? 0x80000000u : 0x7fffffffu;
  const uint32_t v = e >= 150 ? m << (e - 150) : m >> (150 - e);
  return u >> 31 ? -v : v;
}`,
  ],
  [
    "sat_u32_f32",
    `static inline uint32_t sat_u32_f32(float a) {
  const uint32_t u = f32_bits(a), e = u >> 23 & 255, m = (u & 0x7fffff) | 0x800000;
  if (u >> 31 || e < 127) return 0;
  if (e >= 159) return u > 0x7f800000 ? 0 : 0xffffffffu;
  return e >= 150 ? m << (e - 150) : m >> (150 - e);
}`,
  ],
]);
