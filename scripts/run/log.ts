// SPDX-License-Identifier: MIT
// How parts that run in real time talk: pino, to stderr.

import { pino, type Logger } from "pino";

/** A logger on stderr; synchronous, so that the last words of a run come out before its totals. */
export function createLog(name: string): Logger {
  const level = process.env["FERRULE_LOG"] ?? "warn";
  return pino({ name, level, base: null }, pino.destination({ dest: 2, sync: true }));
}
