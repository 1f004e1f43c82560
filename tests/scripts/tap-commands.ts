// SPDX-License-Identifier: MIT
// `ferrule tap` as a process that runs on, and a pty that a replay made.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { PROJECT } from "../support/ferrule.ts";

const PATIENCE_MS = 60_000; // a busy machine

export interface Command {
  child: ChildProcess;
  said(): string;
  talk(): string;
  ended(): Promise<number | null>;
}

/** Starts `ferrule tap ...args`; it ends with the test. */
export function start(t: TestContext, ...args: string[]): Command {
  const file = join(PROJECT, "scripts/ferrule.js");
  const child = spawn(process.execPath, [file, "tap", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close") as Promise<[number | null]>;
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  let talk = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (talk += chunk.toString()));
  const ended = async (): Promise<number | null> => (await closed)[0];
  return { child, said: () => said, talk: () => talk, ended };
}

/** Waits until `look` finds something. */
export async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) assert.fail(`waited for ${what}`);
    await wait(20);
  }
}

/** Starts a replay onto a pty, and gives its path. */
export async function replay(
  t: TestContext,
  capture: string,
  ...args: string[]
): Promise<[Command, string]> {
  const player = start(t, "replay", capture, ...args);
  const path = await until("the pty", () => /(\/dev\/\S+),/.exec(player.said())?.[1]);
  return [player, path];
}
