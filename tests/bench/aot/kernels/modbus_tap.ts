// SPDX-License-Identifier: MIT
// A Modbus line heard by the firmware's own passive tap: requests, answers, noise.

import { TAP_EVENT_READ, TapEvent } from "../../../../firmware/loop/tap/event";
import {
  MODBUS_TAP_BYTES,
  modbusCounters,
  ModbusTap,
  putModbus,
  startModbus,
  takeModbus,
} from "../../../../firmware/loop/tap/modbus";

const CHARACTER_US: u32 = 1146; // at 9600 baud
const tap: ModbusTap = changetype<ModbusTap>(memory.data(MODBUS_TAP_BYTES, 4));
const event: TapEvent = changetype<TapEvent>(memory.data(offsetof<TapEvent>(), 8));
const line = new StaticArray<u8>(64);
let lineBytes = 0;

function putFrame(octets: StaticArray<u8>): void {
  let crc: u32 = 0xffff;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i];
    line[lineBytes++] = octet;
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  line[lineBytes++] = <u8>crc;
  line[lineBytes++] = <u8>(crc >> 8);
}

export function prepare(): void {
  lineBytes = 0;
  putFrame([1, 3, 0, 0x6b, 0, 3]);
  putFrame([1, 3, 6, 2, 0x2b, 0, 0, 0, 0x64]);
  putFrame([2, 6, 0, 1, 0, 3]);
  putFrame([2, 6, 0, 1, 0, 3]);
  line[lineBytes++] = 0xf0;
  putFrame([3, 4, 0, 8, 0, 1]);
  putFrame([3, 0x84, 2]);
  startModbus(tap, CHARACTER_US, 0);
}

export function run(n: i32): i32 {
  let sum = 0;
  let nowUs: u32 = 0;
  for (let round = 0; round < n; round++) {
    for (let i = 0; i < lineBytes; i++) {
      nowUs += CHARACTER_US;
      putModbus(tap, line[i], 0, nowUs);
      while (takeModbus(tap, event)) {
        if (event.kind == TAP_EVENT_READ)
          for (let k = 0; k < event.bytes; k++) sum = sum * 31 + load<u8>(event.values + k);
        sum ^= event.address + event.kind;
      }
    }
    nowUs += 100_000;
  }
  for (let i = 0; i < 10; i++) sum = sum * 31 + load<i32>(modbusCounters(tap) + ((<usize>i) << 2));
  return sum;
}
