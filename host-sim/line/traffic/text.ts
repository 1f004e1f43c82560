// SPDX-License-Identifier: MIT
// Machines that print lines: scales, multimeters, loggers, NMEA 0183.
//
// One way, each line by itself. The layouts are those that scales and instruments share; see the captures
// for real ones.

import type { Prng } from "../../prng.ts";
import { ascii, digits, hexDigits, xor8, type Message } from "./message.ts";

type Print = (prng: Prng, value: number, count: number) => string;

const SIGNS = ["+", "-"];

// A line of `count`, with a value that walks.
const PRINTERS: readonly Print[] = [
  (prng, value) =>
    `${SIGNS[prng.below(2)]}${digits(value, 4)}.${digits(prng.below(100), 2)} G S\r\n`,
  (prng, value) => `ST,+${digits(value, 5)}.${digits(prng.below(100), 2)}  g\r\n`,
  (_, value) => `S S ${String(value / 100).padStart(10)} kg\r\n`,
  (prng, value, count) =>
    `${digits(count, 6)};T=${(value / 10).toFixed(1)};H=${40 + prng.below(20)};OK\r\n`,
  (prng, value) => `${digits(value, 5)}${digits(prng.below(10_000_000), 7)}\r\n`,
  (_, value) => `X= ${(value / 1000).toFixed(4).padStart(10)} Y= ${(value / 777).toFixed(4)}\r\n`,
];

/** Lines of one printer. */
export function textLines(prng: Prng, exchanges: number): Message[] {
  const print = PRINTERS[prng.below(PRINTERS.length)]!;
  let value = 100 + prng.below(8000);
  return Array.from({ length: exchanges }, (_, i): Message => {
    value = Math.max(0, value + prng.below(41) - 20);
    return { from: 0, octets: ascii(print(prng, value, i)) };
  });
}

const SENTENCES: readonly Print[] = [
  (prng, value, count) =>
    `GPRMC,${digits(61_500 + (count % 60), 6)}.000,A,4530.${digits(value, 4)},N,` +
    `12240.${digits(prng.below(10_000), 4)},W,0.02,${prng.below(360)}.97,260813,,,D`,
  (prng, value, count) =>
    `GPGGA,${digits(61_500 + (count % 60), 6)}.000,4530.${digits(value, 4)},N,` +
    `12240.8051,W,2,0${4 + prng.below(6)},0.97,51.${prng.below(10)},M,-19.7,M,0000,0000`,
  (prng) => `HEHDT,${prng.below(360)}.${prng.below(10)},T`,
  (prng) => `WIMWV,${prng.below(360)}.0,R,${prng.below(40)}.${prng.below(10)},N,A`,
];

/** Sentences with their checksums. */
export function nmea(prng: Prng, exchanges: number): Message[] {
  let value = prng.below(10_000);
  return Array.from({ length: exchanges }, (_, i): Message => {
    value = (value + prng.below(5)) % 10_000;
    const body = SENTENCES[prng.below(SENTENCES.length)]!(prng, value, i);
    return { from: 0, octets: ascii(`$${body}*${hexDigits(xor8(ascii(body)), 2)}\r\n`) };
  });
}
