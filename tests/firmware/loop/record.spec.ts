// SPDX-License-Identifier: MIT
// Goal: every octet of a ring record is where the specification has it.
// Method: octets by hand; the buffer is dirty before, so that a field left out shows.

import { ChannelState } from "../../../firmware/loop/filter";
import { encodeEvent, encodeReading, encodeState } from "../../../firmware/loop/record";
import { CAUSE_OPEN_WIRE, QUALITY_BAD, TYPE_F32, TYPE_I32 } from "../../../firmware/wire/record";

const record = memory.data(80, 4);
const counters = memory.data(40, 4);
const state = changetype<ChannelState>(memory.data(offsetof<ChannelState>(), 4));
const DIGITS = "0123456789abcdef";

function hex(length: i32): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    const octet = load<u8>(record + i);
    text += DIGITS.charAt(octet >> 4) + DIGITS.charAt(octet & 15);
  }
  return text;
}

describe("a ring record", () => {
  beforeEach(() => {
    memory.fill(record, 0xaa, 80);
    memory.fill(changetype<usize>(state), 0, offsetof<ChannelState>());
  });

  it("of a good reading carries its value", () => {
    state.value = -2;
    const length = encodeReading(record, 0x11223344, 7, TYPE_I32, state);
    expect<string>(hex(length)).toBe("01070000" + "44332211" + "01040000" + "feffffff");
    state.value = reinterpret<i32>(<f32>123.456);
    encodeReading(record, 0, 255, TYPE_F32, state);
    expect<string>(hex(16)).toBe("01ff0000" + "00000000" + "03040000" + "79e9f642");
  });

  it("of a bad reading carries a cause and no value", () => {
    state.value = 12345;
    state.quality = <u8>QUALITY_BAD;
    state.cause = <u8>CAUSE_OPEN_WIRE;
    const length = encodeReading(record, 1, 7, TYPE_I32, state);
    expect<string>(hex(length)).toBe("01070201" + "01000000" + "00000000");
  });

  it("of an event names its alarm and what happened", () => {
    state.value = 5;
    const length = encodeReading(record, 1, 7, TYPE_I32, state);
    encodeEvent(record, 3, true);
    expect<string>(hex(length)).toBe("02070000" + "01000000" + "01040301" + "05000000");
    encodeEvent(record, 3, false);
    expect<string>(hex(length)).toBe("02070000" + "01000000" + "01040300" + "05000000");
  });

  it("of a tap carries ten counters", () => {
    for (let i = 0; i < 10; i++) store<u32>(counters + i * 4, i + 1);
    const length = encodeState(record, 2, 1, counters);
    expect<i32>(length).toBe(52);
    expect<string>(hex(20)).toBe("03010000" + "02000000" + "04280000" + "01000000" + "02000000");
    expect<u32>(load<u32>(record + 48)).toBe(10);
    expect<u8>(load<u8>(record + 52)).toBe(0xaa, "nothing beyond its length");
  });
});
