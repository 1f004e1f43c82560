// SPDX-License-Identifier: MIT
// What the functions of wasm2js call, written for small engines.
//
// Only what a module uses goes in. Math.imul, fround, clz32 and trunc have a fallback each, since Espruino and Duktape lack some. Duktape
// and Espruino have no copyWithin and no fill: copying is a loop.

import { DECODER } from "./segments.ts";

/** Statements for the top by the name that functions call; the order is that of use. */
export const SHARED: Readonly<Record<string, string>> = {
  Math_imul: `var Math_imul = Math.imul || function (a, b) {
    b |= 0;
    return (a & 65535) * b + ((a >>> 16) * b % 65536) * 65536 | 0;
  };`,
  Math_fround: `var froundView = new Float32Array(1);
  var Math_fround = Math.fround || function (x) { froundView[0] = x; return froundView[0]; };`,
  Math_clz32: `var Math_clz32 = Math.clz32 || function (x) {
    var n = 32;
    for (x >>>= 0; x; x >>>= 1) n--;
    return n;
  };`,
  Math_trunc: `var Math_trunc = Math.trunc || function (x) {
    return x < 0 ? Math.ceil(x) : Math.floor(x);
  };`,
  wasm2js_trap: `function wasm2js_trap() { throw Error("trap"); }`,
  // Slots 0 and 1 are the halves of the f64; the f32 has slot 2, as in binaryen.
  scratch: `var scratchBuffer = new ArrayBuffer(16), scratchI32 = new Int32Array(scratchBuffer);
  var scratchF32 = new Float32Array(scratchBuffer), scratchF64 = new Float64Array(scratchBuffer);`,
  wasm2js_scratch_load_i32: `function wasm2js_scratch_load_i32(i) { return scratchI32[i]; }`,
  wasm2js_scratch_store_i32: `function wasm2js_scratch_store_i32(i, v) { scratchI32[i] = v; }`,
  wasm2js_scratch_load_f32: `function wasm2js_scratch_load_f32() { return scratchF32[2]; }`,
  wasm2js_scratch_store_f32: `function wasm2js_scratch_store_f32(v) { scratchF32[2] = v; }`,
  wasm2js_scratch_load_f64: `function wasm2js_scratch_load_f64() { return scratchF64[0]; }`,
  wasm2js_scratch_store_f64: `function wasm2js_scratch_store_f64(v) { scratchF64[0] = v; }`,
  segment: DECODER,
};
