// SPDX-License-Identifier: MIT
// Words of what a tap says of its line, by their numbers.
//
// Spec: SPEC.md §16, form 0; protocols are those of tap.ts, as node.json has them. An empty word: none, or not
// known. For those who show or set them: the firmware carries numbers only, so it never imports this.

export const LINE_FORMATS = ["", "7E1", "7O1", "8N1", "8E1", "8O1", "9N1", "8N2"] as const;

export const LINE_PROTOCOLS = [
  "",
  "modbus-rtu",
  "modbus-ascii",
  "ascii-line",
  "nmea",
  "dsmr-p1",
  "iec62056-21",
  "sml",
  "m-bus",
  "df1",
  "host-link",
  "3964r",
  "uss",
  "melsec-fx",
  "toledo-continuous",
] as const;

export const LINE_PHASES = ["listening", "line", "protocol", "changed", "none"] as const;
