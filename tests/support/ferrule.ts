// SPDX-License-Identifier: MIT
// Runs the ferrule command as a person would, in a process of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import { listen, type Listener } from "./listen.ts";

export const PROJECT = resolve(import.meta.dirname, "../..");
const FERRULE = join(PROJECT, "scripts/ferrule.js");

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `ferrule ...args` to its end. */
export async function ferrule(args: string[], options: { cwd?: string } = {}): Promise<Finished> {
  const child = spawn(process.execPath, [FERRULE, ...args], {
    cwd: options.cwd ?? PROJECT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return finished(listen(child));
}

export interface Running {
  child: ChildProcess;
  said: Listener;
  page: string; // http://...
  broker: string; // mqtt://...
  /** Its end with all it said, when it ends by itself. */
  ended(): Promise<Finished>;
  /** Ends it with Ctrl-C unless it ended. */
  end(): Promise<Finished>;
}

/** Starts `ferrule up ...args` and waits until page and broker are told. */
export async function startUp(args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [FERRULE, "up", ...args], {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = listen(child);
  const url = (word: string): string | undefined =>
    new RegExp(`^${word} (\\S+)\\s`, "m").exec(said.stdout())?.[1];
  while (url("page") === undefined || url("broker") === undefined) await said.says(/\n/);
  const ended = (): Promise<Finished> => finished(said);
  const end = (): Promise<Finished> => {
    if (child.exitCode === null) child.kill("SIGINT");
    return ended();
  };
  return { child, said, page: url("page")!, broker: url("broker")!, ended, end };
}

async function finished({ closed, stdout, stderr }: Listener): Promise<Finished> {
  return { code: await closed, stdout: stdout(), stderr: stderr() };
}
