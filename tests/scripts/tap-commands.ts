// SPDX-License-Identifier: MIT
// `ferrule tap` as a process that runs on, and a pty that a replay made.

import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { PROJECT } from "../support/ferrule.ts";
import { listen, type Listener } from "../support/listen.ts";

export interface Command extends Listener {
  child: ChildProcess;
}

/** Starts `ferrule tap ...args`; it ends with the test. */
export function start(t: TestContext, ...args: string[]): Command {
  const file = join(PROJECT, "scripts/ferrule.js");
  const child = spawn(process.execPath, [file, "tap", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  return { child, ...listen(child) };
}

/** Starts a replay onto a pty, and gives its path. */
export async function replay(
  t: TestContext,
  capture: string,
  ...args: string[]
): Promise<[Command, string]> {
  const player = start(t, "replay", capture, ...args);
  const [, path] = await player.says(/(\/dev\/\S+),/);
  return [player, path!];
}
