// SPDX-License-Identifier: MIT
// Names of the boards, all that a node can be built for, in one place.

export const RP2040_BOARDS: readonly string[] = ["pico", "w5500-evb-pico"];
/** Boards whose program is JavaScript. */
export const JS_BOARDS: readonly string[] = [
  "kaluma-pico",
  "kaluma-pico2w",
  "espruino-esp32c3",
  "espruino-rp2040",
  "espruino-esp32",
];
export const BOARD_NAMES: readonly string[] = ["posix", ...RP2040_BOARDS, ...JS_BOARDS];

export function isJsBoard(board: string | undefined): boolean {
  return board !== undefined && JS_BOARDS.includes(board);
}
