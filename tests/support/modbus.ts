// SPDX-License-Identifier: MIT
// Modbus RTU frames for tests, with an ordinary CRC.
//
// Nothing of it is shared with the firmware.

export function crc16(octets: Iterable<number>): number {
  let crc = 0xffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/** Octets and their CRC. */
export function frame(octets: number[]): Uint8Array {
  const crc = crc16(octets);
  return Uint8Array.from([...octets, crc & 0xff, crc >> 8]);
}

function words(values: number[]): number[] {
  return values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]);
}

/** A request to read registers and its answer. */
export function readRegisters(
  unit: number,
  code: 3 | 4,
  address: number,
  values: number[],
): [Uint8Array, Uint8Array] {
  return [
    frame([unit, code, ...words([address, values.length])]),
    frame([unit, code, values.length * 2, ...words(values)]),
  ];
}
