// SPDX-License-Identifier: MIT
// Serial lines by seed, and what is wrong with their wires.
//
// Rate, format, polarity, protocol and load, for whatever finds them out: each comes with the truth. One in eight is no serial line.
// Within what real wires do (clocks up to 1.7 % off, edges up to 0.05 bit, space lengthened by up to
// 0.17 bit behind an optical head, stray characters at turn-arounds, rare narrow glitches).

import { createPrng, type Prng } from "../prng.ts";
import { characterBits, formatOf, type Format } from "./format.ts";
import { manchester, noise, pulseWidth, stuffed, type NotUart } from "./not-uart.ts";
import { transmit, type Said } from "./sender.ts";
import { dsmrP1, mBus, sml } from "./traffic/meters.ts";
import type { Message, Traffic } from "./traffic/message.ts";
import { modbusAscii, modbusRtu } from "./traffic/modbus.ts";
import { nmea, textLines } from "./traffic/text.ts";
import { collide, fraction, invert, scatter, stretch, strike, type Wave } from "./wave.ts";

/** What is true of a line; `baud` null: it is no serial line, `protocol` says what it is. */
export interface Truth {
  baud: number | null;
  format: string; // empty without a rate
  inverted: boolean;
  protocol: string; // in the words of node.json
}

export interface RandomLine {
  truth: Truth;
  wave: Wave;
  endNs: number;
  /** What a reader of a failure wants to know. */
  about: string;
}

interface Kind {
  protocol: string;
  traffic: Traffic;
  exchanges: number;
  bauds: readonly number[];
  formats: readonly string[];
  optical: boolean; // may be heard through an infrared head
}

const NOT_UART_CHANCE = 0.125;
const CLOCK_PPM_MAX = 17_000;
const JITTER_BITS_MAX = 0.05;
const STRETCH_BITS_MAX = 0.17;
const LOAD_MIN = 0.1;
const SETTLE_NS = 50e6; // the line rests before and after
const EDGES = 4000; // of what is no serial line

const FIELD = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
const SLOW = [300, 600, 1200, 2400, 4800, 9600];
const TEXT_FORMATS = ["8N1", "7E1", "7O1", "8N2", "8E1"];

const KINDS: readonly Kind[] = [
  kind("modbus-rtu", modbusRtu, 50, FIELD, ["8N1", "8E1", "8O1", "8N2"]),
  kind("modbus-ascii", modbusAscii, 40, FIELD, ["7E1", "7O1", "8N1", "8E1"]),
  kind("ascii-line", textLines, 80, FIELD, TEXT_FORMATS),
  kind("nmea", nmea, 60, [4800, 9600, 38_400, 115_200], ["8N1"]),
  kind("dsmr-p1", dsmrP1, 12, [115_200], ["8N1"]),
  { ...kind("sml", sml, 12, [9600], ["8N1"]), optical: true },
  kind("m-bus", mBus, 30, SLOW, ["8E1"]),
];

const NOT_UARTS: readonly (readonly [name: string, make: NotUart])[] = [
  ["manchester", manchester],
  ["stuffed", stuffed],
  ["pulse-width", pulseWidth],
  ["noise", noise],
];

/** The line of a seed. */
export function randomLine(seed: number): RandomLine {
  const prng = createPrng(seed).fork("line");
  return prng.chance(NOT_UART_CHANCE) ? makeNotUart(prng) : makeLine(prng);
}

function kind(
  protocol: string,
  traffic: Traffic,
  exchanges: number,
  bauds: readonly number[],
  formats: readonly string[],
): Kind {
  return { protocol, traffic, exchanges, bauds, formats, optical: false };
}

function makeNotUart(prng: Prng): RandomLine {
  const [protocol, make] = pick(prng, NOT_UARTS);
  const bitNs = 1e9 / (300 * 400 ** fraction(prng)); // 300 to 120,000 bit/s
  const wave = make(prng, bitNs, EDGES);
  return {
    truth: { baud: null, format: "", inverted: false, protocol },
    wave: prng.chance(0.5) ? invert(wave) : wave,
    endNs: wave.edges.at(-1)! + SETTLE_NS,
    about: `${protocol}, ${Math.round(1e9 / bitNs)} bit/s`,
  };
}

function makeLine(prng: Prng): RandomLine {
  const { protocol, traffic, exchanges, bauds, formats, optical } = pick(prng, KINDS);
  const [baud, name] = [pick(prng, bauds), pick(prng, formats)];
  const format = formatOf(baud, name);
  const load = LOAD_MIN ** fraction(prng);
  const strays = protocol === "modbus-rtu" && prng.chance(0.3);
  const said = schedule(traffic(prng, exchanges), { prng, format, load, strays });
  const jitterBits = JITTER_BITS_MAX * fraction(prng);
  const ppm = said.map(() => Math.round((2 * fraction(prng) - 1) * CLOCK_PPM_MAX));
  const waves = said.map((side, i) =>
    transmit(side, { format, clockPpm: ppm[i]!, jitterBits }, prng),
  );
  let wave = waves.reduce(collide);
  const endNs = wave.edges.at(-1)! + SETTLE_NS;
  const longerBits = optical && prng.chance(0.5) ? STRETCH_BITS_MAX * fraction(prng) : 0;
  if (longerBits > 0) wave = stretch(wave, longerBits * format.bitNs);
  const glitches = prng.chance(0.2) ? Math.ceil(wave.edges.length / 400) : 0;
  const widthNs = (0.03 + 0.1 * fraction(prng)) * format.bitNs;
  if (glitches > 0)
    wave = strike(wave, scatter({ fromNs: 0, toNs: endNs }, glitches, widthNs, prng));
  const inverted = prng.chance(0.5);
  const about =
    `${protocol} ${baud} ${name}${inverted ? " inverted" : ""}, load ${load.toFixed(2)}, ` +
    `clocks ${ppm.join(" and ")} ppm, jitter ${jitterBits.toFixed(3)}, ` +
    `stretch ${longerBits.toFixed(2)}, ${glitches} glitches${strays ? ", strays" : ""}`;
  const truth = { baud, format: name, inverted, protocol };
  return { truth, wave: inverted ? invert(wave) : wave, endNs, about };
}

interface Pace {
  prng: Prng;
  format: Format;
  load: number;
  strays: boolean;
}

// What each side says, and when: the answer follows its request, then the line rests as the load has it.
function schedule(messages: readonly Message[], { prng, format, load, strays }: Pace): Said[][] {
  const characterNs = characterBits(format) * format.bitNs;
  const sides: [Said[], Said[]] = [[], []];
  let ns = SETTLE_NS;
  messages.forEach(({ from, octets }, i) => {
    for (const data of octets) {
      sides[from].push({ startNs: ns, data });
      ns += characterNs * 1.02; // the slowest clock is through by then
    }
    if (strays) sides[from].push(stray(prng, ns + 0.3 * characterNs));
    const answers = messages[i + 1]?.from === 1;
    const restNs = octets.length * characterNs * (1 / load - 1) * (0.5 + fraction(prng));
    ns += characterNs * (answers ? 2 + 8 * fraction(prng) : 4) + (answers ? 0 : restNs);
  });
  return sides.filter((side) => side.length > 0);
}

// As a bus floats when its transmitter turns off.
function stray(prng: Prng, startNs: number): Said {
  return prng.chance(0.5) ? { startNs, data: 0, badStop: true } : { startNs, data: 0xfe };
}

function pick<T>(prng: Prng, list: readonly T[]): T {
  return list[prng.below(list.length)]!;
}
