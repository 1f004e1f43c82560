// SPDX-License-Identifier: MIT
// Runs the ferrule command as a person would, in a process of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

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
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

export interface Running {
  child: ChildProcess;
  page: string; // http://...
  broker: string; // mqtt://...
  end(): Promise<Finished>;
}

/** Starts `ferrule up ...args` and waits until page and broker are told. */
export async function startUp(args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [FERRULE, "up", ...args], {
    cwd: PROJECT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = once(child, "close") as Promise<[number | null]>;
  const told: { page?: string; broker?: string } = {};
  await new Promise<void>((ready, fail) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      stdout += `${line}\n`;
      const [word, url] = line.split(" ");
      if (word === "page" || word === "broker") told[word] = url!;
      if (told.page !== undefined && told.broker !== undefined) ready();
    });
    void closed.then(([code]) => fail(new Error(`ended with ${code}:\n${stdout}${stderr}`)));
  });
  const end = async (): Promise<Finished> => {
    if (child.exitCode === null) child.kill("SIGINT");
    const [code] = await closed;
    return { code, stdout, stderr };
  };
  return { child, page: told.page!, broker: told.broker!, end };
}
