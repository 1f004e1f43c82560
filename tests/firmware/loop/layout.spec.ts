// SPDX-License-Identifier: MIT
// Goal: structs that stand in a row keep each other aligned.
// Method: the size of each is a multiple of its widest field; a core without unaligned access needs it.

import { OutputRow, OutputState, SwitchRow, SwitchState } from "../../../firmware/loop/actuate";
import { CHAIN_BYTES, ChainRow, ChainState } from "../../../firmware/loop/chain";
import { AlarmRow, AlarmState, LatchRow, Pid } from "../../../firmware/loop/decide";
import { DigitalRow, DigitalState } from "../../../firmware/loop/digital";
import { ChannelRow, ChannelState, FilterState } from "../../../firmware/loop/filter";
import { Condition, StateRow, StateState } from "../../../firmware/loop/machine";
import { AnalogRow, SampleState } from "../../../firmware/loop/sample";
import { Held, Outcome, SETPOINT_BYTES, SetpointRow } from "../../../firmware/loop/setpoint";
import { Receiver, Scale } from "../../../firmware/loop/tap/bits";
import { Detector, DETECTOR_BYTES } from "../../../firmware/loop/tap/detect";
import { EDGE_WINDOW_BYTES, Fit } from "../../../firmware/loop/tap/edges";
import { TapEvent } from "../../../firmware/loop/tap/event";
import { LINE_TAP_BYTES, LineTap } from "../../../firmware/loop/tap/line";
import { LineField, Match, MATCH_BYTES, WordRow } from "../../../firmware/loop/tap/match";
import { MODBUS_TAP_BYTES, ModbusTap } from "../../../firmware/loop/tap/modbus";
import { Request } from "../../../firmware/loop/tap/pair";
import { RegisterRow } from "../../../firmware/loop/tap/register";
import { Window, WINDOW_BYTES } from "../../../firmware/loop/tap/window";
import { VIBRATION_BYTES, VibrationRow } from "../../../firmware/loop/vibration";

describe("the size of a struct", () => {
  it("is a multiple of 4 where words are the widest", () => {
    expect<usize>(offsetof<ChannelRow>() & 3).toBe(0);
    expect<usize>(offsetof<ChannelState>() & 3).toBe(0);
    expect<usize>(offsetof<AnalogRow>() & 3).toBe(0);
    expect<usize>(offsetof<SampleState>() & 3).toBe(0);
    expect<usize>(offsetof<AlarmRow>() & 3).toBe(0);
    expect<usize>(offsetof<AlarmState>() & 3).toBe(0);
    expect<usize>(offsetof<OutputRow>() & 3).toBe(0);
    expect<usize>(offsetof<OutputState>() & 3).toBe(0);
    expect<usize>(offsetof<RegisterRow>() & 3).toBe(0);
    expect<usize>(offsetof<ModbusTap>() & 3).toBe(0);
    expect<usize>(offsetof<Request>() & 3).toBe(0);
    expect<usize>(offsetof<Window>() & 3).toBe(0);
    expect<usize>(offsetof<Scale>() & 3).toBe(0);
    expect<usize>(offsetof<Receiver>() & 3).toBe(0);
    expect<usize>(offsetof<Fit>() & 3).toBe(0);
    expect<usize>(EDGE_WINDOW_BYTES & 3).toBe(0);
    expect<usize>(offsetof<Detector>() & 3).toBe(0);
    expect<usize>(DETECTOR_BYTES & 3).toBe(0);
    expect<usize>(MODBUS_TAP_BYTES & 3).toBe(0);
    expect<usize>(WINDOW_BYTES & 3).toBe(0);
    expect<usize>(offsetof<SwitchRow>() & 3).toBe(0);
    expect<usize>(offsetof<SwitchState>() & 3).toBe(0);
    expect<usize>(offsetof<LatchRow>() & 3).toBe(0);
    expect<usize>(offsetof<ChainRow>() & 3).toBe(0);
    expect<usize>(offsetof<DigitalRow>() & 3).toBe(0);
    expect<usize>(offsetof<DigitalState>() & 3).toBe(0);
    expect<usize>(offsetof<StateRow>()).toBe(20 + 3 * offsetof<Condition>());
    expect<usize>(offsetof<StateState>() & 3).toBe(0);
    expect<usize>(offsetof<SetpointRow>() & 3).toBe(0);
    expect<usize>(offsetof<Held>() & 3).toBe(0);
    expect<usize>(offsetof<Outcome>() & 3).toBe(0);
    expect<usize>(SETPOINT_BYTES & 3).toBe(0);
    expect<usize>(offsetof<VibrationRow>() & 3).toBe(0);
    expect<usize>(offsetof<LineTap>() & 3).toBe(0);
    expect<usize>(LINE_TAP_BYTES & 3).toBe(0);
    expect<usize>(offsetof<WordRow>() & 3).toBe(0);
  });

  it("is a multiple of 8 where there is a field of 64 bits", () => {
    expect<usize>(offsetof<FilterState>() & 7).toBe(0);
    expect<usize>(offsetof<Pid>() & 7).toBe(0);
    expect<usize>(offsetof<ChainState>() & 7).toBe(0);
    expect<usize>(CHAIN_BYTES & 7).toBe(0);
    expect<usize>(offsetof<LineField>() & 7).toBe(0);
    expect<usize>(offsetof<Match>()).toBe(24);
    expect<usize>(MATCH_BYTES & 7).toBe(0);
    expect<usize>(VIBRATION_BYTES & 7).toBe(0);
    expect<usize>(offsetof<TapEvent>() & 7).toBe(0);
  });
});
