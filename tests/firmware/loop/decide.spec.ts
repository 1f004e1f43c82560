// SPDX-License-Identifier: MIT
// Goal: alarms keep hysteresis and delay; the controller keeps its bounds.
// Method: alarms by hand; the controller at the extremes (its course is compared on the release module).

import {
  AlarmRow,
  AlarmState,
  interruptAlarm,
  Pid,
  startPid,
  stepAlarm,
  stepPid,
  tunePid,
} from "../../../firmware/loop/decide";
import { TYPE_I32 } from "../../../firmware/wire/record";

const row = changetype<AlarmRow>(memory.data(offsetof<AlarmRow>(), 4));
const alarm = changetype<AlarmState>(memory.data(offsetof<AlarmState>(), 4));
const pid = changetype<Pid>(memory.data(offsetof<Pid>(), 8));

function active(value: i32, nowMs: u32): bool {
  stepAlarm(row, alarm, TYPE_I32, value, nowMs);
  return alarm.active != 0;
}

describe("an alarm", () => {
  beforeEach(() => {
    memory.fill(changetype<usize>(alarm), 0, offsetof<AlarmState>());
    row.above = 1;
    row.limit = 100;
    row.back = 90;
    row.delayMs = 50;
  });

  it("is raised above its limit after the delay, and returns at the hysteresis", () => {
    expect<bool>(active(100, 0)).toBe(false);
    expect<bool>(active(101, 10)).toBe(false);
    expect<bool>(active(101, 59)).toBe(false);
    expect<bool>(active(101, 60)).toBe(true);
    expect<bool>(active(91, 70)).toBe(true);
    expect<bool>(active(90, 80)).toBe(false);
  });

  it("below is the mirror", () => {
    row.above = 0;
    row.back = 110;
    row.delayMs = 0;
    expect<bool>(active(100, 0)).toBe(false);
    expect<bool>(active(99, 0)).toBe(true);
    expect<bool>(active(109, 0)).toBe(true);
    expect<bool>(active(110, 0)).toBe(false);
  });

  it("starts its delay anew after a return or a bad value, and keeps what is active", () => {
    active(101, 0);
    active(100, 40);
    expect<bool>(active(101, 50)).toBe(false);
    interruptAlarm(alarm);
    expect<bool>(active(101, 100)).toBe(false);
    expect<bool>(active(101, 150)).toBe(true);
    interruptAlarm(alarm);
    expect<bool>(active(95, 160)).toBe(true);
  });

  it("measures its delay across the wrap of the clock", () => {
    expect<bool>(active(101, 0xffff_fff0)).toBe(false);
    expect<bool>(active(101, 33)).toBe(false);
    expect<bool>(active(101, 34)).toBe(true);
  });
});

describe("a controller", () => {
  beforeEach(() => {
    pid.min = 0;
    pid.max = 10000;
    tunePid(pid, 1000, 1000, 0);
  });

  it("continues from the duty it finds", () => {
    startPid(pid, 500, 400, 3000, 0);
    expect<i32>(stepPid(pid, 500, 400, 0)).toBe(3000);
  });

  it("adds the integral by the second, whatever the step", () => {
    startPid(pid, 100, 0, 1100, 0);
    for (let i = 1; i <= 1000; i++) stepPid(pid, 100, 0, i * 1000);
    expect<i32>(stepPid(pid, 100, 0, 1_000_000)).toBe(1200);
  });

  it("resists a change of the measurement by kd", () => {
    tunePid(pid, 0, 0, 1000);
    startPid(pid, 0, 0, 5000, 0);
    expect<i32>(stepPid(pid, 0, 10, 10_000)).toBe(4000, "10 steps in 10 ms are 1000 a second");
    expect<i32>(stepPid(pid, 9999, 10, 20_000)).toBe(5000, "a new setpoint is no kick");
  });

  it("stays within its limits at the extremes of every input", () => {
    const gains: StaticArray<i32> = [0, 1, -1, 1 << 20, -(1 << 20)];
    const values: StaticArray<i32> = [0, i32.MIN_VALUE, i32.MAX_VALUE, 1];
    let now: u32 = 0;
    for (let g = 0; g < 125; g++) {
      tunePid(pid, gains[g % 5], gains[(g / 5) % 5], gains[g / 25]);
      startPid(pid, 0, 0, 10000, now);
      for (let i = 0; i < 64; i++) {
        now += i & 1 ? 1 : 0xf000_0000;
        const output = stepPid(pid, values[i & 3], values[(i >> 2) & 3], now);
        assert(output >= 0 && output <= 10000);
        assert(pid.integral >= 0 && pid.integral <= 10_000_000_000_000);
      }
    }
  });

  it("has no overflow: a huge positive error is full output", () => {
    tunePid(pid, 1 << 20, 1 << 20, 1 << 20);
    startPid(pid, i32.MAX_VALUE, i32.MIN_VALUE, 0, 0);
    expect<i32>(stepPid(pid, i32.MAX_VALUE, i32.MIN_VALUE, 60_000_000)).toBe(10000);
    expect<i32>(stepPid(pid, i32.MIN_VALUE, i32.MIN_VALUE + 5, 120_000_000)).toBe(0);
  });

  throws("when a gain is beyond its bound", () => {
    tunePid(pid, (1 << 20) + 1, 0, 0);
  });
});
