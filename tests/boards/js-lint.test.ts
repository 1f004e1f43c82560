// SPDX-License-Identifier: MIT
// The profile of JavaScript boards: only what is outside is found.
//
// One planted fault each, by the line that names it. The minifier's traps are here too.

import assert from "node:assert/strict";
import { test } from "node:test";
import { lint } from "../../boards/js/lint.ts";
import { minify } from "../../boards/js/minify.ts";

const FAULTS: readonly [string, string, RegExp][] = [
  ["a label", "a: for (;;) break a;", /^1: label a$/],
  ["an accessor", "var a = { get b() { return 1; } };", /^1: accessor$/],
  ["a letter beyond ASCII", "var a = '\u00e9';", /^1: not ASCII$/],
  ["an arrow function", "var a = () => 1;", /^not ES5: /],
  ["with", "with (a) b();", /^1: with$/],
  ["Math.imul without a fallback", "var a = Math.imul;", /^1: Math.imul without a fallback$/],
  ["the fallback on the wrong side", "var a = f || Math.imul;", /^1: Math.imul without/],
  ["Math.hypot", "var a = Math.hypot(1, 2);", /^1: Math.hypot$/],
  ["Math by a computed name", "var a = Math['imul'];", /^1: Math\[…\]/],
  ["subarray", "a.subarray(1);", /^1: .subarray is not everywhere$/],
  ["eval", "eval('1');", /^1: eval is not everywhere$/],
  ["65,536 octets", "\nnew ArrayBuffer(65536);", /^2: memory of 65536 octets, at most 8192$/],
  [
    "a size that is no number",
    "new ArrayBuffer(n);",
    /^1: an ArrayBuffer whose size is no number$/,
  ],
  ["a call above the definition", "f(); function f() {}", /^1: f is used above its definition$/],
  [
    "a call above the definition, in a function",
    "function f() { g(); function g() {} }",
    /^1: g is used above/,
  ],
  [
    "a call of what needs a function below",
    "function f() { g(); } f(); function g() {}",
    /^1: g is used above/,
  ],
];

for (const [what, code, line] of FAULTS)
  test(`the lint finds ${what}`, () => {
    const found = lint(code);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, line);
  });

test("the lint leaves the profile alone", () => {
  const code = `var imul = Math.imul || function (a, b) { return a * b | 0; };
    function f(g) { return g() + h(); } // h is known when f runs
    function h() { return { set: 1, from: 2 } + Math.max(1, imul(2, 3)); }
    f(function () { return new ArrayBuffer(8192).byteLength; });`;
  assert.deepEqual(lint(code), []);
});

test("labels and a larger memory are inside where the engine has them", () => {
  const code = "a: for (;;) break a; new ArrayBuffer(9000);";
  assert.deepEqual(lint(code, { labels: true, memoryBytesMax: 9000 }), []);
});

test("the minifier makes the same octets of the same script, and fewer", async () => {
  const code = "function add(first, second) { return first + second; } add(1, 2);";
  const [once, again] = [await minify(code), await minify(code)];
  assert.equal(once, again);
  assert.ok(once.length < code.length, once);
  assert.equal(new Function(`${once}; return add(2, 3);`)(), 5);
});

test("what the minifier lets pass is refused", async () => {
  await assert.rejects(minify("var a = ;"), /what is to be minified is not ES5/);
  await assert.rejects(minify("var a = '\u00e9';"), /what is to be minified is not ASCII/);
  await assert.rejects(minify("a=1"), /made 3 of 3 octets: it failed silently/);
  const loop = "function f(value) { do { if (value) break; value = 1; } while (0); return value; }";
  await assert.rejects(minify(loop), /the minifier: /);
  await assert.rejects(minify("var latin = '\\xe9' + first, unused;"), /made is not ASCII/);
  const load = "var dgram = require('dgram'), socket = dgram.createSocket('udp4');";
  await assert.rejects(minify(load), /Module dgram not found: name it as a module/);
  assert.match(await minify(load, ["dgram"]), /dgram/);
});
