// SPDX-License-Identifier: MIT
// Goal: what node code is put together from keeps its promises at the edges.
// Method: each part stepped by hand, with times across the wrap.

import { hysteresis } from "../../../firmware/loop/hysteresis";
import {
  firstFailed,
  Interlock,
  isPermitted,
  requireThat,
  resetInterlock,
} from "../../../firmware/loop/interlock";
import { makePart } from "../../../firmware/loop/parts";
import { Ramp, startRamp, stepRamp } from "../../../firmware/loop/ramp";
import { enterStep, leaveStep, Sequence, stepAge } from "../../../firmware/loop/sequence";
import { PARTS_BYTES } from "../../../firmware/limits";

const HOUR_STEPS: i32 = 3600; // one a second

describe("hysteresis", () => {
  it("is on at the upper limit, off at the lower one, and keeps what it was between", () => {
    expect<bool>(hysteresis(false, 20, 10, 20)).toBe(true);
    expect<bool>(hysteresis(false, 19, 10, 20)).toBe(false);
    expect<bool>(hysteresis(true, 11, 10, 20)).toBe(true);
    expect<bool>(hysteresis(true, 10, 10, 20)).toBe(false);
  });

  throws("when the limits are the wrong way round", () => {
    hysteresis(false, 0, 20, 10);
  });
});

describe("a ramp", () => {
  it("starts at its target, then moves a step a second both ways", () => {
    const it = makePart<Ramp>();
    expect<i32>(stepRamp(it, 100, HOUR_STEPS, 0)).toBe(100);
    expect<i32>(stepRamp(it, 200, HOUR_STEPS, 1_000_000)).toBe(101);
    expect<i32>(stepRamp(it, -200, HOUR_STEPS, 3_000_000)).toBe(99);
  });

  it("adds up what is less than a step, and reaches the target exactly", () => {
    const it = makePart<Ramp>();
    startRamp(it, -3, 0);
    let last = 0;
    for (let i: u32 = 1; i <= 400_000; i++) last = stepRamp(it, 0, HOUR_STEPS, i * 7);
    expect<i32>(last).toBe(0); // 2.8 s: at -0.2
    expect<i32>(stepRamp(it, 0, HOUR_STEPS, 3_000_000)).toBe(0);
    expect<i64>(it.position).toBe(0);
  });

  it("goes on across the wrap of the clock, and a pause counts as a minute at most", () => {
    const it = makePart<Ramp>();
    startRamp(it, 0, 0xffff_ffff);
    expect<i32>(stepRamp(it, 1000, HOUR_STEPS, 999_999)).toBe(1);
    expect<i32>(stepRamp(it, 1000, HOUR_STEPS, 999_999 + 600_000_000)).toBe(61);
  });

  it("spans all 32 bits without leaving 64", () => {
    const it = makePart<Ramp>();
    startRamp(it, i32.MIN_VALUE, 0);
    expect<i32>(stepRamp(it, i32.MAX_VALUE, i32.MAX_VALUE, 60_000_000)).toBe(
      i32.MIN_VALUE + i32.MAX_VALUE / 60,
    );
    for (let i: u32 = 2; i < 140; i++) stepRamp(it, i32.MAX_VALUE, i32.MAX_VALUE, i * 60_000_000);
    expect<i32>(stepRamp(it, i32.MAX_VALUE, 1, 0)).toBe(i32.MAX_VALUE);
  });
});

describe("a sequence", () => {
  it("leaves a step after its time, and only the step it is in", () => {
    const it = makePart<Sequence>();
    enterStep(it, 1, 0xffff_ff00);
    expect<bool>(leaveStep(it, 2, 0, 3, 0xffff_ff00)).toBe(false);
    expect<bool>(leaveStep(it, 1, 1000, 2, 0xffff_ff00 + 999)).toBe(false);
    expect<bool>(leaveStep(it, 1, 1000, 2, 0xffff_ff00 + 1000)).toBe(true);
    expect<i32>(it.step).toBe(2);
    expect<u32>(stepAge(it, 0xffff_ff00 + 1500)).toBe(500);
  });
});

describe("an interlock", () => {
  it("trips at the first condition that fails, keeps it, and resets only when all hold", () => {
    const it = makePart<Interlock>();
    expect<i32>(firstFailed(it)).toBe(-1);
    requireThat(it, 31, false);
    requireThat(it, 0, false);
    requireThat(it, 31, true);
    expect<bool>(isPermitted(it)).toBe(false);
    expect<i32>(firstFailed(it)).toBe(31);
    expect<bool>(resetInterlock(it)).toBe(false);
    requireThat(it, 0, true);
    expect<bool>(isPermitted(it)).toBe(false, "holding again is no reset");
    expect<bool>(resetInterlock(it)).toBe(true);
    requireThat(it, 0, false);
    expect<i32>(firstFailed(it)).toBe(0);
  });
});

describe("the memory of parts", () => {
  it("gives each a place of its own, aligned", () => {
    const one = changetype<usize>(makePart<Interlock>());
    const two = changetype<usize>(makePart<Ramp>());
    expect<bool>(two >= one + offsetof<Interlock>()).toBe(true);
    expect<usize>((one | two) & 7).toBe(0);
  });

  throws("when it is spent", () => {
    for (let i = 0; i <= PARTS_BYTES / 16; i++) makePart<Ramp>();
  });
});
