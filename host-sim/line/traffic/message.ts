// SPDX-License-Identifier: MIT
// What traffic is made of, and the checks that protocols put behind their frames.
//
// Traffic is a list of messages; who speaks and how long the line rests before are part of it. All values
// are the prng's. The checks are written from the standards and share nothing with the firmware.

import type { Prng } from "../../prng.ts";

export interface Message {
  from: 0 | 1; // 0 asks, or is the only one that speaks
  octets: number[];
}

/** So many exchanges of a protocol; those that belong together stand one after the other. */
export type Traffic = (prng: Prng, exchanges: number) => Message[];

/** A CRC of 16 bits with its lowest bit first. */
export function crc16(octets: Iterable<number>, polynomial: number, start: number): number {
  let crc = start;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return crc;
}

/** CRC-16/X-25, as SML has it. */
export function crcX25(octets: Iterable<number>): number {
  return crc16(octets, 0x8408, 0xffff) ^ 0xffff;
}

export function sum8(octets: Iterable<number>): number {
  let sum = 0;
  for (const octet of octets) sum = (sum + octet) & 0xff;
  return sum;
}

export function xor8(octets: Iterable<number>): number {
  let all = 0;
  for (const octet of octets) all ^= octet;
  return all;
}

/** The octets of ASCII text. */
export function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** `bytes` octets of a number, lowest first. */
export function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
}

/** A number with so many digits, as text. */
export function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}

export function hexDigits(value: number, count: number): string {
  return value.toString(16).toUpperCase().padStart(count, "0");
}
