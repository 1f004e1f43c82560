// SPDX-License-Identifier: MIT
// Lines that rest low: which taps have one, and boards that cannot turn it.
//
// The chip of a Pico turns a pin by itself; a serial port and a JavaScript engine hear a line that rests high only.

import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import type { NodeType } from "./schema.ts";

export const TURN_IT = 'take a receiver that turns the line, and leave "inverted" out';

type Tap = NodeType["taps"][string];

/** Whether the line of a tap rests low. A tap that finds its line finds that as well. */
export function isInverted(tap: Tap): boolean {
  return "inverted" in tap && tap.inverted;
}

/** What a board that cannot turn a line says of each that it would have to. */
export function invertedTaps({ taps }: NodeType): string[] {
  const inverted = Object.entries(taps).filter(([, tap]) => isInverted(tap));
  return inverted.map(([name]) => `tap ${name} is inverted: this board cannot turn a line`);
}

/** Throws a Failure where there is such a tap. */
export function requireUpright(type: NodeType, board: string): void {
  const problems = invertedTaps(type).map((problem) => `  ${problem}`);
  if (problems.length === 0) return;
  const what = `${type.type} does not fit ${board}:\n${problems.join("\n")}`;
  throw new Failure(EXIT_FAILED, what, TURN_IT);
}
