// SPDX-License-Identifier: MIT
// JavaScript engines that no package brings, and that did not run.
//
// They are no skips: where they are not, nothing is missing. Who has one says where, and the tests of
// tests/boards/js-equal.test.ts run in it as well.

const ENGINES = { jerry: "JERRY", espruino: "ESPRUINO" } as const;
const TEST = "tests/boards/js-equal.test.ts";

/** A line for each engine that these test files would run and the environment does not name. */
export function enginesNotRun(
  files: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  if (!files.includes(TEST)) return [];
  return Object.entries(ENGINES)
    .filter(([, variable]) => (environment[variable] ?? "") === "")
    .map(([name, variable]) => `not run: ${name} (set ${variable}=/path/to/${name})`);
}
