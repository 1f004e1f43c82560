// SPDX-License-Identifier: MIT
// Outputs of a tick: what was asked for goes to the host, clamped.
//
// Outputs of a duty come first, those of one bit follow in numbers; neither is taken for the other.
// State: one OutputState or SwitchState an output, in static memory.

import { OUTPUT_COUNT, OUTPUT_ROWS, SWITCH_COUNT, SWITCH_ROWS } from "../../generated/loop";
import { digital_write, pwm_write } from "../abi";
import {
  driveOutputSafe,
  hostDuty,
  OutputRow,
  OutputState,
  SwitchRow,
  SwitchState,
} from "../actuate";
import { SPARE } from "./channels";

const OUTPUTS = memory.data(OUTPUT_COUNT * offsetof<OutputState>() + SPARE, 4);

const SWITCHES = memory.data(SWITCH_COUNT * offsetof<SwitchState>() + SPARE, 4);

/** All outputs to their safe values, at once. */
export function startOutputs(): void {
  for (let i = 0; i < OUTPUT_COUNT + SWITCH_COUNT; i++) safeOutput(i);
  writeOutputs();
}

/** An output of either kind to its safe value. */
export function safeOutput(output: i32): void {
  if (SWITCH_COUNT > 0 && output >= OUTPUT_COUNT)
    switchState(output).level = switchRow(output).safe;
  else driveOutputSafe(outputRow(output), outputState(output));
}

/** Writes every output. */
export function writeOutputs(): void {
  for (let i = 0; i < OUTPUT_COUNT; i++) {
    const done = pwm_write(outputRow(i).output, hostDuty(outputState(i)));
    assert(done == 0); // the board has no such output: never unnoticed
  }
  for (let i = OUTPUT_COUNT; i < OUTPUT_COUNT + SWITCH_COUNT; i++) {
    const done = digital_write(switchRow(i).pin, switchState(i).level);
    assert(done == 0);
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

/** State of an output of one bit, by its number among all outputs. */
export function switchState(output: i32): SwitchState {
  assert(<u32>(output - OUTPUT_COUNT) < <u32>SWITCH_COUNT);
  return changetype<SwitchState>(SWITCHES + (output - OUTPUT_COUNT) * offsetof<SwitchState>());
}

function switchRow(output: i32): SwitchRow {
  return changetype<SwitchRow>(
    changetype<usize>(SWITCH_ROWS) + (output - OUTPUT_COUNT) * offsetof<SwitchRow>(),
  );
}
