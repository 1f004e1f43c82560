// SPDX-License-Identifier: MIT
// Goal: a raw count is a cause or a value, at its ticks.
// Method: one row, its edges.

import {
  AnalogRow,
  isSampleDue,
  rawCause,
  SampleState,
  scaleRaw,
} from "../../../firmware/loop/sample";
import {
  CAUSE_NONE,
  CAUSE_NO_INPUT,
  CAUSE_OPEN_WIRE,
  CAUSE_OVER_RANGE,
} from "../../../firmware/wire/record";

const row = changetype<AnalogRow>(memory.data(offsetof<AnalogRow>(), 4));
const state = changetype<SampleState>(memory.data(offsetof<SampleState>(), 4));

describe("sampling", () => {
  beforeEach(() => {
    row.everyTicks = 3;
    row.rawMin = 20;
    row.rawMax = 4075;
    row.belowCause = CAUSE_OPEN_WIRE;
    row.aboveCause = CAUSE_OVER_RANGE;
    row.zero = 0;
    row.zeroFraction = 0;
    row.full = 4096;
    row.fullFraction = 0;
    state.ticksLeft = 0;
  });

  it("is due in the first tick and every third one", () => {
    for (let tick = 0; tick < 9; tick++) {
      expect<bool>(isSampleDue(row, state)).toBe(tick % 3 == 0);
    }
  });

  it("gives the cause of a count outside the valid range", () => {
    expect<i32>(rawCause(row, -1)).toBe(CAUSE_NO_INPUT);
    expect<i32>(rawCause(row, 19)).toBe(CAUSE_OPEN_WIRE);
    expect<i32>(rawCause(row, 20)).toBe(CAUSE_NONE);
    expect<i32>(rawCause(row, 4075)).toBe(CAUSE_NONE);
    expect<i32>(rawCause(row, 4076)).toBe(CAUSE_OVER_RANGE);
  });

  it("lies on the line, ends included", () => {
    expect<i32>(scaleRaw(row, 0)).toBe(0);
    expect<i32>(scaleRaw(row, 4095)).toBe(4095);
    row.zero = i32.MAX_VALUE;
    row.full = i32.MIN_VALUE;
    expect<i32>(scaleRaw(row, 0)).toBe(i32.MAX_VALUE);
    expect<i32>(scaleRaw(row, 2048)).toBe(0, "-0.5, halves go up");
  });

  it("rounds with the fraction of the end points", () => {
    row.full = 0;
    row.fullFraction = 0x8000; // half a step at 4096
    expect<i32>(scaleRaw(row, 4095)).toBe(0);
    row.zeroFraction = 0x8000;
    expect<i32>(scaleRaw(row, 0)).toBe(1);
  });

  throws("when a count is not one of the converter", () => {
    scaleRaw(row, 4096);
  });
});
