// SPDX-License-Identifier: MIT
// Collects what a process says from its start on, and waits for words in it.
//
// A stream that flows goes on flowing: what comes between one listener and the next is lost. So all of it goes into one
// buffer, and a test waits for text in that. Call it in the same turn as spawn().

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { PATIENCE_MS } from "./until.ts";

export interface Listener {
  /** All that it said so far; both streams as they came. */
  all(): string;
  stdout(): string;
  stderr(): string;
  /** Waits until it said the pattern after what was waited for before; the match. Kills it when in vain. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its end with all it said: the code, or null after a signal. */
  closed: Promise<number | null>;
}

/** Listens to those of stdout and stderr that are pipes. */
export function listen(child: ChildProcess): Listener {
  const said = { stdout: "", stderr: "", all: "" };
  let place = 0;
  let look = (): void => undefined;
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      said.all += text;
      look();
    });
  const closed = once(child, "close").then(([code]) => code as number | null);
  return {
    all: () => said.all,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void =>
          reject(new Error(`${why} without ${pattern}:\n${said.all}`));
        const timer = setTimeout(() => {
          child.kill("SIGKILL");
          fail("waited");
        }, PATIENCE_MS);
        look = () => {
          const match = pattern.exec(said.all.slice(place));
          if (match === null) return;
          place += match.index + match[0].length;
          look = () => undefined;
          clearTimeout(timer);
          resolve(match);
        };
        void closed.then(() => {
          clearTimeout(timer);
          fail("ended"); // no effect once it was said
        });
        look();
      }),
    closed,
  };
}
