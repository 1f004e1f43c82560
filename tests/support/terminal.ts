// SPDX-License-Identifier: MIT
// Runs the ferrule command on a terminal: a pty that a person would sit at.

import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { PROJECT } from "./ferrule.ts";
import { PATIENCE_MS } from "./until.ts";

export interface Terminal {
  /** Waits until the screen holds the pattern after what was waited for before. */
  says(pattern: RegExp): Promise<void>;
  type(text: string): void;
  /** Waits for its end; all that was written, line ends as a program writes them. */
  ended(): Promise<{ code: number; text: string }>;
}

/** Starts `ferrule ...args` on a terminal of 100 columns, without colour. */
export function startOnTerminal(args: string[], cwd: string = PROJECT): Terminal {
  const env = { ...process.env, NO_COLOR: "1", TERM: "xterm" };
  const file = join(PROJECT, "scripts/ferrule.js");
  const pty = spawn(process.execPath, [file, ...args], { cwd, env, cols: 100, rows: 40 });
  let text = "";
  let place = 0;
  let look = (): void => undefined;
  pty.onData((more) => {
    text += more;
    look();
  });
  const exit = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void =>
          reject(new Error(`${why} without ${pattern}:\n${text}`));
        const timer = setTimeout(() => {
          pty.kill("SIGKILL");
          fail("waited");
        }, PATIENCE_MS);
        look = () => {
          const match = pattern.exec(text.slice(place));
          if (match === null) return;
          place += match.index + match[0].length;
          look = () => undefined;
          clearTimeout(timer);
          resolve();
        };
        void exit.then(() => {
          look();
          clearTimeout(timer);
          fail("ended"); // no effect once it was said
        });
        look();
      }),
    type: (keys) => pty.write(keys),
    async ended() {
      const code = await exit;
      return { code, text: text.replaceAll("\r\n", "\n") };
    },
  };
}
