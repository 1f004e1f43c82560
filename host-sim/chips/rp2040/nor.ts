// SPDX-License-Identifier: MIT
// Serial NOR flash as on a Pico: W25Q16JV, typical times, single-bit commands.
//
// Spec: W25Q16JV data sheet, commands of section 8. Programming clears bits within a page, erasing sets a
// sector or a block; both need the write enable latch and take time. A power cut in the middle leaves a
// torn state: a program has cleared some of its bits; an erase first clears bits, then sets them.
// (F1) while busy only the status may be read; anything else is a failure of firmware.
// (F2) the bytes change when the operation ends, or when the power goes.

import type { Prng } from "../../prng.ts";
import { ChipFailure, type Alarm } from "./peripheral.ts";
import type { ChipTime } from "./time.ts";

export const PAGE_BYTES = 256;
export const SECTOR_BYTES = 4096;
const JEDEC = [0xef, 0x40, 0x15];
const ERASE_BYTES: Readonly<Record<number, number>> = {
  0x20: SECTOR_BYTES,
  0x52: 32768,
  0xd8: 65536,
};
const ERASE_NS: Readonly<Record<number, number>> = { 0x20: 45e6, 0x52: 120e6, 0xd8: 150e6 };
const PROGRAM_NS = 400e3;
const ERASE_CLEARS = 0.2; // part of an erase in which bits are cleared first

export interface NorCounts {
  erases: number;
  programs: number;
}

export interface Nor {
  /** All octets; whoever powers the chip anew gives the same array. */
  readonly bytes: Uint8Array;
  readonly counts: Readonly<NorCounts>;
  busy(): boolean;
  /** Chip select falls. */
  select(): void;
  /** One octet each way. */
  exchange(octet: number): number;
  /** Chip select rises: what was sent takes effect. */
  deselect(): void;
  /** The chip is reset in the middle of a command: chip select rises, what is incomplete is ignored. */
  abandon(): void;
  /** The power goes: an operation under way stays torn (F2). */
  cutPower(): void;
}

interface Operation {
  kind: "erase" | "program";
  address: number;
  data: Uint8Array; // of a program, one page; FF where nothing was sent
  bytes: number; // of an erase
  startNs: number;
  lengthNs: number;
  alarm: Alarm;
}

interface State {
  readonly bytes: Uint8Array;
  readonly time: ChipTime;
  readonly prng: Prng;
  readonly pace: number;
  readonly uniqueId: Uint8Array;
  readonly sent: number[];
  readonly counts: NorCounts;
  enabled: boolean; // write enable latch
  operation: Operation | undefined;
}

/** `prng` makes the unique id and the torn states; `pace` is how many times the typical time a write takes. */
export function createNor(bytes: Uint8Array, time: ChipTime, prng: Prng, pace = 1): Nor {
  const uniqueId = new Uint8Array(8);
  prng.fork("unique id").fill(uniqueId);
  const state: State = {
    bytes,
    time,
    prng: prng.fork("torn"),
    pace,
    uniqueId,
    sent: [],
    counts: { erases: 0, programs: 0 },
    enabled: false,
    operation: undefined,
  };
  return {
    bytes,
    counts: state.counts,
    busy: () => state.operation !== undefined,
    select: () => void (state.sent.length = 0),
    exchange: (octet) => exchange(state, octet),
    deselect: () => deselect(state),
    abandon() {
      const { sent } = state;
      const whole = sent[0] === 0x02 ? sent.length > 4 : sent.length === 4;
      if (whole && state.enabled) deselect(state);
      sent.length = 0;
    },
    cutPower() {
      const { operation } = state;
      if (operation === undefined) return;
      operation.alarm.cancel();
      tear(state, operation);
      state.operation = undefined;
    },
  };
}

function exchange(state: State, octet: number): number {
  const { sent, bytes } = state;
  const at = sent.length; // of this octet
  // A read may go on for the whole chip: only its head is kept.
  if (at < 5 + PAGE_BYTES) sent.push(octet);
  else if (sent[0] === 0x02) throw new ChipFailure("flash: more than a page in one program");
  const command = sent[0]!;
  if (command === 0x05) return at === 0 ? 0xff : status(state);
  if (state.operation !== undefined)
    throw new ChipFailure(`flash: command 0x${command.toString(16)} while it is busy`); // (F1)
  if (at === 0) return 0xff;
  if (command === 0x03 && at >= 4) {
    const value = bytes[address(state) % bytes.length]!;
    if (at >= 5) sent.pop();
    advance(state);
    return value;
  }
  if (command === 0x9f) return JEDEC[at - 1] ?? 0;
  if (command === 0x4b && at >= 5) return state.uniqueId[(at - 5) & 7]!;
  return 0xff;
}

function status(state: State): number {
  return (state.operation !== undefined ? 1 : 0) | (state.enabled ? 2 : 0);
}

function address({ sent }: State): number {
  return (sent[1]! << 16) | (sent[2]! << 8) | sent[3]!;
}

// The next octet of a read: the address counts up inside the chip.
function advance(state: State): void {
  const next = address(state) + 1;
  state.sent[1] = (next >> 16) & 0xff;
  state.sent[2] = (next >> 8) & 0xff;
  state.sent[3] = next & 0xff;
}

function deselect(state: State): void {
  const { sent } = state;
  const command = sent[0];
  if (command === undefined || state.operation !== undefined) return;
  act(state, command);
  sent.length = 0;
}

function act(state: State, command: number): void {
  if (command === 0x06) state.enabled = true;
  else if (command === 0x04) state.enabled = false;
  else if (command === 0x02) startProgram(state);
  else if (ERASE_BYTES[command] !== undefined) startErase(state, command);
  else if (![0x03, 0x05, 0x9f, 0x4b, 0xff].includes(command))
    throw new ChipFailure(`flash: command 0x${command.toString(16)} is not modelled`);
}

function startErase(state: State, command: number): void {
  const bytes = ERASE_BYTES[command]!;
  if (state.sent.length !== 4)
    throw new ChipFailure("flash: an erase with more or less than 3 octets");
  refuseLatched(state);
  state.counts.erases++;
  start(state, {
    kind: "erase",
    address: (address(state) & ~(bytes - 1)) % state.bytes.length,
    data: new Uint8Array(0),
    bytes,
    lengthNs: ERASE_NS[command]!,
  });
}

function startProgram(state: State): void {
  const { sent } = state;
  if (sent.length < 5) throw new ChipFailure("flash: a program without data");
  if (sent.length > 4 + PAGE_BYTES) throw new ChipFailure("flash: more than a page in one program");
  refuseLatched(state);
  state.counts.programs++;
  const data = new Uint8Array(PAGE_BYTES).fill(0xff);
  const first = sent[3]!;
  // Beyond the end of the page it goes on at its start.
  for (let i = 4; i < sent.length; i++) data[(first + i - 4) & 0xff] = sent[i]!;
  const page = (address(state) & ~0xff) % state.bytes.length;
  start(state, { kind: "program", address: page, data, bytes: PAGE_BYTES, lengthNs: PROGRAM_NS });
}

function refuseLatched(state: State): void {
  if (!state.enabled) throw new ChipFailure("flash: erase or program without write enable");
}

function start(state: State, what: Omit<Operation, "startNs" | "alarm">): void {
  const startNs = state.time.nowNs();
  const lengthNs = what.lengthNs * state.pace;
  const alarm = state.time.atNs(startNs + lengthNs, () => {
    finish(state, what);
    state.operation = undefined;
    state.enabled = false;
  });
  state.operation = { ...what, lengthNs, startNs, alarm };
}

function finish(
  { bytes }: State,
  { kind, address, data, bytes: count }: Omit<Operation, "startNs" | "alarm">,
): void {
  if (kind === "erase") bytes.fill(0xff, address, address + count);
  else for (let i = 0; i < PAGE_BYTES; i++) bytes[address + i]! &= data[i]!;
}

// Each bit that would have changed has changed with the part of the time that was given.
function tear(state: State, operation: Operation): void {
  const { bytes, prng, time } = state;
  const part = Math.min(1, (time.nowNs() - operation.startNs) / operation.lengthNs);
  for (let i = 0; i < operation.bytes; i++) {
    const old = bytes[operation.address + i]!;
    if (operation.kind === "program")
      bytes[operation.address + i] = old & (operation.data[i]! | ~randomBits(prng, part));
    else if (part < ERASE_CLEARS)
      bytes[operation.address + i] = old & ~randomBits(prng, part / ERASE_CLEARS);
    else
      bytes[operation.address + i] = randomBits(prng, (part - ERASE_CLEARS) / (1 - ERASE_CLEARS));
  }
}

// An octet whose bits are 1 with this probability.
function randomBits(prng: Prng, probability: number): number {
  let bits = 0;
  for (let bit = 0; bit < 8; bit++) if (prng.chance(probability)) bits |= 1 << bit;
  return bits;
}
