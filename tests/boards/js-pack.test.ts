// SPDX-License-Identifier: MIT
// A packed module does what its WebAssembly does; or it is refused by name.
//
// Modules of the example nodes under made-up hosts, compared call by call with V8's WebAssembly: results, host
// calls, memory. Refusals are shown on small modules written as text.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import binaryen from "binaryen";
import { type Packed, pack } from "../../boards/js/pack.ts";
import { packSegments } from "../../boards/js/segments.ts";
import { SHARED } from "../../boards/js/run-time.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { compareModule } from "./js-compare.ts";

const SEEDS = [1, 2, 3, 4, 5, 6];
const NODES = ["oven", "meter"];
const KINDS = ["loop", "link"] as const;

const modules = new Map<string, { wasm: Uint8Array; packed: Packed }>();

before(async () => {
  for (const node of NODES) {
    const built = await buildNode(join(PROJECT, "firmware/nodes", node));
    for (const kind of KINDS) {
      const { wasm } = built[kind];
      modules.set(`${node} ${kind}`, { wasm, packed: pack(kind, wasm) });
    }
  }
});

for (const node of NODES)
  for (const kind of KINDS)
    test(`${kind} of ${node} packed does what its WebAssembly does`, () => {
      const { wasm, packed } = modules.get(`${node} ${kind}`)!;
      for (const seed of SEEDS)
        assert.equal(compareModule(kind, wasm, packed.code, { seed, calls: 300 }), null);
    });

test("the memory is as large as the module says, the imports are its own", () => {
  const { wasm, packed } = modules.get("oven loop")!;
  assert.ok(packed.memoryBytes % 16 === 0 && packed.memoryBytes < 4096, `${packed.memoryBytes}`);
  assert.ok(packed.code.includes(`new ArrayBuffer(${packed.memoryBytes})`));
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm as BufferSource));
  assert.deepEqual(packed.imports.toSorted(), imports.map(({ name }) => name).toSorted());
});

test("a flipped octet of data and a broken imul are seen", () => {
  const { wasm, packed } = modules.get("oven loop")!;
  const text = /segment\(HEAPU8, \d+, "(.{40})/.exec(packed.code)![1]!;
  const flipped = packed.code.replace(text, text.slice(0, 39) + (text[39] === "a" ? "b" : "a"));
  const broken = packed.code.replace("var Math_imul = Math.imul ||", "var Math_imul =");
  const worse = broken.replace("(a & 65535) * b", "(a & 65535) * b + 1");
  assert.equal(compareModule("loop", wasm, broken, { seed: 1, calls: 100 }), null);
  for (const code of [flipped, worse]) {
    assert.notEqual(code, packed.code);
    assert.notEqual(compareModule("loop", wasm, code, { seed: 1, calls: 300 }), null);
  }
});

test("the fallbacks give what Math gives", () => {
  const values = [0, 1, -1, 65535, 65536, 0x7fffffff, -0x80000000, 0xdeadbeef | 0, 1e9, -12345678];
  const fallback = (key: string): ((...operands: number[]) => number) => {
    const code = SHARED[key]!.replace(`Math.${key.slice(5)}`, "undefined");
    return new Function(`${code} return ${key};`)() as (...operands: number[]) => number;
  };
  const [imul, clz32] = [fallback("Math_imul"), fallback("Math_clz32")];
  const [fround, trunc] = [fallback("Math_fround"), fallback("Math_trunc")];
  for (const a of values) {
    for (const b of values) assert.equal(imul(a, b), Math.imul(a, b), `${a} * ${b}`);
    assert.equal(clz32(a), Math.clz32(a));
    for (const value of [a / 3, a * 1e-9, a * 1e30]) {
      assert.equal(fround(value), Math.fround(value));
      assert.equal(trunc(value), Math.trunc(value));
    }
  }
});

test("data of any octets comes back", () => {
  const segment = new Function(`${SHARED["segment"]} return segment;`)() as (
    memory: Uint8Array,
    at: number,
    text: string,
  ) => void;
  const prng = createPrng(1);
  for (let round = 0; round < 200; round++) {
    const expected = new Uint8Array(1000);
    const segments = Array.from({ length: 1 + prng.below(8) }, (_, i) => {
      const octets = new Uint8Array(1 + prng.below(60));
      prng.fill(octets);
      for (let at = 0; at < octets.length; at++) if (prng.below(2) > 0) octets[at] = 0;
      const at = 120 * i + prng.below(40);
      expected.set(octets, at);
      return { at, octets };
    });
    const found = new Uint8Array(1000);
    for (const { at, text } of packSegments(segments)) {
      assert.match(text, /^[ !#-~]*$/);
      segment(found, at, text);
    }
    assert.deepEqual(found, expected);
  }
});

const REFUSED: readonly [string, string, RegExp][] = [
  ["memory.grow", `(drop (memory.grow (i32.const 1)))`, /memory\.grow/],
  ["memory.size", `(drop (memory.size))`, /memory\.size/],
];

const module = (text: string, before = "", after = ""): Uint8Array => {
  const parsed = binaryen.parseText(`(module ${before} (memory 1)
    (export "memory" (memory 0)) (export "memoryBytes" (func $bytes)) (export "tick" (func $tick))
    (func $bytes (result i32) (i32.const 100)) (func $tick ${text}) ${after})`);
  try {
    return parsed.emitBinary();
  } finally {
    parsed.dispose();
  }
};

for (const [what, text, reason] of REFUSED)
  test(`a module with ${what} is refused`, () => {
    assert.throws(() => pack("loop", module(text)), reason);
  });

test("foreign and wide imports, data outside, and a missing memoryBytes are refused", () => {
  const use = "(call $x (i64.const 1))";
  const wide = `(import "host" "wide" (func $x (param i64)))`;
  assert.throws(() => pack("loop", module(use, wide)), /import host\.wide takes or returns more/);
  const foreign = `(import "env" "f" (func $x (param i64)))`;
  assert.throws(
    () => pack("loop", module(use, foreign)),
    /import env\.f is no function of the host/,
  );
  const outside = `(data (i32.const 200) "behind")`;
  assert.throws(() => pack("loop", module("", "", outside)), /data at 200 lies behind the 112/);
  const bare = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  assert.throws(() => pack("loop", bare), /no export memoryBytes/);
});

test("a trap throws", () => {
  const { code } = pack("loop", module("(unreachable)"));
  const factory = new Function(`${code} return loop({});`) as () => { tick(): void };
  assert.throws(() => factory().tick(), new Error("trap"));
});
