// SPDX-License-Identifier: MIT
// Outputs of a tick: what was asked for goes to the host, clamped.
//
// State: one OutputState a PWM output, in static memory.

import { OUTPUT_COUNT, OUTPUT_ROWS } from "../../generated/loop";
import { pwm_write } from "../abi";
import { driveOutputSafe, hostDuty, OutputRow, OutputState } from "../actuate";
import { SPARE } from "./channels";

const OUTPUTS = memory.data(OUTPUT_COUNT * offsetof<OutputState>() + SPARE, 4);

/** All outputs to their safe values, at once. */
export function startOutputs(): void {
  for (let i = 0; i < OUTPUT_COUNT; i++) driveOutputSafe(outputRow(i), outputState(i));
  writeOutputs();
}

/** Writes every output. */
export function writeOutputs(): void {
  for (let i = 0; i < OUTPUT_COUNT; i++) {
    const done = pwm_write(outputRow(i).output, hostDuty(outputState(i)));
    assert(done == 0); // the board has no such output: never unnoticed
  }
}

export function outputRow(index: i32): OutputRow {
  assert(<u32>index < <u32>OUTPUT_COUNT);
  return changetype<OutputRow>(changetype<usize>(OUTPUT_ROWS) + index * offsetof<OutputRow>());
}

export function outputState(index: i32): OutputState {
  assert(<u32>index < <u32>OUTPUT_COUNT);
  return changetype<OutputState>(OUTPUTS + index * offsetof<OutputState>());
}
