// SPDX-License-Identifier: MIT
// Goal: no duty leaves outside its limits, but the safe one.
// Method: one output, its edges.

import {
  driveOutput,
  driveOutputSafe,
  hostDuty,
  OutputRow,
  OutputState,
} from "../../../firmware/loop/actuate";

const row = changetype<OutputRow>(memory.data(offsetof<OutputRow>(), 4));
const state = changetype<OutputState>(memory.data(offsetof<OutputState>(), 4));

describe("an output", () => {
  beforeEach(() => {
    row.min = 500;
    row.max = 9000;
    row.safe = 0;
  });

  it("clamps what is asked for", () => {
    driveOutput(row, state, i32.MAX_VALUE);
    expect<i32>(state.duty).toBe(9000);
    driveOutput(row, state, i32.MIN_VALUE);
    expect<i32>(state.duty).toBe(500);
    driveOutput(row, state, 777);
    expect<i32>(state.duty).toBe(777);
  });

  it("goes to its safe value, limits or not", () => {
    driveOutputSafe(row, state);
    expect<i32>(state.duty).toBe(0);
  });

  it("spans 0..65535 at the host", () => {
    state.duty = 0;
    expect<i32>(hostDuty(state)).toBe(0);
    state.duty = 10000;
    expect<i32>(hostDuty(state)).toBe(65535);
    state.duty = 5000;
    expect<i32>(hostDuty(state)).toBe(32768);
  });

  throws("when a duty is none", () => {
    state.duty = 10001;
    hostDuty(state);
  });
});
