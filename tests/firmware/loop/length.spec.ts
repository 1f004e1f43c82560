// SPDX-License-Identifier: MIT
// Goal: the length of each frame follows the table, and its fields prune it.
// Method: heads of frames as hex, with the length as a request and as an answer; 0 where it cannot be one.

import { answerLength, requestLength } from "../../../firmware/loop/tap/length";
import { putOctet, Window, WINDOW_BYTES } from "../../../firmware/loop/tap/window";

const window = changetype<Window>(memory.data(4096, 8));

function digit(code: i32): i32 {
  return code < 58 ? code - 48 : code - 87;
}

function fill(hex: string): void {
  memory.fill(changetype<usize>(window), 0, WINDOW_BYTES);
  for (let i = 0; i + 1 < hex.length; i += 2) {
    putOctet(window, (digit(hex.charCodeAt(i)) << 4) | digit(hex.charCodeAt(i + 1)));
  }
}

function check(hex: string, request: i32, answer: i32): void {
  fill(hex);
  expect<i32>(requestLength(window)).toBe(request, "request " + hex);
  expect<i32>(answerLength(window)).toBe(answer, "answer " + hex);
}

describe("the length of a frame", () => {
  it("of reads of bits and registers follows quantity and byte count", () => {
    check("1101001300250e84", 8, 0);
    check("11010013", 6, 0);
    check("110105", 6, 10);
    check("11010000000007d0", 0, 0);
    check("1101010007d0", 8, 6);
    check("1101010007d1", 0, 6);
    check("1103006b0003", 8, 0);
    check("1103fa00007d", 8, 255);
    check("1103fa00007e", 0, 255);
    check("1103ffff0002", 0, 0);
    check("1103fffe0002", 8, 0);
    check("1104020000000000", 0, 7);
    check("1103030000010000", 8, 0);
    check("1103fc000001", 8, 0);
    check("1103", 6, 3);
  });

  it("of single writes is 8, with two values for a coil", () => {
    check("110500acff00", 8, 8);
    check("110500ac0000", 8, 8);
    check("110500acff01", 0, 0);
    check("1105", 6, 6);
    check("1106", 8, 8);
    check("1116", 10, 10);
  });

  it("of the short codes is 4 to 6, and their answers are counted", () => {
    check("1107", 4, 5);
    check("110b", 4, 4);
    check("110b0000", 4, 8);
    check("110bffff", 4, 8);
    check("110b0001", 4, 0);
    check("110c06", 4, 11);
    check("110c05", 4, 0);
    check("110c46", 4, 75);
    check("110c47", 4, 0);
    check("11110a", 4, 15);
    check("1111fb", 4, 256);
    check("1111fc", 4, 0);
    check("1118", 6, 6);
    check("111800060002", 6, 12);
    check("111800420020", 6, 0);
    check("111800080002", 6, 0);
  });

  it("of a diagnostic is 8, and that of a loopback is tried up to 64", () => {
    check("11080014", 8, 8);
    check("11080015", 0, 0);
    check("11080000", 8, 8);
    check("11080000112233445566", 12, 12);
  });

  it("of multiple writes needs quantity and byte count that agree", () => {
    check("110f0013000a02", 11, 8);
    check("110f0013000a03", 0, 8);
    check("110f001307b0f6", 255, 8);
    check("110f001307b1f7", 0, 0);
    check("11100001000204", 13, 8);
    check("11100001000203", 0, 8);
    check("11100001007bf6", 255, 8);
    check("11100001007cf8", 0, 0);
    check("1110ffff000204", 0, 0);
    check("1117000300030028000204", 17, 0);
    check("1117000300030028000205", 0, 0);
    check("11170003007e0028000204", 0, 0);
    check("111706", 11, 11);
  });

  it("of files needs the reference type", () => {
    check("11140e06", 19, 5);
    check("11140e0506", 0, 19);
    check("11150d06", 18, 18);
    check("11150d07", 0, 0);
  });

  it("of a device identification is walked object by object", () => {
    check("112b0e01", 7, 8);
    check("112b0d01", 0, 8);
    check("112b0e05", 0, 8);
    check("112b0e0183000003", 7, 10);
    check("112b0e0183000001" + "0002", 7, 14);
    check("112b0e0183000002" + "00024142", 7, 14);
    check("112b0e0183000001" + "00f4", 7, 256);
    check("112b0e0183000001" + "00f5", 7, 0);
    check("112b0e0183010001", 7, 0);
  });

  it("of an exception is 5 with a code that exists", () => {
    check("118302", 0, 5);
    check("118307", 0, 0);
    check("118309", 0, 0);
    check("11830b", 0, 5);
    check("118900", 0, 0);
    check("1183", 0, 3);
  });

  it("to all units is that of a write, and has no answer", () => {
    check("0006", 8, 0);
    check("000f0013000a02", 11, 0);
    check("000300000001", 0, 0);
    check("0011", 0, 0);
  });

  it("of any other code is none", () => {
    for (let code = 0; code < 128; code++) {
      const known =
        (code >= 1 && code <= 8) ||
        code == 11 ||
        code == 12 ||
        (code >= 15 && code <= 17) ||
        (code >= 20 && code <= 24) ||
        code == 43;
      memory.fill(changetype<usize>(window), 0, WINDOW_BYTES);
      putOctet(window, 17);
      putOctet(window, code);
      expect<bool>(requestLength(window) != 0).toBe(known);
      expect<bool>(answerLength(window) != 0).toBe(known);
    }
  });
});
