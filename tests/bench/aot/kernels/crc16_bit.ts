// SPDX-License-Identifier: MIT
// CRC-16 of Modbus, bit by bit.

const message = new StaticArray<u8>(256);

export function prepare(): void {
  for (let i = 0; i < 256; i++) message[i] = <u8>(i * 7 + 3);
}

export function run(n: i32): i32 {
  let crc = 0xffff;
  for (let i = 0; i < n; i++) {
    crc ^= <i32>message[i];
    for (let bit = 0; bit < 8; bit++) {
      if (crc & 1) crc = (crc >> 1) ^ 0xa001;
      else crc >>= 1;
    }
  }
  return crc;
}
