// SPDX-License-Identifier: MIT
// State channels of a tick: they follow from other channels, node code's included.
//
// State: one StateState a channel, in static memory.

import { STATE_COUNT, STATE_ROWS } from "../../generated/loop";
import { CAUSE_NONE, QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import { acceptSample } from "../filter";
import {
  CONDITION_COUNT,
  conditionOf,
  isTrue,
  openCause,
  resetState,
  STATE_STOPPED,
  stateOf,
  StateRow,
  StateState,
  stepState,
} from "../machine";
import { channelRow, channelState, SPARE, tickMs } from "./channels";

const STATES = memory.data(STATE_COUNT * offsetof<StateState>() + SPARE, 4);

/** Decides every state, after node code. */
export function decideStates(): void {
  for (let i = 0; i < STATE_COUNT; i++) {
    const row = changetype<StateRow>(changetype<usize>(STATE_ROWS) + i * offsetof<StateRow>());
    decideState(row, changetype<StateState>(STATES + i * offsetof<StateState>()));
  }
}

function decideState(row: StateRow, state: StateState): void {
  const channel = channelState(row.channel);
  let now = STATE_STOPPED;
  for (let k = 0; k < CONDITION_COUNT; k++) {
    const condition = conditionOf(row, k);
    if (condition.channel < 0) continue;
    const source = channelState(condition.channel);
    if (!source.known) return; // nothing is known yet: no sample
    const cause = openCause(source);
    if (cause != CAUSE_NONE) {
      resetState(state);
      acceptSample(channel, channel.value, QUALITY_BAD, cause);
      return;
    }
    if (!isTrue(condition, channelRow(condition.channel).type, source.value)) continue;
    now = stateOf(k);
    break;
  }
  acceptSample(channel, stepState(row, state, now, tickMs()), QUALITY_GOOD, CAUSE_NONE);
}
