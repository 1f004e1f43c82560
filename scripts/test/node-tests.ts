// SPDX-License-Identifier: MIT
// Runs the tests of node:test and reads what the reporter says.
//
// Four files at a time. A test that is skipped counts with its reason. A file that cannot be loaded is a failure of that file.

import { readdirSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { TYPESCRIPT } from "../run/typescript.ts";
import { PROJECT } from "../build/sources.ts";
import { runNode, type Broken, type Outcome } from "./outcome.ts";

const WORKERS = 4; // of two cores: the others fill the time some spend waiting
const TEST_MS_MAX = 600_000; // the slowest takes half a minute here; a hang gets a name, not a silent end
const FILE_OUTPUT_MAX = 20_000; // of what a failing file printed

interface Line {
  kind: "pass" | "fail" | "output";
  suite?: boolean;
  name?: string;
  file?: string;
  line?: number;
  skip?: string;
  lengthMs?: number;
  error?: string;
  failureType?: string;
  text?: string;
}

export interface NodeOutcome extends Outcome {
  slowest: { name: string; lengthMs: number }[];
}

/** Test files below the given folders or files; all of tests/ when none is given. */
export function listTests(wanted: readonly string[]): string[] {
  const names = readdirSync(join(PROJECT, "tests"), { recursive: true }).map(String);
  const all = names.filter((name) => name.endsWith(".test.ts")).map((name) => join("tests", name));
  const filters = wanted.map((path) => relative(PROJECT, resolve(path)));
  const fits = (file: string): boolean =>
    filters.length === 0 || filters.some((f) => f === "" || file === f || file.startsWith(`${f}/`));
  return all.filter(fits).sort();
}

/** Runs test files; `seen` is called for each test that ended. */
export async function runNodeTests(files: string[], seen: () => void): Promise<NodeOutcome> {
  const lines: Line[] = [];
  const args = [
    ...TYPESCRIPT,
    "--test",
    `--test-concurrency=${WORKERS}`,
    `--test-timeout=${TEST_MS_MAX}`,
    "--test-reporter=./scripts/test/reporter.js",
    "--test-reporter-destination=stdout",
    ...files,
  ];
  const ran = await runNode(args, (text) => {
    const line = readLine(text);
    if (line === undefined) return;
    lines.push(line);
    if (line.kind !== "output") seen();
  });
  const outcome = sumUp(lines);
  if (ran.code !== 0 && outcome.failed === 0) {
    const text = ran.output
      .split("\n")
      .filter((t) => readLine(t) === undefined)
      .join("\n");
    outcome.failed = 1;
    outcome.failures.push({ name: "node --test", text, repeat: "npm test -- tests" });
  }
  return outcome;
}

function readLine(text: string): Line | undefined {
  try {
    const line = JSON.parse(text) as Line;
    return ["pass", "fail", "output"].includes(line.kind) ? line : undefined;
  } catch {
    return undefined;
  }
}

function sumUp(lines: readonly Line[]): NodeOutcome {
  const tests = lines.filter((line) => line.kind !== "output");
  const skipped = tests.filter((line) => line.skip !== undefined);
  const passed = tests.filter((line) => line.kind === "pass" && line.skip === undefined);
  // A suite fails with its tests; on its own only when its hooks fail.
  const failed = tests.filter(
    (line) => line.kind === "fail" && line.failureType !== "subtestsFailed",
  );
  return {
    passed: passed.length,
    failed: failed.length,
    skips: skipped.map((line) => `${nameOf(line)}: ${line.skip ?? ""}`),
    failures: failed.map((line) => describe(line, lines)),
    slowest: tests
      .map((line) => ({ name: nameOf(line), lengthMs: Math.round(line.lengthMs ?? 0) }))
      .sort((a, b) => b.lengthMs - a.lengthMs)
      .slice(0, 5),
  };
}

function nameOf({ file, name }: Line): string {
  const path = file === undefined ? "" : relative(PROJECT, file);
  return name === file || name === path ? path : `${path}: ${name ?? ""}`;
}

function describe(line: Line, lines: readonly Line[]): Broken {
  const path = relative(PROJECT, line.file ?? "");
  const printed = lines
    .filter(({ kind, file }) => kind === "output" && file === line.file)
    .map(({ text }) => text ?? "")
    .join("")
    .slice(-FILE_OUTPUT_MAX);
  const pattern = (line.name ?? "").replace(/[^A-Za-z0-9 ,]/g, ".");
  const whole = line.name === line.file || line.name === path;
  const only = whole ? "" : ` --test-name-pattern="^${pattern}$"`;
  return {
    name: nameOf(line),
    text: [line.error ?? "", printed].join("\n").trim(),
    repeat: `node --import tsx --test${only} ${path}`,
  };
}
