// SPDX-License-Identifier: MIT
// A Modbus master that polls its units in turn, and their answers; RTU and ASCII.
//
// Spec: Modbus Application Protocol 1.1b3 §6, Modbus over Serial Line 1.02 §2.5. A plan of polls is made
// once and goes round; registers walk slowly. Now and then a write or an exception.

import type { Prng } from "../../prng.ts";
import { ascii, crc16, hexDigits, sum8, type Message } from "./message.ts";

const UNITS_MAX = 5;
const POLLS_MAX = 6;
const QUANTITY_MAX = 20;
const WRITE_CHANCE = 0.1;
const EXCEPTION_CHANCE = 0.04;

interface Poll {
  unit: number;
  code: number; // 1 to 4
  address: number;
  values: number[];
}

type Wrap = (octets: number[]) => number[];

/** RTU: the octets and their CRC. */
export function modbusRtu(prng: Prng, exchanges: number): Message[] {
  return exchange(prng, exchanges, (octets) => [...octets, ...low(crc16(octets, 0xa001, 0xffff))]);
}

/** ASCII: a colon, hexadecimal digits, LRC, CR LF. */
export function modbusAscii(prng: Prng, exchanges: number): Message[] {
  return exchange(prng, exchanges, (octets) => {
    const lrc = -sum8(octets) & 0xff;
    return ascii(`:${[...octets, lrc].map((octet) => hexDigits(octet, 2)).join("")}\r\n`);
  });
}

function exchange(prng: Prng, exchanges: number, wrap: Wrap): Message[] {
  const polls = Array.from({ length: 1 + prng.below(POLLS_MAX) }, () => makePoll(prng));
  const messages: Message[] = [];
  for (let i = 0; i < exchanges; i++) {
    const poll = polls[i % polls.length]!;
    const [request, answer] = prng.chance(WRITE_CHANCE) ? write(prng, poll) : read(prng, poll);
    messages.push({ from: 0, octets: wrap(request) }, { from: 1, octets: wrap(answer) });
  }
  return messages;
}

function makePoll(prng: Prng): Poll {
  const quantity = 1 + prng.below(QUANTITY_MAX);
  return {
    unit: 1 + prng.below(UNITS_MAX),
    code: 1 + prng.below(4),
    address: prng.below(4000),
    values: Array.from({ length: quantity }, () => prng.below(65_536)),
  };
}

function read(prng: Prng, { unit, code, address, values }: Poll): [number[], number[]] {
  const request = [unit, code, ...high(address), ...high(values.length)];
  if (prng.chance(EXCEPTION_CHANCE)) return [request, [unit, code | 0x80, 2]];
  for (let i = 0; i < values.length; i++)
    values[i] = (values[i]! + prng.below(9) - 4 + 65_536) % 65_536;
  const bytes = Math.ceil(values.length / 8);
  const bits = values.slice(0, bytes).map((value) => value & 0xff);
  bits[bytes - 1]! &= 0xff >> (bytes * 8 - values.length); // beyond the last coil stands 0
  const data = code < 3 ? bits : values.flatMap(high);
  return [request, [unit, code, data.length, ...data]];
}

function write(prng: Prng, { unit, address, values }: Poll): [number[], number[]] {
  const one = [unit, 6, ...high(address), ...high(prng.below(65_536))];
  if (prng.chance(0.5)) return [one, one];
  const head = [unit, 16, ...high(address), ...high(values.length)];
  return [[...head, values.length * 2, ...values.flatMap(high)], head];
}

const high = (word: number): number[] => [word >> 8, word & 0xff];
const low = (word: number): number[] => [word & 0xff, word >> 8];
