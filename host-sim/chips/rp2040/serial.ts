// SPDX-License-Identifier: MIT
// Characters on the pins of the UARTs.
//
// A character is its bits at the sender's speed; what a receiver of another speed or format makes of it
// is worked out bit by bit, as silicon samples: each bit in its middle. After the character the line is
// taken as high.

import { characterBits, parityBit, type Format } from "../../line/format.ts";
import { FUNCTION_UART, PIN_COUNT, type InnerPins } from "./pins.ts";

export { characterBits, formatOf, type Format, type Parity } from "../../line/format.ts";

/** Errors that ride with a character, in the order of the PL011's data register. */
export const ERROR_FRAME = 1;
export const ERROR_PARITY = 2;
export const ERROR_BREAK = 4;

/** What stood on the line; `errors` are bits the sender or the line spoilt. */
export interface Character {
  octet: number;
  format: Format;
  errors: number;
}

export interface Heard {
  octet: number;
  errors: number;
}

type Receiver = (character: Character) => void;
type Listener = (character: Character) => void;

/** The side of the UARTs: they outlive neither their reset nor the chip's. */
export interface UartLines {
  /** UART n hears what stands on its receive pins from now on; `format` is undefined while it is off. */
  listen(uart: number, receive: Receiver, format: () => Format | undefined): void;
  /** UART n has sent a character. */
  say(uart: number, character: Character): void;
  /** A character found the FIFO of UART n full. */
  lost(uart: number): void;
}

/** Characters of one UART since power-on. */
export interface SerialCounts {
  said: number;
  heard: number; // whether the UART was on or not
  lost: number; // of those, to a full FIFO
}

/** The side of the devices. */
export interface SerialPins {
  /** By UART. */
  readonly counts: readonly Readonly<SerialCounts>[];
  /** A character ends now on a pin; false: no UART hears this pin. */
  hear(pin: number, character: Character): boolean;
  /** How a UART listens at this pin; undefined: none does. */
  listening(pin: number): Format | undefined;
  /** The level that a UART hears there: the wire through input enable and override. */
  level(pin: number): boolean;
  /** Calls when a UART has sent a character on this pin; gives the end of it. */
  onSay(pin: number, call: Listener): () => void;
}

// Datasheet 2.19.2: transmit pins, the receive pin is the next one.
export const TRANSMIT_PINS: readonly (readonly number[])[] = [
  [0, 12, 16, 28],
  [4, 8, 20, 24],
];

// The UART that may listen at a pin; -1: none.
function uartOf(pin: number): number {
  return TRANSMIT_PINS.findIndex((transmit) => transmit.includes(pin - 1));
}

export function createSerial(pins: InnerPins): UartLines & SerialPins {
  const receivers: (Receiver | undefined)[] = [undefined, undefined];
  const formats: (() => Format | undefined)[] = [];
  const listeners = Array.from({ length: PIN_COUNT }, () => new Set<Listener>());
  const counts = receivers.map((): SerialCounts => ({ said: 0, heard: 0, lost: 0 }));
  return {
    counts,
    lost: (uart) => void counts[uart]!.lost++,
    level: (pin) => pins.input(pin),
    listening(pin) {
      const uart = uartOf(pin);
      return pins.selected(pin) === FUNCTION_UART ? formats[uart]?.() : undefined;
    },
    listen(uart, receive, format) {
      receivers[uart] = receive;
      formats[uart] = format;
    },
    say(uart, character) {
      counts[uart]!.said++;
      for (const pin of TRANSMIT_PINS[uart]!)
        if (pins.selected(pin) === FUNCTION_UART)
          for (const call of listeners[pin]!) call(character);
    },
    hear(pin, character) {
      const uart = uartOf(pin);
      const receive = receivers[uart];
      if (receive === undefined || pins.selected(pin) !== FUNCTION_UART) return false;
      counts[uart]!.heard++;
      receive(character);
      return true;
    },
    onSay(pin, call) {
      listeners[pin]!.add(call);
      return () => void listeners[pin]!.delete(call);
    },
  };
}

// The bits of a character in the order they are sent, start first, bit 0 of the result.
function bitsOf({ octet, format, errors }: Character): number {
  if ((errors & ERROR_BREAK) !== 0) return 0;
  const { dataBits, parity } = format;
  const data = octet & ((1 << dataBits) - 1);
  let bits = data << 1;
  let at = 1 + dataBits;
  if (parity !== "none") {
    const right = parityBit(data, parity);
    bits |= ((errors & ERROR_PARITY) !== 0 ? right ^ 1 : right) << at++;
  }
  return (errors & ERROR_FRAME) !== 0 ? bits : bits | (3 << at);
}

/** What a receiver of this format makes of a character. */
export function hearAs(character: Character, format: Format): Heard {
  const bits = bitsOf(character);
  const length = characterBits(character.format);
  const ratio = format.bitNs / character.format.bitNs;
  const sample = (index: number): number => {
    const at = Math.floor((index + 0.5) * ratio);
    return at < length || (character.errors & ERROR_BREAK) !== 0 ? (bits >> at) & 1 : 1;
  };
  let [octet, at, high] = [0, 1, 0];
  for (let bit = 0; bit < format.dataBits; bit++, at++) octet |= sample(at) << bit;
  let errors = 0;
  if (format.parity !== "none") {
    high = sample(at++);
    if (high !== parityBit(octet, format.parity)) errors |= ERROR_PARITY;
  }
  if (sample(at) === 0) errors |= ERROR_FRAME;
  // Low from start to stop: a break; it is one character of 0 and no more.
  if ((errors & ERROR_FRAME) !== 0 && octet === 0 && high === 0) errors |= ERROR_BREAK;
  return { octet, errors };
}
