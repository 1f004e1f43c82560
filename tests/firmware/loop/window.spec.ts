// SPDX-License-Identifier: MIT
// Goal: the running sum agrees with an ordinary CRC on every stretch of a line.
// Method: random octets by seed, every start and end compared with the CRC computed bit by bit.

import {
  dropOctets,
  isWhole,
  octetAt,
  putOctet,
  Window,
  WINDOW_BYTES,
  wordAt,
} from "../../../firmware/loop/tap/window";

const window = changetype<Window>(memory.data(4096, 8));
let seed: u32 = 1;

function dice(): u32 {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 16) & 0xff;
}

function crcOf(length: i32): u32 {
  let crc: u32 = 0xffff;
  for (let i = 0; i < length; i++) {
    crc ^= octetAt(window, i);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

describe("the window", () => {
  beforeEach(() => {
    memory.fill(changetype<usize>(window), 0, WINDOW_BYTES);
    seed = 1;
  });

  it("finds a frame that ends in its CRC, wherever it starts", () => {
    for (let round = 0; round < 300; round++) {
      const junk = <i32>(dice() & 7);
      const length = <i32>(2 + (dice() & 63));
      for (let i = 0; i < junk; i++) putOctet(window, dice());
      dropOctets(window, junk);
      for (let i = 0; i < length; i++) putOctet(window, dice());
      const crc = crcOf(length);
      putOctet(window, crc & 0xff);
      expect<bool>(isWhole(window, length + 1)).toBe(length > 2 && crc < 256);
      putOctet(window, crc >> 8);
      expect<bool>(isWhole(window, length + 2)).toBe(true);
      putOctet(window, dice());
      expect<bool>(isWhole(window, length + 2)).toBe(true, "what follows does not matter");
      dropOctets(window, length + 3);
    }
  });

  it("agrees with the CRC on every stretch of random octets", () => {
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 40; i++) putOctet(window, dice());
      for (let start = 0; start < 40; start++) {
        for (let length = 4; length <= window.fill; length++) {
          assert(isWhole(window, length) == (crcOf(length) == 0));
        }
        dropOctets(window, 1);
      }
    }
  });

  it("holds a frame of 256 octets, and not one more", () => {
    for (let i = 0; i < 254; i++) putOctet(window, dice());
    const crc = crcOf(254);
    putOctet(window, crc & 0xff);
    putOctet(window, crc >> 8);
    expect<bool>(isWhole(window, 256)).toBe(true);
    expect<i32>(window.fill).toBe(256);
  });

  throws("when it is full and another octet comes", () => {
    memory.fill(changetype<usize>(window), 0, WINDOW_BYTES);
    for (let i = 0; i < 257; i++) putOctet(window, 0);
  });

  it("calls nothing shorter than a frame or longer than what is there whole", () => {
    for (let i = 0; i < 8; i++) putOctet(window, 0xff);
    for (let length = -1; length < 4; length++) expect<bool>(isWhole(window, length)).toBe(false);
    expect<bool>(isWhole(window, 9)).toBe(false);
  });

  it("gives octets and big-endian words from its head", () => {
    for (let i = 0; i < 300; i++) {
      putOctet(window, i);
      if (window.fill == 4) dropOctets(window, 1);
    }
    expect<i32>(octetAt(window, 0)).toBe(297 & 0xff);
    expect<i32>(wordAt(window, 1)).toBe((42 << 8) | 43);
  });
});
