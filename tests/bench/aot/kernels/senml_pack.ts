// SPDX-License-Identifier: MIT
// A SenML pack of eight readings, written with the firmware's CBOR writer.
//
// The records are those of firmware/link/encode.ts: name, value as a decimal fraction, time, and in the
// first one base name, base time and boot number; every fourth value is a float.

import {
  put,
  putArray,
  putDecimal,
  putFloat,
  putInteger,
  putMap,
  putRaw,
  putTextHead,
  putUnsigned,
  writer,
  writerStart,
} from "../../../../firmware/link/cbor";

const RECORDS = 8;
const ROOM: usize = 512;
const buffer: usize = memory.data(512, 4);
const NAME: usize = memory.data<u8>([
  0x74, 0x65, 0x6d, 0x70, 0x65, 0x72, 0x61, 0x74, 0x75, 0x72, 0x65,
]);
const BASE_NAME: usize = memory.data<u8>([
  0x75, 0x72, 0x6e, 0x3a, 0x64, 0x65, 0x76, 0x3a, 0x6d, 0x61, 0x63, 0x3a, 0x30, 0x32, 0x5f,
]);
const values = new StaticArray<i32>(8);

function putField(letter: u32, value: u32): void {
  putTextHead(1);
  put(letter, 1);
  putUnsigned(value);
}

function putRecord(index: i32, timeMs: i64, baseMs: i64): void {
  const first = index == 0;
  putMap(first ? 5 : 3);
  put(0, 1);
  putTextHead(11);
  putRaw(NAME, 11);
  put(2, 1);
  if ((index & 3) == 3) putFloat(<f64>values[index] * 0.25);
  else putDecimal(-2, values[index]);
  if (!first) {
    put(6, 1);
    putDecimal(-3, timeMs - baseMs);
    return;
  }
  putInteger(-2);
  putTextHead(15);
  putRaw(BASE_NAME, 15);
  putInteger(-3);
  putDecimal(-3, baseMs);
  putField(0x62, 42);
}

function encode(baseMs: i64): u32 {
  writerStart(buffer, buffer + ROOM);
  putArray(RECORDS);
  for (let i = 0; i < RECORDS; i++) putRecord(i, baseMs + i * 250, baseMs);
  assert(!writer.failed);
  return <u32>(writer.at - buffer);
}

export function run(n: i32): i32 {
  let sum: u32 = 0;
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < RECORDS; i++) values[i] = 2137 + (round << 4) * i - 900 * (i & 1);
    const bytes = encode(1_700_000_000_000 + round * 1000);
    for (let i: u32 = 0; i < bytes; i++) sum = sum * 31 + load<u8>(buffer + i);
  }
  return sum;
}
