// SPDX-License-Identifier: MIT
// ADC inputs of a tick: sample ► filter ► channel.
//
// State: one SampleState and one FilterState an input, and the rest of the chain where one input uses it,
// in static memory.

import { ANALOG_COUNT, ANALOG_ROWS, CHAIN_COUNT, CHAIN_ROWS } from "../../generated/loop";
import { CAUSE_NONE, QUALITY_BAD, QUALITY_GOOD } from "../../wire/record";
import { adc_read } from "../abi";
import {
  CHAIN_BYTES,
  chainLimit,
  chainPasses,
  ChainRow,
  chainSample,
  ChainState,
  resetChain,
} from "../chain";
import { acceptSample, filterSample, FilterState, resetFilter } from "../filter";
import { AnalogRow, isSampleDue, rawCause, SampleState, scaleMean, scaleRaw } from "../sample";
import { channelState, SPARE } from "./channels";

const SAMPLES = memory.data(ANALOG_COUNT * offsetof<SampleState>() + SPARE, 4);
const FILTERS = memory.data(ANALOG_COUNT * offsetof<FilterState>() + SPARE, 8);
const CHAINS = memory.data(CHAIN_COUNT * CHAIN_BYTES + SPARE, 8);

/** Samples every input whose period is over. */
export function samplePins(): void {
  for (let i = 0; i < ANALOG_COUNT; i++) {
    const row = analogRow(i);
    if (!isSampleDue(row, changetype<SampleState>(SAMPLES + i * offsetof<SampleState>()))) continue;
    const filter = changetype<FilterState>(FILTERS + i * offsetof<FilterState>());
    if (CHAIN_COUNT > 0) {
      sampleChain(i, row, filter);
      continue;
    }
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

function sampleChain(index: i32, row: AnalogRow, filter: FilterState): void {
  const chain = changetype<ChainRow>(changetype<usize>(CHAIN_ROWS) + index * offsetof<ChainRow>());
  const kept = changetype<ChainState>(CHAINS + index * CHAIN_BYTES);
  const state = channelState(row.channel);
  let sum = 0;
  let cause = CAUSE_NONE;
  // One count that is no reading spoils the mean: it is not averaged away.
  for (let k = 0; k < 1 << chain.oversampleBits && cause == CAUSE_NONE; k++) {
    const raw = adc_read(row.input);
    cause = rawCause(row, raw);
    sum += raw;
  }
  const passes = chainPasses(chain, kept, !state.known || state.cause != cause);
  if (cause == CAUSE_NONE) {
    const scaled = scaleMean(row, sum, chain.oversampleBits);
    const value = chainSample(row, chain, filter, kept, scaled);
    if (passes) acceptSample(state, chainLimit(chain, kept, value), QUALITY_GOOD, CAUSE_NONE);
  } else {
    resetChain(filter, kept);
    if (passes) acceptSample(state, state.value, QUALITY_BAD, cause);
  }
}

function analogRow(index: i32): AnalogRow {
  return changetype<AnalogRow>(changetype<usize>(ANALOG_ROWS) + index * offsetof<AnalogRow>());
}
