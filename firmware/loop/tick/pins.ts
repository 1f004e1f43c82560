// SPDX-License-Identifier: MIT
// Input pins and pulse counters of a tick.
//
// Spec: SPEC.md §1.1. State: one DigitalState a pin and a countdown a counter, in static memory. Pins are
// read in every tick. The host counts pulses since power-on, so a total outlives a restart of loop.

import { COUNTER_COUNT, COUNTER_ROWS, DIGITAL_COUNT, DIGITAL_ROWS } from "../../generated/loop";
import { CAUSE_NO_INPUT, CAUSE_NONE, QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import { digital_read, pulse_count } from "../abi";
import { debounce, DigitalRow, DigitalState, resetDebounce } from "../digital";
import { acceptSample } from "../filter";
import { channelState, SPARE, tickMs } from "./channels";

@unmanaged
class CounterRow {
  channel: i32;
  input: i32;
  everyTicks: i32;
}

@unmanaged
class CounterState {
  ticksLeft: i32; // 0 at the start: the first tick reads
}

const DIGITALS = memory.data(DIGITAL_COUNT * offsetof<DigitalState>() + SPARE, 4);
const COUNTERS = memory.data(COUNTER_COUNT * offsetof<CounterState>() + SPARE, 4);

/** Reads every pin. */
export function readPins(): void {
  for (let i = 0; i < DIGITAL_COUNT; i++) {
    const row = changetype<DigitalRow>(
      changetype<usize>(DIGITAL_ROWS) + i * offsetof<DigitalRow>(),
    );
    const state = changetype<DigitalState>(DIGITALS + i * offsetof<DigitalState>());
    const channel = channelState(row.channel);
    const pin = digital_read(row.pin);
    if (pin < 0) {
      resetDebounce(state);
      acceptSample(channel, channel.value, QUALITY_BAD, CAUSE_NO_INPUT);
    } else {
      acceptSample(channel, debounce(row, state, pin, tickMs()), QUALITY_GOOD, CAUSE_NONE);
    }
  }
}

/** Reads every counter whose period is over. */
export function readCounters(): void {
  for (let i = 0; i < COUNTER_COUNT; i++) {
    const row = changetype<CounterRow>(
      changetype<usize>(COUNTER_ROWS) + i * offsetof<CounterRow>(),
    );
    const state = changetype<CounterState>(COUNTERS + i * offsetof<CounterState>());
    if (state.ticksLeft == 0) {
      state.ticksLeft = row.everyTicks;
      acceptSample(channelState(row.channel), pulse_count(row.input), QUALITY_GOOD, CAUSE_NONE);
    }
    state.ticksLeft--;
  }
}
