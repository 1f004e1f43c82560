// SPDX-License-Identifier: MIT
// A flash image on the emulated chip, with a gateway of few words on its line.
//
// Lateness is from the match of alarm 0 to the start of the handler's first instruction.

import { readFileSync } from "node:fs";
import { createFrameDecoder, createFrameEncoder } from "../../gateway/frame.ts";
import { type Core, type CoreWatch, createCore } from "../../host-sim/chips/armv6m/core.ts";
import {
  createRp2040,
  FLASH_BYTES,
  loadUf2,
  type Rp2040,
} from "../../host-sim/chips/rp2040/index.ts";
import { formatOf } from "../../host-sim/chips/rp2040/serial.ts";
import { readAddresses } from "../../scripts/build/elf.ts";
import type { Rp2040Image } from "../../scripts/build/rp2040.ts";

const SRAM = 0x20000000;
const TICK = 16; // exception of TIMER alarm 0
const FORMAT = formatOf(115_200, "8N1");
const CHARACTER_NS = Math.ceil(10 * FORMAT.bitNs);
const [TX, RX] = [0, 1];

const nothing = (): void => undefined;
const DEAF: CoreWatch = {
  ...{ pended: nothing, entered: nothing, left: nothing },
  ...{ slept: nothing, woke: nothing, masked: nothing },
};

export interface Running extends Ticking {
  messages: Uint8Array[]; // of the node, frames that check
  damaged(): number;
  symbol(name: string): number; // its address
  words(symbol: string, count: number): number[];
  say(bytes: Uint8Array): void; // octets on the line, one after the other
}

/**
 * Powers a chip up; `answers` plays the gateway; `patch` changes the flash after the image was loaded. With `faults`
 * a HardFault and lock-up are as on silicon, else they end the run.
 */
export function start(
  image: Rp2040Image,
  flash = emptyFlash(),
  answers = true,
  patch: (flash: Uint8Array) => void = () => undefined,
  faults = false,
): Running {
  loadUf2(readFileSync(image.program), flash);
  patch(flash);
  const messages: Uint8Array[] = [];
  let freeNs = 0;
  const { chip, late, matches } = powerUp(flash, 3, faults);
  for (const pin of [26, 27, 28]) chip.pins.setVolts(pin, 1.6);
  const decoder = createFrameDecoder();
  const encode = createFrameEncoder();
  const say = (bytes: Uint8Array): void => {
    for (const octet of bytes) {
      freeNs = Math.max(freeNs, chip.time.nowNs()) + CHARACTER_NS;
      chip.time.atNs(freeNs, () => void chip.serial.hear(RX, { octet, errors: 0, format: FORMAT }));
    }
  };
  chip.serial.onSay(TX, ({ octet }) =>
    decoder.push(Uint8Array.of(octet), (message) => {
      messages.push(message);
      const answer = answers ? answerTo(message) : undefined;
      if (answer !== undefined) say(encode(answer));
    }),
  );
  const symbols = readAddresses(readFileSync(image.elf));
  const symbol = (name: string): number => symbols.get(name)!;
  const words = (name: string, n: number): number[] => wordsAt(chip, symbol(name), n);
  const damaged = (): number => decoder.counters.badCrc + decoder.counters.badFrame;
  return { chip, late, matches, messages, damaged, symbol, words, say };
}

export interface Ticking {
  chip: Rp2040;
  late: Map<number, number>; // cycles, how often
  matches: number[]; // cycles at which alarm 0 matched
}

/** A chip whose ticks are watched; `faults` as at start(). */
export function powerUp(flash: Uint8Array, seed: number, faults = false): Ticking {
  const late = new Map<number, number>();
  const matches: number[] = [];
  const chip = createRp2040({
    ...{ flash, seed },
    alarmFired: (alarm, cycle) => void (alarm === 0 && matches.push(cycle)),
    makeCore(regions, bus, options) {
      const entered = (exception: number): void => {
        if (exception === TICK) count(late, core.cycle - matches.at(-1)!);
      };
      const taken = { ...options, failOnFault: false, staysLockedUp: true };
      const watch = { ...DEAF, entered };
      const core: Core = createCore(regions, bus, { ...(faults ? taken : options), watch });
      return core;
    },
  });
  return { chip, late, matches };
}

/** Words of SRAM from an address on. */
export function wordsAt(chip: Rp2040, address: number, n: number): number[] {
  const view = new DataView(chip.sram.buffer, chip.sram.byteOffset + address - SRAM);
  return Array.from({ length: n }, (_, i) => view.getUint32(4 * i, true));
}

export function emptyFlash(): Uint8Array {
  return new Uint8Array(FLASH_BYTES).fill(0xff);
}

function count(late: Map<number, number>, cycles: number): void {
  late.set(cycles, (late.get(cycles) ?? 0) + 1);
}

/** MQTT-SN 1.2: will asked for, then accepted; each topic gets an id; QoS 1 is acknowledged. */
export function answerTo(message: Uint8Array): Uint8Array | undefined {
  const body = message[0] === 1 ? message.subarray(3) : message.subarray(1);
  switch (body[0]) {
    case 0x04:
      return Uint8Array.of(2, 0x06); // CONNECT: WILLTOPICREQ
    case 0x07:
      return Uint8Array.of(2, 0x08); // WILLTOPIC: WILLMSGREQ
    case 0x09:
      return Uint8Array.of(3, 0x05, 0); // WILLMSG: CONNACK
    case 0x0a:
      return Uint8Array.of(7, 0x0b, 0, body[4]! + 1, body[3]!, body[4]!, 0); // REGACK
    case 0x0c:
      if ((body[1]! & 0x60) !== 0x20) return undefined;
      return Uint8Array.of(7, 0x0d, body[2]!, body[3]!, body[4]!, body[5]!, 0); // PUBACK
    case 0x12:
      return Uint8Array.of(8, 0x13, 0x20, 0, 99, body[2]!, body[3]!, 0); // SUBACK
    case 0x16:
      return Uint8Array.of(2, 0x17);
    default:
      return undefined;
  }
}
