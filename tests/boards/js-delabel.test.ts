// SPDX-License-Identifier: MIT
// Programs without labels do what they did with them.
//
// Random nests of labelled blocks, loops, switches and ifs run before and after; each statement leaves a
// mark, each condition takes the next bit of a stream, so that every turn of a jump shows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { delabel } from "../../boards/js/delabel.ts";
import { lint } from "../../boards/js/lint.ts";
import { eachNode, read, write } from "../../boards/js/tree.ts";
import { createPrng, type Prng } from "../../host-sim/prng.ts";

const FIRST_SEED = Number(process.env["SEED"] ?? 1);
const PROGRAMS = 3000;
const STREAMS = 4; // of bits, for each program
const MARKS_MAX = 400; // then the program ends

interface Open {
  label: string | null;
  kind: "loop" | "switch" | "block";
}

/** A function `f(bit, mark)`: mark(n) for each statement passed, bit() for each condition. */
function program(prng: Prng): string {
  const names = { labels: 0, marks: 0 };
  const mark = (): string => `mark(${names.marks++});`;
  const many = (depth: number, open: Open[]): string =>
    Array.from({ length: 1 + prng.below(3) }, () => one(depth, open)).join(" ");
  const one = (depth: number, open: Open[]): string => {
    if (depth === 0 || prng.below(4) === 0) return mark();
    const choice = prng.below(9);
    if (choice < 3) return `if (bit()) ${jumpText(prng, open)}`;
    if (choice === 3) return `if (bit()) { ${many(depth - 1, open)} } else ${one(depth - 1, open)}`;
    const label = prng.below(4) > 0 ? `l${names.labels++}` : null;
    const inside = (kind: Open["kind"]): string => many(depth - 1, [...open, { label, kind }]);
    return (label === null ? "" : `${label}: `) + breakable(choice, inside, mark);
  };
  return `function f(bit, mark) { ${many(5, [])} return -1; }`;
}

function breakable(
  choice: number,
  inside: (kind: Open["kind"]) => string,
  mark: () => string,
): string {
  if (choice === 4) return `{ ${inside("block")} }`;
  if (choice === 5) return `while (bit()) { ${inside("loop")} }`;
  if (choice === 6) return `do { ${inside("loop")} } while (bit());`;
  if (choice === 7) return `for (${mark().slice(0, -1)}; bit(); mark(-2)) { ${inside("loop")} }`;
  const cases = [0, 1].map((n) => `case ${n}: ${inside("switch")}`);
  return `switch (bit() + bit()) { ${cases.join(" ")} default: ${inside("switch")} }`;
}

function jumpText(prng: Prng, open: readonly Open[]): string {
  const to = open[prng.below(open.length + 1)];
  if (to === undefined) return prng.below(4) === 0 ? "return 7;" : "mark(-3);";
  const word = to.kind === "loop" && prng.below(2) === 0 ? "continue" : "break";
  if (to.label !== null) return `${word} ${to.label};`;
  const innermost = open.findLast(
    ({ kind }) => kind === "loop" || (kind === "switch" && word === "break"),
  );
  return innermost === to ? `${word};` : "mark(-4);";
}

function run(code: string, bits: number): string {
  const marks: number[] = [];
  const stream = createPrng(bits);
  const f = new Function(`${code} return f;`)() as (
    bit: () => number,
    mark: (n: number) => void,
  ) => number;
  const note = (n: number): void => {
    if (marks.push(n) > MARKS_MAX) throw new Error("long enough");
  };
  let asked = 0;
  const bit = (): number => {
    if (++asked > MARKS_MAX) throw new Error("long enough");
    return stream.below(2);
  };
  try {
    return `${f(bit, note)}: ${marks.join()}`;
  } catch (error) {
    return `${(error as Error).message}: ${marks.join()}`;
  }
}

test("random programs do the same without labels", () => {
  let far = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROGRAMS; seed++) {
    const before = program(createPrng(seed));
    const after = write(delabel(read(before)));
    if (after.includes("jump$")) far++;
    assert.deepEqual(lint(after), [], `SEED=${seed}\n${after}`);
    for (let bits = 1; bits <= STREAMS; bits++)
      assert.equal(run(after, bits), run(before, bits), `SEED=${seed}\n${before}\n${after}`);
  }
  assert.ok(far > PROGRAMS / 10, `only ${far} programs with jumps over more than one statement`);
});

test("a program without labels stays as it is", () => {
  const code = "function f(a) { for (;;) { switch (a) { case 1: continue; } break; } }";
  assert.equal(write(delabel(read(code))), write(read(code)));
});

test("functions within functions have jumps of their own", () => {
  const code = `function f() { a: { var g = function () {
    b: for (;;) { for (;;) break b; } return 1;
  }; if (g()) break a; return 0; } return 2; }`;
  const after = read(code);
  delabel(after);
  let labels = 0;
  eachNode(after, (node) => void (node.type === "LabeledStatement" && labels++));
  assert.equal(labels, 0);
  assert.equal(new Function(`${write(after)} return f();`)(), 2);
});
