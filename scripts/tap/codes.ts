// SPDX-License-Identifier: MIT
// Words for function codes.
//
// Spec: Modbus application protocol 1.1b3 §6; control fields of M-Bus, EN 13757-2 §5.7, which are no function codes.

const WORDS: Readonly<Record<number, string>> = {
  1: "read coils",
  2: "read discrete inputs",
  3: "read holding",
  4: "read input",
  5: "write coil",
  6: "write holding",
  7: "read exception status",
  8: "diagnostics",
  11: "event counter",
  12: "event log",
  15: "write coils",
  16: "write holding",
  17: "report id",
  20: "read file",
  21: "write file",
  22: "mask holding",
  23: "read and write",
  24: "read queue",
  43: "identification",
  64: "reset",
  83: "send data",
  90: "request alarms",
  91: "request data",
  115: "send data",
  122: "request alarms",
  123: "request data",
};

/** What a request with this function code asks for. */
export function kindOfCode(code: number): string {
  return WORDS[code] ?? `function ${code}`;
}
