// SPDX-License-Identifier: MIT
// CRC-16 of Modbus with a table of 256 entries.

const message = new StaticArray<u8>(256);
const table = new StaticArray<u16>(256);

export function prepare(): void {
  for (let i = 0; i < 256; i++) message[i] = <u8>(i * 7 + 3);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
    table[i] = <u16>crc;
  }
}

export function run(n: i32): i32 {
  let crc = 0xffff;
  for (let i = 0; i < n; i++) crc = (crc >> 8) ^ (<i32>table[(crc ^ (<i32>message[i])) & 0xff]);
  return crc;
}
