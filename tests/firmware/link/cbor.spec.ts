// SPDX-License-Identifier: MIT
// Goal: every item has its shortest form, and nothing passes the end of the room.
// Method: values around each boundary of RFC 8949 §3, octets compared as numbers.

import {
  put,
  putArray,
  putBoolean,
  putDecimal,
  putFloat,
  putInteger,
  putMap,
  putRaw,
  putTextHead,
  putUnsigned,
  writer,
  writerStart,
} from "../../../firmware/link/cbor";

const ROOM = 16;
const room: usize = memory.data(ROOM);

function start(): void {
  memory.fill(room, 0xee, ROOM);
  writerStart(room, room + ROOM);
}

/** The octets written so far as one big-endian number, at most eight. */
function written(): u64 {
  let value: u64 = 0;
  for (let at = room; at < writer.at; at++) value = (value << 8) | load<u8>(at);
  return value;
}

function integer(value: i64): u64 {
  start();
  putInteger(value);
  return written();
}

function float(value: f64): u64 {
  start();
  putFloat(value);
  return written();
}

describe("an integer", () => {
  it("takes the shortest head on both sides of zero", () => {
    expect<u64>(integer(0)).toBe(0x00);
    expect<u64>(integer(23)).toBe(0x17);
    expect<u64>(integer(24)).toBe(0x1818);
    expect<u64>(integer(255)).toBe(0x18ff);
    expect<u64>(integer(256)).toBe(0x190100);
    expect<u64>(integer(65535)).toBe(0x19ffff);
    expect<u64>(integer(65536)).toBe(0x1a00010000);
    expect<u64>(integer(0xffffffff)).toBe(0x1affffffff);
    expect<u64>(integer(-1)).toBe(0x20);
    expect<u64>(integer(-24)).toBe(0x37);
    expect<u64>(integer(-25)).toBe(0x3818);
    expect<u64>(integer(-256)).toBe(0x38ff);
    expect<u64>(integer(-257)).toBe(0x390100);
    expect<u64>(integer(-65537)).toBe(0x3a00010000);
  });

  it("takes nine octets beyond 32 bits", () => {
    start();
    putInteger(0x100000000);
    expect<usize>(writer.at - room).toBe(9);
    expect<u8>(load<u8>(room)).toBe(0x1b);
    expect<u8>(load<u8>(room + 4)).toBe(1);
    start();
    putInteger(-0x100000001);
    expect<u8>(load<u8>(room)).toBe(0x3b);
    expect<u8>(load<u8>(room + 4)).toBe(1);
  });
});

describe("a float", () => {
  it("takes two octets where they keep the value, subnormal ones included", () => {
    expect<u64>(float(0)).toBe(0xf90000);
    expect<u64>(float(-0.0)).toBe(0xf98000);
    expect<u64>(float(1)).toBe(0xf93c00);
    expect<u64>(float(-1.5)).toBe(0xf9be00);
    expect<u64>(float(65504)).toBe(0xf97bff);
    expect<u64>(float(5.960464477539063e-8)).toBe(0xf90001);
    expect<u64>(float(0.00006097555160522461)).toBe(0xf903ff);
    expect<u64>(float(0.00006103515625)).toBe(0xf90400);
  });

  it("takes four, then eight, where it must", () => {
    expect<u64>(float(65505)).toBe(0xfa477fe100);
    expect<u64>(float(65536)).toBe(0xfa47800000);
    expect<u64>(float(2.9802322387695312e-8)).toBe(0xfa33000000);
    expect<u64>(float(f32.MAX_VALUE)).toBe(0xfa7f7fffff);
    start();
    putFloat(0.1);
    expect<usize>(writer.at - room).toBe(9);
    expect<u8>(load<u8>(room)).toBe(0xfb);
  });
});

describe("other items", () => {
  it("have the heads of their kind", () => {
    start();
    putArray(2);
    putMap(3);
    putTextHead(1);
    put(0x78, 1);
    putBoolean(true);
    putBoolean(false);
    expect<u64>(written()).toBe(0x82a36178f5f4);
    start();
    putDecimal(-2, 2350);
    expect<u64>(written()).toBe(0xc4822119092e);
  });
});

describe("the end of the room", () => {
  it("is reached exactly, and not passed by one octet", () => {
    writerStart(room, room + 5);
    memory.fill(room, 0xee, ROOM);
    putUnsigned(0x10000);
    expect<bool>(writer.failed).toBe(false);
    putUnsigned(1);
    expect<bool>(writer.failed).toBe(true);
    expect<u8>(load<u8>(room + 5)).toBe(0xee);
  });

  it("is sticky: a shorter item that would fit is not written either", () => {
    writerStart(room, room + 2);
    memory.fill(room, 0xee, ROOM);
    put(0x12345678, 4);
    put(1, 1);
    putRaw(room, 1);
    expect<bool>(writer.failed).toBe(true);
    expect<usize>(writer.at).toBe(room);
    expect<u8>(load<u8>(room)).toBe(0xee);
  });
});
