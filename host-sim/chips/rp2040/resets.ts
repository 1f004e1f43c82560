// SPDX-License-Identifier: MIT
// RESETS (datasheet 2.14): which blocks are held.
//
// A block that is held answers nobody and does nothing; released, it is as after power-on. DONE follows
// at once. After power-on and the boot ROM all are held but those the ROM needs.

import { unknownRegister } from "./context.ts";
import type { Peripheral } from "./peripheral.ts";

export const RESETS_ALL = 0x1ffffff;
const AFTER_ROM = RESETS_ALL & ~((1 << 6) | (1 << 9)); // io_qspi and pads_qspi run

/** `held` hears of each change: bits that are now held. */
export function createResets(held: (mask: number) => void): Peripheral {
  let reset = AFTER_ROM;
  let watchdogSelect = 0;
  held(reset);

  function peek(offset: number): number {
    if (offset === 0) return reset;
    if (offset === 4) return watchdogSelect;
    return offset === 8 ? ~reset & RESETS_ALL : unknownRegister("RESETS", offset);
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset === 0) {
        reset = value & RESETS_ALL;
        held(reset);
      } else if (offset === 4) watchdogSelect = value & RESETS_ALL;
      else unknownRegister("RESETS", offset);
    },
  };
}
