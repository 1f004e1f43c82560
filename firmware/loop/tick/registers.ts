// SPDX-License-Identifier: MIT
// Registers of a tick: answered reads and writes ► channels.
//
// Spec: SPEC.md §19. An answer may carry many samples of one channel, so each is told when it is heard.

import { REGISTER_COUNT, REGISTER_ROWS } from "../../generated/loop";
import { TEXT_BYTES } from "../../generated/uses";
import {
  CAUSE_NONE,
  CAUSE_NOT_A_NUMBER,
  QUALITY_BAD,
  QUALITY_GOOD,
  QUALITY_UNCERTAIN,
  RECORD_VALUE,
} from "../../wire/record";
import { isNumber } from "../compare";
import { acceptSample } from "../filter";
import { TapEvent } from "../tap/event";
import {
  carriesRow,
  causeOfRow,
  isText,
  placeOfRow,
  RegisterRow,
  registersOf,
  valueOfRow,
} from "../tap/register";
import { takeText, TEXT_REPLACED } from "../tap/register-text";
import { channelRow, channelState, checkHeard, RECORD, settle, tickMs } from "./channels";
import { keepText } from "./texts";

/** What an event of the tap with this number (order in node.json) says of the channels. */
export function hearRegisters(tap: i32, event: TapEvent): void {
  for (let i = 0; i < REGISTER_COUNT; i++) {
    const row = registerRow(i);
    if (row.tap == tap && carriesRow(event, row)) {
      if (TEXT_BYTES > 0 && isText(row)) hearText(row, placeOfRow(event, row));
      else hearRegister(row, valueOfRow(event, row), causeOfRow(event, row));
    }
  }
}

/** Registers that were not heard for too long become bad. */
export function checkStale(): void {
  for (let i = 0; i < REGISTER_COUNT; i++) {
    const row = registerRow(i);
    checkHeard(row.channel, row.staleMs);
  }
}

function hearRegister(row: RegisterRow, raw: i32, cause: i32): void {
  const state = channelState(row.channel);
  const number = isNumber(channelRow(row.channel).type, raw);
  if (number && cause == CAUSE_NONE) acceptSample(state, raw, QUALITY_GOOD, CAUSE_NONE);
  else {
    const why = cause == CAUSE_NONE ? CAUSE_NOT_A_NUMBER : cause;
    acceptSample(state, state.value, QUALITY_BAD, why);
  }
  state.heardMs = tickMs();
  settle(row.channel);
}

function hearText(row: RegisterRow, at: usize): void {
  const state = channelState(row.channel);
  const octets = RECORD + RECORD_VALUE; // free until the text is told
  const taken = takeText(at, row, registersOf(row), octets);
  const isNew = keepText(row.channel, octets, taken & ~TEXT_REPLACED);
  const quality = taken & TEXT_REPLACED ? QUALITY_UNCERTAIN : QUALITY_GOOD;
  acceptSample(state, state.value + (isNew ? 1 : 0), quality, CAUSE_NONE);
  state.heardMs = tickMs();
  settle(row.channel);
}

/** One mapped register. */
export function registerRow(index: i32): RegisterRow {
  return changetype<RegisterRow>(
    changetype<usize>(REGISTER_ROWS) + index * offsetof<RegisterRow>(),
  );
}
