// SPDX-License-Identifier: MIT
// `tap detect`: what runs on the channels of a capture, or at a port.
//
// Of a capture `kind` and the samples are used, nothing else. Octets have no rate in them, but their times do: the shortest
// distance of two that come together is a character. A port gives octets only: the node tries rates and formats in turn.

import { EXIT_NOT_FOUND, EXIT_USAGE, Failure } from "../cli/failure.ts";
import { createProgress, tellCompiling } from "../cli/progress.ts";
import { say } from "../cli/terminal.ts";
import { isCapture, openCapture, type Capture, type Channel } from "./capture.ts";
import { conclude, detect, detectOctets, type Detection } from "./detect.ts";
import { detectPort } from "./detect-port.ts";
import type { Character } from "./line.ts";
import { knowTelegrams } from "./telegram.ts";
import { buildProbe } from "./probe.ts";
import { requirePlace } from "./source.ts";

const CHARACTERS_MAX = 20_000; // twenty seconds at 9,600 bit/s: more do not change the verdict
const CHANNELS_MAX = 64;
const PITCHES_MIN = 16; // fewer distances say nothing
const PITCH_RANK = 0.1; // of the distances: the shortest ones may be jitter
const PITCH_TOLERANCE = 0.02;
const BAUDS = [
  ...[300, 600, 1200, 2400, 4800, 7200, 9600, 14_400, 19_200, 28_800, 31_250, 38_400, 57_600],
  ...[76_800, 115_200, 187_500, 230_400, 250_000, 460_800, 500_000, 921_600],
];

export interface Detected extends Detection {
  channel?: string; // where there are several
}

/** One detection of a port, one a channel of a capture; throws a Failure where there is nothing of that name. */
export async function detectSource(
  name: string,
  channel: string | undefined,
  signal: AbortSignal,
): Promise<Detected[]> {
  const capture = isCapture(name) ? await openCapture(name) : undefined;
  if (capture === undefined) requirePlace(name);
  if (channel !== undefined && capture?.header.kind !== "edges") throw noChannels(name);
  const module = await tellCompiling((compiling) => buildProbe({ signal, compiling }));
  if (capture === undefined) return [conclude(await detectPort(module, name, signal))];
  try {
    if (capture.header.kind === "edges") return await detectEdges(module, name, capture, channel);
    return [await detectBytes(module, await takeCharacters(capture), signal)];
  } finally {
    capture.close();
  }
}

async function detectEdges(
  module: WebAssembly.Module,
  name: string,
  capture: Capture,
  wanted: string | undefined,
): Promise<Detected[]> {
  const channels: Channel[] = [];
  for await (const channel of capture.channels())
    if (channels.length < CHANNELS_MAX) channels.push(channel);
  const chosen = channels.filter((each) => each.name === (wanted ?? each.name));
  if (chosen.length === 0) throw noChannel(name, wanted, channels);
  const progress = createProgress();
  const found = chosen.map((each, i): Detected => {
    progress.show(`channel ${each.name}`, i / chosen.length);
    const { sampleRateHz, initial, edges } = each;
    const detection = detect(module, { unitPs: Math.round(1e12 / sampleRateHz), initial, edges });
    return channels.length > 1 ? { channel: each.name, ...detection } : detection;
  });
  progress.end();
  return found;
}

async function takeCharacters(capture: Capture): Promise<Character[]> {
  const all: Character[] = [];
  for await (const { characters } of capture.batches()) {
    all.push(...characters);
    if (all.length >= CHARACTERS_MAX) break;
  }
  return all;
}

async function detectBytes(
  module: WebAssembly.Module,
  characters: readonly Character[],
  signal: AbortSignal,
): Promise<Detection> {
  const found = await knowTelegrams(detectOctets(module, characters), characters, signal);
  const line = lineOfPitch(characters);
  if (line === undefined)
    return { ...found, why: [...found.why, "the times of the octets do not tell the rate"] };
  const { baud, format, why } = line;
  const confidence = found.protocol === null ? Math.min(found.confidence, 50) : found.confidence;
  return { ...found, baud, format, confidence, why: [why, ...found.why] };
}

function lineOfPitch(
  characters: readonly Character[],
): { baud: number; format: string; why: string } | undefined {
  const pitches = characters
    .slice(1)
    .map(({ atUs }, i) => atUs - characters[i]!.atUs)
    .filter((pitch) => pitch > 0)
    .sort((a, b) => a - b);
  const pitchUs = pitches[Math.floor(pitches.length * PITCH_RANK)];
  if (pitchUs === undefined || pitches.length < PITCHES_MIN) return undefined;
  const fits = [10, 11].flatMap((bits) =>
    BAUDS.map((baud) => ({ bits, baud, off: Math.abs((pitchUs * baud) / bits / 1e6 - 1) })),
  );
  const [best] = fits.sort((a, b) => a.off - b.off);
  if (best === undefined || best.off > PITCH_TOLERANCE) return undefined;
  const { bits, baud } = best;
  const wide = characters.some(({ octet }) => octet > 127);
  const others = bits === 11 ? "8O1 and 8N2" : wide ? "none" : "7E1 and 7O1";
  const like = others === "none" ? "" : `; ${others} would look the same`;
  const why = `octets come ${Math.round(pitchUs)} us apart: ${bits} bits at ${baud} baud${like}`;
  return { baud, format: bits === 11 ? "8E1" : "8N1", why };
}

/** A detection as a person reads it. */
export function showDetected({ channel, baud, format, inverted, ...of }: Detected): string[] {
  const line = baud === null ? "no serial line" : `${baud} ${format}${inverted ? " inverted" : ""}`;
  const known = of.protocol !== null && baud === null ? "rate unknown" : line;
  const what = [known, of.protocol ?? "protocol unknown", `${of.confidence} % sure`].join(", ");
  return [channel === undefined ? what : `${channel}: ${what}`, ...of.why.map((why) => `  ${why}`)];
}

/** What to do next with what was found at a source. */
export function tellNext(name: string, [first]: readonly Detected[]): void {
  const { baud, format, protocol, inverted } = first!;
  if (baud === null || protocol !== "modbus-rtu" || inverted || name === "-") return;
  say(`  next: ferrule tap inventory ${name} --baud ${baud} --format ${format}`);
}

function noChannels(name: string): Failure {
  return new Failure(EXIT_USAGE, `${name} has no channels`, "leave --channel away");
}

function noChannel(name: string, wanted: string | undefined, channels: Channel[]): Failure {
  const names = channels.map((each) => each.name).join(", ");
  if (wanted === undefined)
    return new Failure(EXIT_NOT_FOUND, `${name} holds no channel`, "give a capture with edges");
  return new Failure(EXIT_NOT_FOUND, `${name} has no channel ${wanted}`, `it has ${names}`);
}
