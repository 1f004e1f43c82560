// SPDX-License-Identifier: MIT
// What came out of a step of `npm test`, and how a program is run for one.

import { spawn } from "node:child_process";
import { PROJECT } from "../build/sources.ts";

export interface Outcome {
  passed: number;
  failed: number;
  skips: string[]; // each names the test and what was missing
  failures: Broken[];
}

export interface Broken {
  name: string;
  text: string; // what it printed
  repeat: string; // the one command that runs it again
}

export interface Ran {
  code: number;
  output: string; // stdout and stderr as they came
}

const OUTPUT_BYTES_MAX = 4 << 20; // the end of it tells
const STEP_MS_MAX = 90 * 60_000; // a step that hangs must not hang the run; each test has its own limit

/** Runs one of Node's own programs from the top of the repository. */
export function runNode(
  args: readonly string[],
  line: (text: string) => void = () => undefined,
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: PROJECT,
      stdio: ["ignore", "pipe", "pipe"],
      // A run inside a test is a run of its own.
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, NODE_TEST_CONTEXT: undefined },
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), STEP_MS_MAX);
    const kill = (): void => void child.kill("SIGTERM");
    process.once("exit", kill);
    let output = "";
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_BYTES_MAX);
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(line);
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      output = (output + chunk).slice(-OUTPUT_BYTES_MAX);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      process.off("exit", kill);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** A step that is one check: it passed or it failed with what the program printed. */
export function oneCheck(name: string, ran: Ran, repeat: string): Outcome {
  const passed = ran.code === 0;
  return {
    passed: passed ? 1 : 0,
    failed: passed ? 0 : 1,
    skips: [],
    failures: passed ? [] : [{ name, text: ran.output.trim(), repeat }],
  };
}
