// SPDX-License-Identifier: MIT
// How parts that run in real time talk: sentences for people, pino for services.
//
// Both on stderr, both synchronous, so that the last words of a run come out before its totals. Warnings come
// always, information with FERRULE_LOG=info.

import { pino } from "pino";
import { paint, say } from "../cli/terminal.ts";

export interface Log {
  info(text: string): void;
  warn(text: string): void;
}

/** A log of sentences, for a command that a person watches. */
export function createTalk(name: string): Log {
  const wanted = process.env["FERRULE_LOG"] === "info";
  return {
    info: (text) => wanted && say(`${name}: ${text}`),
    warn: (text) => say(`${paint("yellow", `${name}:`)} ${text}`),
  };
}

/** A log of JSON lines, for a service; sentences where a person sits at the terminal. */
export function createLog(name: string): Log {
  if (process.stderr.isTTY) return createTalk(name);
  const level = process.env["FERRULE_LOG"] === "info" ? "info" : "warn";
  return pino({ name, level, base: null }, pino.destination({ dest: 2, sync: true }));
}
