// SPDX-License-Identifier: MIT
// A serial line between two ends with character timing; a tap hears both.
//
// What an end says is on the wire for one character time an octet, one after the other, and reaches the
// other end when it is over. The tap hears it then, with that time. Both ends may talk at once: it is two
// pairs of wires, and one UART that listens to both. Bounded: WIRE_CHARACTERS_MAX each way and for the
// tap; more are lost and counted, and what the tap hears next carries the overrun flag.

import { TAP_FLAG_OVERRUN } from "../../firmware/wire/tap.ts";
import { WIRE_CHARACTERS_MAX } from "../limits.ts";
import { createNothing, type Device } from "./device.ts";

export type End = 0 | 1;
const NODE = 2; // says what both ends hear
type Source = End | typeof NODE;

interface Character {
  endUs: number;
  byte: number;
  flags: number; // TAP_FLAG_*
}

export interface Wire {
  /** The machine that a node's tap listens to. */
  readonly device: Device;
  /** An end says octets now. */
  say(from: End, bytes: Uint8Array, nowUs: number): void;
  /** Hands over the characters that are through by now, in order of time, with the end they reach. */
  deliver(nowUs: number, reach: (to: End, byte: number) => void): void;
  /** Is called whenever the node says something: nextDueUs() may be earlier then. */
  whenAsked(call: () => void): void;
  /** When the next character is through, Infinity: none is under way. */
  nextDueUs(): number;
  /** Characters lost to a full queue. */
  dropped(): number;
}

/** Time of one character in µs; `format` as 8N1, 8E1, 8N2. */
export function characterUs(baud: number, format: string): number {
  const dataBits = Number(format[0]);
  const parityBits = format[1] === "N" ? 0 : 1;
  return ((1 + dataBits + parityBits + Number(format[2])) * 1_000_000) / baud;
}

/** A silent line of this speed, heard on this tap. */
export function createWire(tap: number, baud: number, format: string): Wire {
  const perCharacterUs = characterUs(baud, format);
  const underWay: [Character[], Character[], Character[]] = [[], [], []]; // by who said it
  const freeUs: [number, number] = [0, 0]; // until then the end is still talking
  const ear = createEar(tap);
  let dropped = 0;
  let asked = (): void => undefined;

  function earliest(): Source | undefined {
    let first: Source | undefined;
    for (const source of [0, 1, NODE] as const) {
      const endUs = underWay[source][0]?.endUs ?? Infinity;
      if (endUs < (first === undefined ? Infinity : underWay[first][0]!.endUs)) first = source;
    }
    return first;
  }

  return {
    device: {
      ...createNothing(),
      advance: ear.advance,
      hear(on, endUs, byte, flags) {
        if (on !== tap) return;
        if (underWay[NODE].length < WIRE_CHARACTERS_MAX)
          underWay[NODE].push({ endUs, byte, flags });
        else dropped++;
        asked();
      },
    },
    whenAsked: (call) => void (asked = call),
    say(from, bytes, nowUs) {
      for (const byte of bytes) {
        if (underWay[from].length >= WIRE_CHARACTERS_MAX) {
          dropped++;
          continue;
        }
        freeUs[from] = Math.max(freeUs[from], nowUs) + perCharacterUs;
        underWay[from].push({ endUs: Math.round(freeUs[from]), byte, flags: 0 });
      }
    },
    deliver(nowUs, reach) {
      for (let from = earliest(); from !== undefined; from = earliest()) {
        const character = underWay[from][0]!;
        if (character.endUs > nowUs) return;
        underWay[from].shift();
        if (from !== NODE && !ear.hear(character)) dropped++;
        for (const to of [1, 0] as const) if (to !== from) reach(to, character.byte);
      }
    },
    nextDueUs() {
      const from = earliest();
      return from === undefined ? Infinity : underWay[from][0]!.endUs;
    },
    dropped: () => dropped,
  };
}

interface Ear {
  /** False: full, the character is lost. */
  hear(character: Character): boolean;
  advance: Device["advance"];
}

// What the tap heard and its node has not taken yet.
function createEar(tap: number): Ear {
  const heard: Character[] = [];
  let overrun = false; // a character was lost since the last one that fitted
  return {
    hear(character) {
      const fits = heard.length < WIRE_CHARACTERS_MAX;
      if (fits && overrun) character.flags |= TAP_FLAG_OVERRUN;
      if (fits) heard.push(character);
      overrun = !fits;
      return fits;
    },
    advance(nowUs, sink) {
      let count = 0;
      for (const { endUs, byte, flags } of heard) {
        if (endUs > nowUs) break;
        sink(tap, endUs, byte, flags);
        count++;
      }
      if (count > 0) heard.splice(0, count);
    },
  };
}
