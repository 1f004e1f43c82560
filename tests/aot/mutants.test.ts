// SPDX-License-Identifier: MIT
// Each rule of the translator is broken in turn, and a program shows it.
//
// A mutant counts as found when one of its programs gives or traps otherwise than in V8. The translator as it
// stands passes all of these programs in the same run. Only programs whose C the mutant changes are compiled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../../aot/index.ts";
import { program as needed } from "../support/need.ts";
import { caseOf, type Mutant, mutate, type Program, type Translate } from "./mutants.ts";
import { ARITHMETIC_MUTANTS } from "./mutants-arithmetic.ts";
import { EMIT_MUTANTS } from "./mutants-emit.ts";
import { FACT_MUTANTS } from "./mutants-facts.ts";
import { FLOW_MUTANTS } from "./mutants-flow.ts";
import { HOST_MUTANTS } from "./mutants-host.ts";
import { INLINE_LIMITS, INLINE_MUTANTS } from "./mutants-inline.ts";
import { SHARING_MUTANTS } from "./mutants-sharing.ts";
import { SET_MUTANTS } from "./mutants-sets.ts";
import { VERSION_MUTANTS } from "./mutants-version.ts";
import { type Case, difference, type Outcome, runDoubtful, runEngine } from "./native.ts";

const PROGRAMS_MAX = 2; // of a mutant, compiled
const GROUPS = {
  "ranges and instructions": ARITHMETIC_MUTANTS,
  "facts and numbers": FACT_MUTANTS,
  "effects and control": FLOW_MUTANTS,
  "objects, shapes and floats": EMIT_MUTANTS,
  "sets and lines": SET_MUTANTS,
  "loops written twice": VERSION_MUTANTS,
  "small functions where they are called": INLINE_MUTANTS,
};

interface Trial {
  program: Program;
  mutant?: Mutant; // none: the translator as it stands
  item: Case;
}

async function trialsOf(mutant: Mutant): Promise<Trial[]> {
  const broken = await mutate(mutant);
  return mutant.programs
    .filter((program) => textOf(program, broken) !== textOf(program, translate))
    .slice(0, PROGRAMS_MAX)
    .map((program) => ({ program, mutant, item: caseOf(program, mutant.rule, broken) }));
}

function textOf(program: Program, translator: Translate): string {
  const { wasm, options } = caseOf(program, "");
  return translator(wasm, { ...options, name: "x" }).c;
}

// Rules that no program of theirs shows to be broken.
async function missedOf(mutants: readonly Mutant[]): Promise<string[]> {
  const broken = (await Promise.all(mutants.map(trialsOf))).flat();
  const names = new Map(broken.map(({ program, item }) => [program, item.name]));
  const whole = [...names].map(([program, name]): Trial => {
    return { program, item: caseOf(program, name) };
  });
  const trials = [...whole, ...broken];
  const outcomes = runDoubtful(trials.map(({ item }) => item));
  const expected = new Map<Program, Outcome>(
    whole.map(({ program, item }) => [program, runEngine(item)]),
  );
  const found = new Set<Mutant>();
  trials.forEach(({ program, mutant, item }, i) => {
    const differs = difference(outcomes[i]!, expected.get(program)!);
    if (mutant === undefined) assert.equal(differs, null, item.name);
    else if (differs !== null) found.add(mutant);
  });
  return mutants.filter((mutant) => !found.has(mutant)).map(({ rule }) => rule);
}

for (const [name, mutants] of Object.entries(GROUPS))
  test(
    `every broken rule of ${name} is found`,
    { ...needed("gcc"), timeout: 600_000 },
    async () => {
      assert.deepEqual(await missedOf(mutants), []);
    },
  );

test("every broken rule of hosts, of what modules share, and of limits is found", async () => {
  for (const mutant of [...HOST_MUTANTS, ...SHARING_MUTANTS, ...INLINE_LIMITS]) {
    assert.equal(mutant.reads(translate), true, mutant.rule);
    assert.equal(mutant.reads(await mutate(mutant)), false, `broken: ${mutant.rule}`);
  }
});

test("a mutant whose place is gone, or there twice, says so", async () => {
  const place = { rule: "none", file: "walk.ts", now: "" };
  await assert.rejects(mutate({ ...place, old: "no such text" }), /0 times/);
  await assert.rejects(mutate({ ...place, old: "export function" }), /[2-9] times/);
});
