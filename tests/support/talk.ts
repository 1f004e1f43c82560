// SPDX-License-Identifier: MIT
// Runs a command that goes on, and waits for what it says.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PROJECT, type Finished } from "./ferrule.ts";

const SAID_MS_MAX = 60_000; // a compiler on a busy machine; then what was said is shown

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
  const said = { stdout: "", stderr: "", all: "" };
  let place = 0;
  let look = (): void => undefined;
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      said.all += text;
      look();
    });
  const closed = once(child, "close") as Promise<[number | null]>;
  return {
    child,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          const match = pattern.exec(said.all.slice(place));
          if (match === null) return;
          place += match.index + match[0].length;
          look = () => undefined;
          resolve(match);
        };
        const fail = (why: string) => reject(new Error(`${why} without ${pattern}:\n${said.all}`));
        const timer = setTimeout(() => {
          child.kill("SIGKILL");
          fail("waited");
        }, SAID_MS_MAX);
        timer.unref();
        void closed.then(() => fail("ended"));
        look();
      }),
    async end() {
      if (child.exitCode === null) child.kill("SIGINT");
      const [code] = await closed;
      return { code, stdout: said.stdout, stderr: said.stderr };
    },
  };
}
