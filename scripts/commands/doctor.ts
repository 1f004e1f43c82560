// SPDX-License-Identifier: MIT
// `ferrule doctor`: what is missing on this machine, and what mends it.

import type { Command } from "commander";
import { EXIT_FAILED } from "../cli/failure.ts";
import { paint, print, printJson } from "../cli/terminal.ts";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("say what is missing or wrong on this machine, and the line that mends it")
    .addHelpText("after", "\nExample:\n  ferrule doctor")
    .action(run);
}

async function run(options: { json?: boolean }): Promise<void> {
  const { examine } = await import("../run/doctor.ts");
  const findings = await examine();
  const missing = findings.filter((finding) => !finding.ok && finding.needed);
  if (options.json) printJson({ ok: missing.length === 0, findings });
  else
    for (const { ok, name, text, mend } of findings) {
      const mark = ok
        ? paint("green", "ok", process.stdout.isTTY)
        : paint("red", "missing", process.stdout.isTTY);
      print(`${mark} ${name}: ${text}`);
      if (!ok) print(`  mend: ${mend}`);
    }
  if (missing.length > 0) process.exitCode = EXIT_FAILED;
}
