// SPDX-License-Identifier: MIT
// Runs a command that goes on, and waits for what it says.

import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { PROJECT, type Finished } from "./ferrule.ts";
import { listen } from "./listen.ts";

export interface Talking {
  child: ChildProcess;
  /** Waits until stdout or stderr holds the pattern after what was waited for before; the match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it with Ctrl-C unless it ended. */
  end(): Promise<Finished>;
}

/** Starts `ferrule ...args`. */
export function startTalking(args: string[], options: { cwd?: string } = {}): Talking {
  const child = spawn(process.execPath, [join(PROJECT, "scripts/ferrule.js"), ...args], {
    cwd: options.cwd ?? PROJECT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { says, closed, stdout, stderr } = listen(child);
  return {
    child,
    says,
    async end() {
      if (child.exitCode === null) child.kill("SIGINT");
      return { code: await closed, stdout: stdout(), stderr: stderr() };
    },
  };
}
