// SPDX-License-Identifier: MIT
// A W5500 on SPI 0 and four pins of an RP2040.
//
// The chip outlives resets of the processor: its reset pin is what resets it. A pin that nobody drives is high, as
// the board's resistors have it.

import type { Rp2040 } from "../rp2040/index.ts";
import { createW5500, type EthernetPort, type W5500 } from "./index.ts";

/** GPIOs, as in the board's JSON. */
export interface W5500Pins {
  miso: number;
  mosi: number;
  sck: number;
  cs: number;
  reset: number;
  interrupt: number;
}

/** Attaches it from now on. */
export function attachW5500(chip: Rp2040, pins: W5500Pins, port: EthernetPort): W5500 {
  const ethernet = createW5500(port, {
    after: (ns, call) => void chip.time.atNs(chip.time.nowNs() + ns, call),
    interrupt: (low) => chip.pins.drive(pins.interrupt, !low),
  });
  chip.blocks.attachSpi(0, {
    pins: [pins.sck, pins.mosi, pins.miso],
    exchange: (sent) => ethernet.exchange(sent),
  });
  chip.pins.onChange(pins.cs, (level, driven) => ethernet.select(driven && !level));
  chip.pins.onChange(pins.reset, (level, driven) => ethernet.reset(driven && !level));
  return ethernet;
}
