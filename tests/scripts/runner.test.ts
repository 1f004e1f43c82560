// SPDX-License-Identifier: MIT
// Goal: `npm test` counts as it was and says how to repeat a failure.
//
// Method: test files made for the purpose, one for each way to end, through the runner; exact sums.

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { test } from "node:test";
import { PROJECT } from "../../scripts/build/sources.ts";
import { isInstalled, installLine } from "../../scripts/run/debian.ts";
import { enginesNotRun } from "../../scripts/test/engines.ts";
import { listTests, runNodeTests } from "../../scripts/test/node-tests.ts";
import { makeFolder, putFiles } from "./folders.ts";

const top = makeFolder();
const USE = 'import { before, describe, test } from "node:test";\n';

async function run(name: string, text: string): ReturnType<typeof runNodeTests> {
  putFiles(top, { [`${name}.test.ts`]: USE + text });
  return runNodeTests([join(top, `${name}.test.ts`)], () => undefined);
}

test("tests count, suites do not, and a skip has its reason", async () => {
  const skip = "sk" + "ip";
  const outcome = await run(
    "good",
    `test("a", () => {});
     describe("block", () => { test("b", () => {}); });
     test("c", { ${skip}: "needs tshark" }, () => {});`,
  );
  const file = relative(PROJECT, join(top, "good.test.ts"));
  assert.deepEqual([outcome.passed, outcome.failed], [2, 0]);
  assert.deepEqual(outcome.skips, [`${file}: c: needs tshark`]);
});

test("a failure shows its error, what was printed, and the command to repeat it", async () => {
  const outcome = await run(
    "bad",
    `test("a lost REGACK (§6.5)", () => { console.log("seed 7"); throw new Error("planted"); });`,
  );
  const file = relative(PROJECT, join(top, "bad.test.ts"));
  assert.deepEqual([outcome.passed, outcome.failed], [0, 1]);
  const [failure] = outcome.failures;
  assert.equal(failure?.name, `${file}: a lost REGACK (§6.5)`);
  assert.match(failure?.text ?? "", /planted[\s\S]*seed 7/);
  assert.equal(
    failure?.repeat,
    `node --import tsx --test --test-name-pattern="^a lost REGACK ..6.5.$" ${file}`,
  );
});

test("a failing test inside a suite counts once, a failing hook counts too", async () => {
  const inner = await run("inner", 'describe("s", () => { test("x", () => { throw 1; }); });');
  assert.equal(inner.failed, 1);
  const hook = await run(
    "hook",
    'describe("s", () => { before(() => { throw 1; }); test("x", () => {}); });',
  );
  assert.ok(hook.failed >= 1);
});

test("a file that does not load or ends early is a failure", async () => {
  assert.ok((await run("broken", "const = ;")).failed >= 1);
  assert.ok((await run("early", "process.exit(3);")).failed >= 1);
});

test("only the tests below what is named are run", () => {
  const all = listTests([]);
  assert.ok(all.includes("tests/scripts/runner.test.ts"));
  const some = listTests([join(PROJECT, "tests/scripts")]);
  assert.ok(some.length > 0 && some.length < all.length);
  assert.deepEqual(listTests([join(PROJECT, "tests/script")]), []);
});

test("a Debian package is found by its program or its path", () => {
  assert.ok(isInstalled("sh"));
  assert.ok(isInstalled("/etc/passwd"));
  assert.ok(!isInstalled("no-such-program"));
  assert.equal(installLine(["a", "b"]), "sudo apt-get install --no-install-recommends a b");
});

test("an engine that nobody named is told, and only where its tests are", () => {
  const files = ["tests/boards/js-equal.test.ts"];
  const both = enginesNotRun(files, {});
  assert.deepEqual(both, [
    "not run: jerry (set JERRY=/path/to/jerry)",
    "not run: espruino (set ESPRUINO=/path/to/espruino)",
  ]);
  assert.deepEqual(enginesNotRun(files, { JERRY: "/opt/jerry", ESPRUINO: "" }), [both[1]]);
  assert.deepEqual(enginesNotRun(["tests/hub/hub.test.ts"], {}), []);
});
