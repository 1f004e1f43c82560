// SPDX-License-Identifier: MIT
// Each octet of recorded Modbus lines lost, added or changed, RTU and ASCII.
//
// Each replay, in the wasm, begins one frame before the one that is hit, from a copy of the module's memory at that point
// of the recording, and goes on for LATER frames and a silence.
// (M1) at most the hit frame is lost; the readings of its exchange may go with it, no others.
// (M2) nothing is published but what the undamaged line gives, in its order.
// A replay that breaks these is accepted only where chance made a frame with a right check; they are counted.

import { KIND_READING, KIND_STATE } from "../../firmware/wire/record.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { expectedRegisters, mapRegisters, type Capture } from "../support/capture.ts";
import { buildLoop, createLoopHost, type LoopHost } from "../support/loop-host.ts";
import { crc16 } from "../support/modbus.ts";

const ASCII = "modbus-ascii";
const LATER = 6;
const SILENCES_US = [100_000, 1_200_000, 12_000_000]; // ends every wait; then counters are told
const COUNTER_FRAMES = 1; // place in a state record
const SHORT_CODES = [7, 11, 12, 17, 24];
const FRAME_BYTES_MIN = 4;
const FRAME_BYTES_MAX = 256;
const TEXT_BYTES_MAX = 513;
const COLON = 58;
const TEXT_VALUES = Buffer.from(":\r\n09aAfF"); // what has a meaning in ASCII
const FAILURES_MAX = 20; // told; more are only counted

/** Shared recordings of Modbus RTU. */
export const RECORDINGS = [
  "brainchild",
  "flowmeter-graph-tool",
  "flowmeter-target-0liter",
  "flowmeter-target0-val0",
  "libmodbus-mbpoll-jitter",
  "libmodbus-mbpoll",
  "noisy",
  "pymodbus-rare-functions",
  "pymodbus-two-units",
  "wizmodbus-bus",
  "wizmodbus-two-wire",
].map((name) => `taps/modbus/modbus-${name}.jsonl`);

/** Places in the octets of a recording, the second behind the last. */
export type Span = [from: number, to: number];

interface Spoilt {
  at: number; // place in the recording
  damage: "lost" | "added" | "changed";
  value: number; // what is added, or what the octet becomes
}

interface Heard {
  frames: number;
  readings: string[]; // channel and value
}

interface Player {
  readonly capture: Capture;
  readonly host: LoopHost;
  readonly frames: Span[];
  readonly before: { memory: Uint8Array; nowUs: number }[]; // each frame
}

/** What all positions of a recording came to. */
export interface Tally {
  replays: number;
  whole: number; // nothing was lost: octets added between frames
  chance: number;
  failed: number;
  failures: string[];
}

/** Numbers below a count that are tried at a place. */
export type Values = (count: number) => Iterable<number>;

/** One value a place. */
export function oneBySeed(seed: number): Values {
  const prng = createPrng(seed);
  return (count) => [prng.below(count)];
}

/** Every value. */
export const allValues: Values = (count) => Array.from({ length: count }, (_, value) => value);

/** Spoils each octet of each right frame of a recording in each way, while `goesOn` says so. */
export async function spoilAll(
  capture: Capture,
  values: Values,
  goesOn = (): boolean => true,
): Promise<Tally> {
  const player = await createPlayer(capture);
  const tally: Tally = { replays: 0, whole: 0, chance: 0, failed: 0, failures: [] };
  for (let frame = 1; frame < player.frames.length && goesOn(); frame++) {
    const sound = play(player, frame);
    const [from, to] = player.frames[frame]!;
    for (let at = from; at < to; at++)
      for (const spoilt of damages(capture, at, values)) {
        const heard = play(player, frame, spoilt);
        judge(player, frame, { spoilt, sound, heard }, tally);
      }
  }
  return tally;
}

function* damages({ octets, protocol }: Capture, at: number, values: Values): Iterable<Spoilt> {
  yield { at, damage: "lost", value: 0 };
  for (const value of values(256)) yield { at, damage: "added", value };
  for (const turn of values(255)) yield { at, damage: "changed", value: octets[at]! ^ (turn + 1) };
  if (protocol !== ASCII) return;
  for (const value of TEXT_VALUES) {
    yield { at, damage: "added", value };
    if (value !== octets[at]) yield { at, damage: "changed", value };
  }
}

// ---- replay

async function createPlayer(capture: Capture): Promise<Player> {
  const node = mapRegisters(expectedRegisters(capture), capture);
  const host = createLoopHost(await buildLoop(node));
  host.init();
  const frames = framesOf(capture);
  const before = frames.map(([from], i) => {
    const since = i === 0 ? 0 : frames[i - 1]![0];
    feed(host, capture.octets.subarray(since, from), capture.timesUs.slice(since, from));
    return { memory: new Uint8Array(host.memory.buffer).slice(), nowUs: host.nowUs };
  });
  return { capture, host, frames, before };
}

// Right frames by the times of the recording's transactions; the shortest run of octets before such a time
// whose check is right, so that stray octets stay outside.
export function framesOf(capture: Capture): Span[] {
  const { octets, timesUs, expected } = capture;
  const ends = expected.transactions
    .flatMap(({ t_request_us: request, t_answer_us: answer }) => [request, answer])
    .filter((timeUs) => timeUs !== undefined)
    .sort((a, b) => a - b);
  const frames: Span[] = [];
  for (const endUs of ends) {
    const to = timesUs.lastIndexOf(endUs) + 1;
    let from = to - FRAME_BYTES_MIN;
    while (from >= 0 && contentOf(capture, octets.subarray(from, to)) === undefined) from--;
    if (from >= (frames.at(-1)?.[1] ?? 0)) frames.push([from, to]);
  }
  return frames;
}

// What is between the marks of a frame and its check; undefined: it is none.
function contentOf({ protocol }: Capture, part: Uint8Array): Uint8Array | undefined {
  if (protocol !== ASCII) return crc16(part) === 0 ? part.subarray(0, -2) : undefined;
  const digits = part[0] === COLON && /^:((?:[0-9a-f]{2})+)\r\n$/i.exec(latin1(part))?.[1];
  const content = Buffer.from(digits || "", "hex");
  const sum = content.reduce((all, octet) => all + octet, 0);
  return content.length > 2 && sum % 256 === 0 ? content.subarray(0, -1) : undefined;
}

const latin1 = (part: Uint8Array): string => Buffer.from(part).toString("latin1");

function contentAt({ capture, frames }: Player, frame: number): Uint8Array {
  const span = frames[frame];
  return (span && contentOf(capture, capture.octets.subarray(...span))) ?? new Uint8Array();
}

// From one frame before, to LATER frames behind.
function windowOf({ frames }: Player, frame: number): Span {
  return [frames[frame - 1]![0], frames[Math.min(frame + LATER, frames.length - 1)]![1]];
}

function spoil({ capture }: Player, [from, to]: Span, spoilt?: Spoilt): [number[], number[]] {
  const octets = [...capture.octets.subarray(from, to)];
  const timesUs = capture.timesUs.slice(from, to);
  if (spoilt !== undefined) {
    const { damage, value } = spoilt;
    const at = spoilt.at - from;
    if (damage === "changed") octets[at] = value;
    else {
      octets.splice(at, damage === "lost" ? 1 : 0, ...(damage === "added" ? [value] : []));
      const halfwayUs = Math.floor((timesUs[at - 1]! + timesUs[at]!) / 2);
      timesUs.splice(at, damage === "lost" ? 1 : 0, ...(damage === "added" ? [halfwayUs] : []));
    }
  }
  return [octets, timesUs];
}

function play(player: Player, frame: number, spoilt?: Spoilt): Heard {
  const { host, before } = player;
  const { memory, nowUs } = before[frame - 1]!;
  new Uint8Array(host.memory.buffer).set(memory);
  host.nowUs = nowUs;
  host.records.length = 0;
  const [octets, timesUs] = spoil(player, windowOf(player, frame), spoilt);
  feed(host, Uint8Array.from(octets), timesUs);
  const endUs = host.nowUs;
  for (const silenceUs of SILENCES_US) host.tick(endUs + silenceUs);
  const states = host.records.filter(({ kind }) => kind === KIND_STATE);
  const readings = host.records.filter(({ kind }) => kind === KIND_READING);
  return {
    frames: states.at(-1)!.counters[COUNTER_FRAMES]!,
    readings: readings.map(({ channel, value, quality }) => `${channel} ${value} ${quality}`),
  };
}

// Ticks at the times of octets: how a line is cut into ticks changes nothing, as framing.test.ts shows.
function feed(host: LoopHost, octets: Uint8Array, timesUs: number[]): void {
  if (octets.length === 0) return;
  host.put(0, octets, timesUs);
  while (host.waiting(0) > 0) host.tick(timesUs.at(-1)!);
}

// ---- judgement

interface Case {
  spoilt: Spoilt;
  sound: Heard;
  heard: Heard;
}

function judge(player: Player, frame: number, { spoilt, sound, heard }: Case, tally: Tally): void {
  tally.replays++;
  const lost = sound.readings.length - heard.readings.length;
  if (lost === 0 && heard.frames === sound.frames) tally.whole++;
  const problem = problemOf(player, frame, sound, heard);
  if (problem === undefined) return;
  if (isChance(player, spoilt)) return void tally.chance++;
  tally.failed++;
  const { at, damage, value } = spoilt;
  if (tally.failures.length < FAILURES_MAX)
    tally.failures.push(`frame ${frame}, octet ${at} ${damage} (${value}): ${problem}`);
}

function problemOf(player: Player, frame: number, sound: Heard, heard: Heard): string | undefined {
  const most = isShort(player, frame) ? 2 : 1;
  if (heard.frames < sound.frames - most) return `${sound.frames - heard.frames} frames are lost`; // (M1)
  const lost = sound.readings.length - heard.readings.length;
  const { readings } = heard;
  if (lost < 0) return "more is published than was said"; // (M2)
  // What is missing must be in one piece: the readings of one answer.
  let same = 0;
  while (same < readings.length && readings[same] === sound.readings[same]) same++;
  const rest = readings.slice(same).join();
  if (rest !== sound.readings.slice(same + lost).join()) return "something else is published";
  const carried = Math.max(0, ...answersAround(player, frame));
  return lost > carried ? `${lost} readings are lost, its exchange has ${carried}` : undefined;
}

// Frames of 4 to 6 octets, which noise imitates, count only with their answer.
function isShort(player: Player, frame: number): boolean {
  return SHORT_CODES.includes(contentAt(player, frame)[1]!);
}

// Registers or bits that the frame, or the one behind it, can carry.
function answersAround(player: Player, frame: number): number[] {
  return [frame, frame + 1].map((i) => {
    const content = contentAt(player, i);
    const carried = content.length - 3; // unit, code, count
    return Math.floor(content[1]! <= 2 ? carried * 8 : carried / 2);
  });
}

// Whether octets around the damage make a frame with a right check that the recording does not have. It may begin
// before the replay: what is undecided there is in the module's memory.
function isChance(player: Player, spoilt: Spoilt): boolean {
  const { capture, frames } = player;
  const octets = Uint8Array.from(spoil(player, [0, capture.octets.length], spoilt)[0]);
  const { at } = spoilt;
  const most = capture.protocol === ASCII ? TEXT_BYTES_MAX : FRAME_BYTES_MAX;
  for (let from = Math.max(0, at - most); from <= at; from++)
    for (let to = Math.max(at, from + FRAME_BYTES_MIN); to <= from + most; to++) {
      if (to > octets.length) break;
      const part = octets.subarray(from, to);
      if (contentOf(capture, part) === undefined) continue;
      if (!frames.some(([a, b]) => b - a === to - from && sameAt(player, a, part))) return true;
    }
  return false;
}

function sameAt({ capture }: Player, from: number, octets: Uint8Array): boolean {
  return octets.every((octet, i) => capture.octets[from + i] === octet);
}
