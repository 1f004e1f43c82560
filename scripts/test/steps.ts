// SPDX-License-Identifier: MIT
// The checks of `npm test` that are not tests of node:test.

import { join } from "node:path";
import { TYPESCRIPT } from "../run/typescript.ts";
import { buildNode } from "../build/modules.ts";
import { PROJECT } from "../build/sources.ts";
import { oneCheck, runNode, type Outcome } from "./outcome.ts";

export interface Step {
  name: string;
  run(): Promise<Outcome>;
}

const NODES = ["oven", "meter", "press", "scale"].map((name) => `firmware/nodes/${name}`);

/** All static checks; the slowest first, since two run at a time. */
export const STEPS: readonly Step[] = [
  { name: "modules", run: buildModules },
  tool("types", "typescript/bin/tsc", ["-p", "."], "npx tsc -p ."),
  { name: "as-pect", run: runAsPect },
  {
    name: "tidy",
    async run() {
      const ran = await runNode([...TYPESCRIPT, "scripts/tidy.ts"]);
      return oneCheck("tidy", ran, "npx tsx scripts/tidy.ts");
    },
  },
  tool("format", "prettier/bin/prettier.cjs", ["--check", "."], "npx prettier --check ."),
  tool("lint", "oxlint/bin/oxlint", [], "npx oxlint"),
];

function tool(name: string, program: string, args: string[], repeat: string): Step {
  return {
    name,
    async run() {
      const ran = await runNode([join("node_modules", program), ...args]);
      return oneCheck(name, ran, repeat);
    },
  };
}

async function buildModules(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, skips: [], failures: [] };
  for (const folder of NODES) {
    try {
      await buildNode(join(PROJECT, folder));
      outcome.passed++;
    } catch (error) {
      outcome.failed++;
      const text = error instanceof Error ? error.message : String(error);
      const repeat = `npx ferrule build ${folder}`;
      outcome.failures.push({ name: `build ${folder}`, text, repeat });
    }
  }
  return outcome;
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const ASPECT = "node_modules/@as-pect/cli/bin/asp.js";

async function runAsPect(): Promise<Outcome> {
  const ran = await runNode([ASPECT]);
  const output = ran.output.replace(ESCAPES, "");
  const match = /\[Tests\]:\s*(\d+)\s*\/\s*(\d+)/.exec(output);
  const passed = Number(match?.[1] ?? 0);
  const failed = Number(match?.[2] ?? 0) - passed;
  const broken = failed > 0 || ran.code !== 0 || match === null;
  return {
    passed,
    failed: broken ? Math.max(1, failed) : 0,
    skips: [],
    failures: broken ? [{ name: "as-pect", text: output.trim(), repeat: "npx asp" }] : [],
  };
}
