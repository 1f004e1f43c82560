// SPDX-License-Identifier: MIT
// `npm test`: modules, types, tidy, lint, format, as-pect and all tests.
//
// `npm test -- tests/gateway` runs only the tests below a folder. The last line is always
// "N passed, N failed, N skipped"; a skip names what was missing, and under CI a skip is a failure.

import { EXIT_FAILED, EXIT_OK } from "./cli/failure.ts";
import { createProgress } from "./cli/progress.ts";
import { paint, print } from "./cli/terminal.ts";
import { installLine, installPackages, missingPackages } from "./run/debian.ts";
import { enginesNotRun } from "./test/engines.ts";
import { listTests, runNodeTests } from "./test/node-tests.ts";
import type { Outcome } from "./test/outcome.ts";
import { STEPS, type Step } from "./test/steps.ts";

const STEPS_AT_ONCE = 2;
const LINES_SHOWN_MAX = 200; // of a failing test; the command that repeats it shows all

function prepareDebian(): void {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    print(`for all tests run once: ${installLine(missing)}`);
    return;
  }
  print(`installing Debian packages (once): ${missing.join(" ")}`);
  const refused = installPackages(missing);
  if (refused !== undefined) print(`they could not be installed: ${refused}`);
}

async function runSteps(steps: readonly Step[]): Promise<Outcome[]> {
  const queue = [...steps];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const startMs = Date.now();
      const outcome = await step.run();
      report(step.name, outcome, Date.now() - startMs);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: STEPS_AT_ONCE }, worker));
  return outcomes;
}

function report(name: string, { passed, failed }: Outcome, lengthMs: number): void {
  const mark = failed === 0 ? "ok" : "FAILED";
  print(`${mark.padEnd(7)}${name.padEnd(9)}${passed} passed, ${failed} failed, ${lengthMs} ms`);
}

async function runTests(files: string[]): Promise<Outcome> {
  const startMs = Date.now();
  const progress = createProgress();
  let ended = 0;
  const outcome = await runNodeTests(files, () => progress.show(`${++ended} tests ended`));
  progress.end();
  report("tests", outcome, Date.now() - startMs);
  for (const { name, lengthMs } of outcome.slowest) print(`       slow: ${lengthMs} ms ${name}`);
  return outcome;
}

function showFailures(outcomes: readonly Outcome[]): void {
  for (const { name, text, repeat } of outcomes.flatMap((outcome) => outcome.failures)) {
    const lines = text.split("\n");
    print(`\n${paint("red", "FAILED", process.stdout.isTTY)} ${name}`);
    for (const line of lines.slice(0, LINES_SHOWN_MAX)) print(`  ${line}`);
    if (lines.length > LINES_SHOWN_MAX) print(`  and ${lines.length - LINES_SHOWN_MAX} lines more`);
    print(`  repeat: ${repeat}`);
  }
}

async function main(wanted: string[]): Promise<number> {
  prepareDebian();
  const files = listTests(wanted);
  const outcomes = wanted.length === 0 ? await runSteps(STEPS) : [];
  outcomes.push(await runTests(files));
  showFailures(outcomes);
  const sum = (count: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  const skips = outcomes.flatMap((outcome) => outcome.skips);
  for (const skip of skips) print(`skipped ${skip}`);
  for (const line of enginesNotRun(files, process.env)) print(line);
  const failed = sum((outcome) => outcome.failed);
  const strict = (process.env["CI"] ?? "") !== "" && skips.length > 0;
  if (strict) print("CI is set: a skipped test is a failure");
  print(`${sum((outcome) => outcome.passed)} passed, ${failed} failed, ${skips.length} skipped`);
  return failed > 0 || strict || files.length === 0 ? EXIT_FAILED : EXIT_OK;
}

process.exit(await main(process.argv.slice(2)));
