// SPDX-License-Identifier: MIT
// Modbus units on a line that a node polls: they answer reads, values move.
//
// Spec: Modbus application protocol 1.1b3 §6.1 to 6.4, §7; over serial line 1.02 §2.5. RTU and ASCII. Which registers
// there are is told; each moves as a triangle of its own period, coils turn over. A unit answers what lies within its
// registers of that table, exception 2 outside, exception 1 to all but reads, and nothing to a frame that is damaged.
// Half duplex: who asks does not hear itself, but with `echo`. Computed with + - * / only. Bounded: SAID_MAX.

import type { Prng } from "../prng.ts";
import type { Device } from "./device.ts";
import { characterUs as characterUsOf } from "./wire.ts";

const ANSWER_US = { min: 3_000, spread: 4_000 };
const SAID_MAX = 2048; // characters under way; more are not said
const ASKED_MAX = 1000;
const QUESTION_BYTES = 8;
const SILENCE_CHARACTERS = 3.5;
const WAVE_US = 20_000_000;
const WAVE_STEP_US = 7_000_000; // each register is so much slower than the one before
const COIL_US = 5_000_000;
const RECIPE_SPAN = 100; // of a level: a text changes so often
const LEVEL = { low: 100, span: 800 };

/** A value of a unit, as a channel of node.json names it. */
export interface SlaveRegister {
  unit: number;
  code: number; // function code that reads it, 1..4
  address: number;
  type: "u16" | "i16" | "u32" | "i32" | "f32" | "u64" | "i64" | "f64" | "text";
  order: number; // 0 ABCD, 1 CDAB, 2 BADC, 3 DCBA
  registers?: number; // of a text
}

export interface SlavesSetup {
  tap: number;
  baud: number;
  format: string;
  ascii: boolean;
  registers: readonly SlaveRegister[];
  echo?: boolean; // the node hears what it sends
}

export interface Slaves extends Device {
  /** What a register, or a bit, has at a time; undefined: there is none. */
  holds(unit: number, code: number, address: number, atUs: number): number | undefined;
  /** A unit says nothing, until it is let. */
  silence(unit: number, on: boolean): void;
  /** The latest questions that were heard whole. */
  readonly asked: readonly Asked[];
}

/** A question, without its check. */
export interface Asked {
  atUs: number; // its end; what it is answered with is of this time
  octets: readonly number[];
}

/** The units of these registers. */
export function createSlaves(setup: SlavesSetup, prng: Prng): Slaves {
  const { tap, ascii, echo = false } = setup;
  const perCharacterUs = characterUsOf(setup.baud, setup.format);
  const said: { endUs: number; byte: number }[] = []; // in order of time
  const silent = new Set<number>();
  const asked: Asked[] = [];
  let heard: number[] = [];
  let heardUs = 0;

  function say(octets: Iterable<number>, startUs: number): void {
    let endUs = Math.max(startUs, said.at(-1)?.endUs ?? 0);
    for (const byte of octets) {
      endUs += perCharacterUs;
      if (said.length < SAID_MAX) said.push({ endUs: Math.round(endUs), byte });
    }
  }

  function answer(question: readonly number[], nowUs: number): void {
    const [unit = 0, code = 0] = question;
    asked.push({ atUs: nowUs, octets: question });
    if (asked.length > ASKED_MAX) asked.shift();
    if (silent.has(unit) || !setup.registers.some((one) => one.unit === unit)) return;
    const octets = answerTo(setup.registers, question, nowUs);
    const body = [unit, ...(octets.length === 1 ? [code | 0x80] : [code]), ...octets];
    say(ascii ? toText(body) : withCrc(body), nowUs + ANSWER_US.min + prng.below(ANSWER_US.spread));
  }

  return {
    advance(nowUs, sink) {
      let count = 0;
      for (const { endUs, byte } of said) {
        if (endUs > nowUs) break;
        sink(tap, endUs, byte, 0);
        count++;
      }
      said.splice(0, count);
    },
    adc: () => -1,
    pwm: () => undefined,
    hear(on, endUs, byte) {
      if (on !== tap) return;
      if (echo) say([byte], endUs - perCharacterUs);
      if (!ascii && endUs - heardUs > (1 + SILENCE_CHARACTERS) * perCharacterUs) heard = [];
      heardUs = endUs;
      heard.push(byte);
      const question = ascii ? fromText(heard) : fromRtu(heard);
      if (question === undefined) return;
      heard = [];
      answer(question, endUs);
    },
    holds(unit, code, address, atUs) {
      const values = valuesOf(setup.registers, unit, code, atUs);
      return values.get(address);
    },
    silence: (unit, on) => void (on ? silent.add(unit) : silent.delete(unit)),
    asked,
  };
}

// Octets behind unit and code; one alone is the reason of an exception.
function answerTo(
  registers: readonly SlaveRegister[],
  [unit = 0, code = 0, high = 0, low = 0, quantityHigh = 0, quantityLow = 0]: readonly number[],
  nowUs: number,
): number[] {
  if (code < 1 || code > 4) return [1];
  const [address, quantity] = [high * 256 + low, quantityHigh * 256 + quantityLow];
  const values = valuesOf(registers, unit, code, nowUs);
  const wanted = Array.from({ length: quantity }, (_, i) => values.get(address + i));
  const known = [...values.keys()];
  const inside = address >= Math.min(...known) && address + quantity - 1 <= Math.max(...known);
  if (!inside || quantity === 0) return [2];
  if (code > 2) return [2 * quantity, ...wanted.flatMap((value = 0) => [value >> 8, value & 255])];
  const octets = Array.from({ length: Math.ceil(quantity / 8) }, (_, octet) =>
    wanted.slice(8 * octet, 8 * octet + 8).reduce((sum: number, bit = 0, i) => sum + (bit << i), 0),
  );
  return [octets.length, ...octets];
}

// By address: registers of 16 bits, or bits.
function valuesOf(
  registers: readonly SlaveRegister[],
  unit: number,
  code: number,
  atUs: number,
): Map<number, number> {
  const values = new Map<number, number>();
  registers.forEach((one, index) => {
    if (one.unit !== unit || one.code !== code) return;
    if (code <= 2) return void values.set(one.address, Math.floor(atUs / COIL_US + index) % 2);
    wordsOf(one, levelAt(index, atUs)).forEach((word, i) => values.set(one.address + i, word));
  });
  return values;
}

function levelAt(index: number, atUs: number): number {
  const periodUs = WAVE_US + index * WAVE_STEP_US;
  const phase = (atUs % periodUs) / periodUs;
  return LEVEL.low + LEVEL.span * (phase < 0.5 ? 2 * phase : 2 - 2 * phase);
}

// Registers of a value, first to last.
function wordsOf({ type, order, registers = 1 }: SlaveRegister, level: number): number[] {
  const bits = type === "text" ? 16 * registers : Number(type.slice(1));
  const view = new DataView(new ArrayBuffer(bits / 8));
  const whole = Math.floor(level);
  if (type === "text") {
    const text = `R${Math.floor(level / RECIPE_SPAN)}`.padEnd(2 * registers);
    for (let i = 0; i < 2 * registers; i++) view.setUint8(i, text.charCodeAt(i));
    return wordsIn(view, order);
  }
  if (type === "f32") view.setFloat32(0, level);
  else if (type === "f64") view.setFloat64(0, level);
  else if (bits === 64) view.setBigUint64(0, BigInt(whole));
  else if (bits === 32) view.setUint32(0, whole);
  else view.setUint16(0, whole);
  return wordsIn(view, order);
}

function wordsIn(view: DataView, order: number): number[] {
  const words = Array.from({ length: view.byteLength / 2 }, (_, i) =>
    view.getUint16(2 * i, (order & 2) !== 0),
  );
  return (order & 1) !== 0 ? words.toReversed() : words;
}

// ---- framing

function fromRtu(heard: readonly number[]): number[] | undefined {
  if (heard.length !== QUESTION_BYTES) return undefined;
  const body = heard.slice(0, -2);
  return withCrc(body).every((octet, i) => octet === heard[i]) ? body : undefined;
}

function withCrc(body: readonly number[]): number[] {
  let crc = 0xffff;
  for (const octet of body) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc % 2 === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return [...body, crc & 255, crc >> 8];
}

function fromText(heard: number[]): number[] | undefined {
  if (heard.at(-1) === 0x3a) heard.splice(0, heard.length - 1);
  const text = String.fromCharCode(...heard);
  const match = /^:((?:[0-9A-F]{2})+)\r\n$/.exec(text);
  if (match === null) return undefined;
  const octets = [...Buffer.from(match[1]!, "hex")];
  const sum = octets.reduce((all, octet) => all + octet, 0);
  return sum % 256 === 0 ? octets.slice(0, -1) : undefined;
}

function toText(body: readonly number[]): number[] {
  const sum = body.reduce((all, octet) => all + octet, 0);
  const octets = Buffer.from([...body, (256 - (sum % 256)) % 256]);
  return [...Buffer.from(`:${octets.toString("hex").toUpperCase()}\r\n`)];
}
