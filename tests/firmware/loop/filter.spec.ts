// SPDX-License-Identifier: MIT
// Goal: filters smooth what is good, and reports follow their rules.
// Method: short series by hand; the f64 model is compared on the release module.

import {
  acceptSample,
  ChannelRow,
  ChannelState,
  filterSample,
  FilterState,
  isReportDue,
  markTold,
  resetFilter,
} from "../../../firmware/loop/filter";
import {
  CAUSE_NONE,
  CAUSE_OPEN_WIRE,
  CAUSE_STALE,
  QUALITY_BAD,
  QUALITY_GOOD,
  TYPE_I32,
} from "../../../firmware/wire/record";

const ALL = 65536; // weight of no smoothing
const filter = changetype<FilterState>(memory.data(offsetof<FilterState>(), 8));
const row = changetype<ChannelRow>(memory.data(offsetof<ChannelRow>(), 4));
const state = changetype<ChannelState>(memory.data(offsetof<ChannelState>(), 4));

describe("median and moving average", () => {
  beforeEach(() => {
    resetFilter(filter);
  });

  it("takes a single spike out with a window of three, two with five", () => {
    expect<i32>(filterSample(filter, 3, ALL, 10)).toBe(10);
    expect<i32>(filterSample(filter, 3, ALL, 9999)).toBe(10);
    expect<i32>(filterSample(filter, 3, ALL, 11)).toBe(11);
    resetFilter(filter);
    for (let i = 0; i < 5; i++) filterSample(filter, 5, ALL, 10);
    expect<i32>(filterSample(filter, 5, ALL, 9999)).toBe(10);
    expect<i32>(filterSample(filter, 5, ALL, -9999)).toBe(10);
    expect<i32>(filterSample(filter, 5, ALL, 12)).toBe(10);
  });

  it("finds the middle of five in all 120 orders", () => {
    for (let code = 0; code < 3125; code++) {
      const a = code % 5;
      const b = (code / 5) % 5;
      const c = (code / 25) % 5;
      const d = (code / 125) % 5;
      const e = code / 625;
      if (((1 << a) | (1 << b) | (1 << c) | (1 << d) | (1 << e)) != 31) continue;
      resetFilter(filter);
      filterSample(filter, 5, ALL, a);
      filterSample(filter, 5, ALL, b);
      filterSample(filter, 5, ALL, c);
      filterSample(filter, 5, ALL, d);
      expect<i32>(filterSample(filter, 5, ALL, e)).toBe(2);
    }
  });

  it("keeps fractions between steps: a small weight still arrives", () => {
    filterSample(filter, 1, 655, 0); // 1 %
    let value = 0;
    for (let i = 0; i < 2000; i++) value = filterSample(filter, 1, 655, 3);
    expect<i32>(value).toBe(3);
  });

  it("does not lose what is below a step: even the smallest weights arrive", () => {
    filterSample(filter, 1, 2, 0);
    let value = 0;
    for (let i = 0; i < 500000; i++) value = filterSample(filter, 1, 2, 10);
    expect<i32>(value).toBe(10);
  });

  it("survives a jump over the whole range", () => {
    filterSample(filter, 1, ALL, i32.MIN_VALUE);
    expect<i32>(filterSample(filter, 1, ALL, i32.MAX_VALUE)).toBe(i32.MAX_VALUE);
    expect<i32>(filterSample(filter, 1, ALL, i32.MIN_VALUE)).toBe(i32.MIN_VALUE);
    expect<i32>(filterSample(filter, 1, 32768, i32.MAX_VALUE)).toBe(0, "-0.5, halves go up");
  });
});

describe("report by exception", () => {
  beforeEach(() => {
    row.type = TYPE_I32;
    row.byException = 1;
    row.deadband = 10;
    row.heartbeatMs = 1000;
    memory.fill(changetype<usize>(state), 0, offsetof<ChannelState>());
    acceptSample(state, 100, QUALITY_GOOD, CAUSE_NONE);
  });

  it("tells the first sample", () => {
    expect<bool>(isReportDue(row, state, 0)).toBe(true);
  });

  it("tells again what was not taken", () => {
    isReportDue(row, state, 0);
    expect<bool>(isReportDue(row, state, 1)).toBe(true);
    markTold(state, 1);
    expect<bool>(isReportDue(row, state, 2)).toBe(false);
  });

  it("tells a move, a change of quality or cause, and the heartbeat", () => {
    markTold(state, 0);
    acceptSample(state, 110, QUALITY_GOOD, CAUSE_NONE);
    expect<bool>(isReportDue(row, state, 999)).toBe(false);
    expect<bool>(isReportDue(row, state, 1000)).toBe(true);
    acceptSample(state, 111, QUALITY_GOOD, CAUSE_NONE);
    expect<bool>(isReportDue(row, state, 1)).toBe(true);
    acceptSample(state, 100, QUALITY_BAD, CAUSE_OPEN_WIRE);
    expect<bool>(isReportDue(row, state, 1)).toBe(true);
    markTold(state, 1);
    acceptSample(state, 999, QUALITY_BAD, CAUSE_OPEN_WIRE);
    expect<bool>(isReportDue(row, state, 2)).toBe(false, "a bad value does not move");
    acceptSample(state, 999, QUALITY_BAD, CAUSE_STALE);
    expect<bool>(isReportDue(row, state, 2)).toBe(true);
  });

  it("tells every sample without a dead band", () => {
    row.byException = 0;
    markTold(state, 0);
    expect<bool>(isReportDue(row, state, 0)).toBe(true);
  });

  it("counts the heartbeat across the wrap of the clock", () => {
    markTold(state, 0xffff_ff00);
    expect<bool>(isReportDue(row, state, 700)).toBe(false);
    expect<bool>(isReportDue(row, state, 744)).toBe(true);
  });
});
