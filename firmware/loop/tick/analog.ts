// SPDX-License-Identifier: MIT
// ADC inputs of a tick: sample ► filter ► channel.
//
// State: one SampleState and one FilterState an input, in static memory.

import { ANALOG_COUNT, ANALOG_ROWS } from "../../generated/loop";
import { CAUSE_NONE, QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import { adc_read } from "../abi";
import { acceptSample, filterSample, FilterState, resetFilter } from "../filter";
import { AnalogRow, isSampleDue, rawCause, SampleState, scaleRaw } from "../sample";
import { channelState, SPARE } from "./channels";

const SAMPLES = memory.data(ANALOG_COUNT * offsetof<SampleState>() + SPARE, 4);
const FILTERS = memory.data(ANALOG_COUNT * offsetof<FilterState>() + SPARE, 8);

/** Samples every input whose period is over. */
export function samplePins(): void {
  for (let i = 0; i < ANALOG_COUNT; i++) {
    const row = analogRow(i);
    if (!isSampleDue(row, changetype<SampleState>(SAMPLES + i * offsetof<SampleState>()))) continue;
    const filter = changetype<FilterState>(FILTERS + i * offsetof<FilterState>());
    const state = channelState(row.channel);
    const raw = adc_read(row.input);
    const cause = rawCause(row, raw);
    if (cause == CAUSE_NONE) {
      const filtered = filterSample(filter, row.median, row.weight, scaleRaw(row, raw));
      acceptSample(state, filtered, QUALITY_GOOD, CAUSE_NONE);
    } else {
      resetFilter(filter);
      acceptSample(state, state.value, QUALITY_BAD, cause);
    }
  }
}

function analogRow(index: i32): AnalogRow {
  return changetype<AnalogRow>(changetype<usize>(ANALOG_ROWS) + index * offsetof<AnalogRow>());
}
