// SPDX-License-Identifier: MIT
// IO_BANK0 and PADS_BANK0 (datasheet 2.19): registers and interrupts of the pins.
//
// Four events a pin: level low, level high, edge low, edge high; edges are latched. Only the interrupt of
// processor 0 exists here.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import type { PinBank } from "./pin-bank.ts";
import { PIN_COUNT } from "./pins.ts";
import type { Peripheral } from "./peripheral.ts";

const LINE = 13;
const WORDS = 4; // 8 pins a word, 4 events a pin
const EDGES = 0xcccccccc;

interface Events {
  /** INTR: levels as they are, edges as they were latched. */
  raw(word: number): number;
  clear(word: number, bits: number): void;
  /** Takes the pin's level as its interrupt sees it; true: it changed. */
  follow(pin: number): boolean;
}

function createEvents(bank: PinBank): Events {
  const level = (pin: number): number => (bank.status(pin) >> 26) & 1;
  const edges = new Uint32Array(WORDS);
  const levels = Uint8Array.from({ length: PIN_COUNT }, (_, pin) => level(pin));
  return {
    raw(word) {
      let bits = edges[word]!;
      const last = Math.min(8, PIN_COUNT - 8 * word);
      for (let i = 0; i < last; i++) bits |= (levels[8 * word + i] === 1 ? 2 : 1) << (4 * i);
      return bits >>> 0;
    },
    clear: (word, bits) => void (edges[word]! &= ~(bits & EDGES)),
    follow(pin) {
      if (level(pin) === levels[pin]) return false;
      levels[pin] = level(pin);
      edges[pin >> 3]! |= (levels[pin] === 1 ? 8 : 4) << (4 * (pin & 7));
      return true;
    },
  };
}

/** IO_BANK0 after reset: no pin has a function. */
export function createIoBank0({ interrupt, pins }: Context, bank: PinBank): Peripheral {
  bank.resetCtrl();
  const events = createEvents(bank);
  const enable = new Uint32Array(WORDS);
  const force = new Uint32Array(WORDS);
  const status = (word: number): number =>
    ((events.raw(word) & enable[word]!) | force[word]!) >>> 0;

  function update(): void {
    let any = 0;
    for (let word = 0; word < WORDS; word++) any |= status(word);
    interrupt(LINE, any !== 0);
  }

  for (let pin = 0; pin < PIN_COUNT; pin++)
    pins.onInput(pin, () => void (events.follow(pin) && update()));

  function peek(offset: number): number {
    const pin = offset >> 3;
    if (pin < PIN_COUNT) return (offset & 4) === 0 ? bank.status(pin) : bank.ctrl(pin);
    const word = (offset >> 2) & 3;
    const group = offset & ~15;
    if (group === 0xf0) return events.raw(word);
    if (group === 0x100) return enable[word]!;
    if (group === 0x110) return force[word]!;
    return group === 0x120 ? status(word) : unknownRegister("IO_BANK0", offset);
  }

  function write(offset: number, value: number): void {
    const pin = offset >> 3;
    const word = (offset >> 2) & 3;
    const group = offset & ~15;
    if (pin < PIN_COUNT) {
      if ((offset & 4) === 0) return; // STATUS
      bank.setCtrl(pin, value);
      events.follow(pin);
    } else if (group === 0xf0) events.clear(word, value);
    else if (group === 0x100) enable[word] = value;
    else if (group === 0x110) force[word] = value;
    else unknownRegister("IO_BANK0", offset);
    update();
  }

  return { read: peek, peek, write };
}

/** PADS_BANK0 after reset: input enabled, pulled down. */
export function createPadsBank0(bank: PinBank): Peripheral {
  bank.resetPads();
  let voltage = 0;
  let [swclk, swd] = [0xda, 0x5a];
  const pinOf = (offset: number): number => (offset >> 2) - 1;

  function peek(offset: number): number {
    if (offset === 0) return voltage;
    if (pinOf(offset) < PIN_COUNT) return bank.pad(pinOf(offset));
    if (offset === 0x7c) return swclk;
    return offset === 0x80 ? swd : unknownRegister("PADS_BANK0", offset);
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset === 0) {
        if ((value & 1) !== 0) unknownValue("PADS_BANK0", offset, value); // 1.8 V
        voltage = 0;
      } else if (pinOf(offset) < PIN_COUNT) bank.setPad(pinOf(offset), value & 0xff);
      else if (offset === 0x7c) swclk = value & 0xff;
      else if (offset === 0x80) swd = value & 0xff;
      else unknownRegister("PADS_BANK0", offset);
    },
  };
}
