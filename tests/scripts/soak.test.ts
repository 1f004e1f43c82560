// SPDX-License-Identifier: MIT
// The soak stops on time, goes on where it was, and says what it cannot do.
//
// Goal: an interrupted run loses nothing and repeats nothing. Method: the command in a copy of the project, whose state
// is its own.

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeTree, type Ran, runInTree } from "../support/tree.ts";

let tree = "";
before(() => {
  tree = makeTree();
});
after(() => rmSync(tree, { recursive: true }));

const soak = (...args: string[]): Ran => runInTree(tree, "scripts/soak.ts", args);

test("an interrupted run goes on; the sums are those of one whole run", () => {
  const first = soak("--seeds", "3");
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /^3 of 3 seeds, \d+ readings, .* 0 seeds failed$/m);
  const second = soak("--seeds", "6");
  assert.match(second.err, /going on after 3 seeds/);
  const whole = soak("--seeds", "6", "--fresh");
  assert.doesNotMatch(whole.err, /going on/);
  assert.equal(second.out, whole.out);
});

test("other firmware begins anew", () => {
  const file = join(tree, "build/soak.json");
  const state = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...state, firmware: "another", next: 100 }));
  assert.match(soak("--seeds", "2").out, /^2 of 2 seeds/m);
  assert.match(soak("--from", "5", "--seeds", "6").out, /^2 of 2 seeds/m);
});

test("when the time is over it says how far it came and ends well", () => {
  const { code, out, err } = soak("--minutes", "0.01", "--seeds", "1000000", "--fresh");
  assert.equal(code, 0, err);
  assert.match(out, /^\d{1,4} of 1000000 seeds/m);
  assert.match(err, /next: the same command goes on from there/);
});

test("one seed, hours and damaged packs each have their own line", () => {
  assert.match(soak("--seed", "5").out, /^seed 5: \d+ = \d+ \+ \d+ \+ \d+$/m);
  assert.match(soak("--hours", "1").out, /^1 h, \d+ readings; MiB at each quarter: heap /m);
  const { code, out } = soak("--packs", "5000");
  assert.equal(code, 0, out);
  assert.match(out, /^5000 packs: \d+ taken; refused: .*truncated \d+/m);
});

for (const args of [["--minutes", "0"], ["--seeds", "many"], ["--bogus"], ["--hours", "0"]]) {
  test(`soak ${args.join(" ")} is refused with what would be right`, () => {
    const { code, err } = soak(...args);
    assert.equal(code, 2, err);
    assert.match(err, /next: npm run soak -- --help/);
  });
}
