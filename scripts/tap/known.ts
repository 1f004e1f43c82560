// SPDX-License-Identifier: MIT
// A source whose line and protocol are known; what nobody said is found out.
//
// A capture of edges becomes characters: of the first channel whose protocol is known, else of all that have the same line. A port
// without a rate is tried (detect-port.ts); at a rate that was given its first octets tell the protocol. What an option says is
// believed. The verdict is that of the node's own tap; where it has none, octets are heard as Modbus RTU, and that is said.

import { EXIT_FAILED, Failure } from "../cli/failure.ts";
import { createProgress, tellCompiling } from "../cli/progress.ts";
import { isCapture, openCapture, type Capture, type Channel } from "./capture.ts";
import { PROTOCOLS, isText, type Protocol } from "./decoder-entry.ts";
import type { LineEnd } from "./decoder.ts";
import { conclude, detect, detectOctets, hearWave, octetHost } from "./detect.ts";
import type { Detection, RecordedWave } from "./detect.ts";
import { detectSource } from "./detection.ts";
import { FORMATS, type Character, type Line } from "./line.ts";
import { lineEndOf, peek } from "./peek.ts";
import { knowTelegrams } from "./telegram.ts";
import { buildProbe, createProbe, TICK_US } from "./probe.ts";
import { openCharacters, openSource, requirePlace, type Source } from "./source.ts";

const CHANNELS_MAX = 64;

export interface Wanted extends Partial<Line> {
  protocol: Protocol | "auto";
  any?: boolean; // whatever it speaks: what has no decoder here is heard as Modbus RTU
}

export interface Known {
  source: Source;
  protocol: Protocol;
  end: LineEnd | undefined; // of text
  why: string[]; // what was found out, and from what
}

/** Opens a source and finds out what nobody said. */
export async function openKnown(name: string, wanted: Wanted, signal: AbortSignal): Promise<Known> {
  const { protocol, any = false, ...line } = wanted;
  const why: string[] = [];
  const source = await openLine(name, { protocol, ...line }, signal, why);
  if (protocol !== "auto") return withEnd(source, protocol, why);
  const module = await probeOf(signal);
  const progress = createProgress();
  let found: Detection | undefined;
  const watch = source.live ? createWatch(module) : () => undefined;
  const { characters, batches } = await peek(source.batches, (all, nowUs) => {
    progress.show(`${all.length} octets, and not yet known what they are`);
    found = watch(all, nowUs);
    return found !== undefined;
  });
  progress.end();
  const peeked = { ...source, batches };
  if (found === undefined && characters.length > 0) found = detectOctets(module, characters);
  if (found === undefined) return withEnd(peeked, "modbus-rtu", why); // silence
  found = await knowTelegrams(found, characters, signal);
  const decoder = decoderOf(name, any ? knownOf(found.protocol) : found.protocol, why);
  return withEnd(peeked, decoder, [...why, ...found.why]);
}

// A node beside the port, tick by tick: a long look at once would hold up the octets that come.
function createWatch(module: WebAssembly.Module) {
  const heard: Character[] = [];
  const probe = createProbe(module, octetHost(heard).host);
  let tickedUs = 0;
  return (all: readonly Character[], nowUs: number): Detection | undefined => {
    heard.push(...all.slice(heard.length));
    while (tickedUs + TICK_US <= nowUs) {
      const told = probe.tick((tickedUs += TICK_US));
      if (told.at(-1)?.phase === "protocol") return conclude(told);
    }
    return undefined;
  };
}

function knownOf(found: string | null): string | null {
  return PROTOCOLS.some((each) => each === found) ? found : null;
}

function decoderOf(name: string, found: string | null, why: string[]): Protocol {
  if (found === null) why.push("heard as modbus-rtu; another one: --protocol");
  const protocol = PROTOCOLS.find((each) => each === (found ?? "modbus-rtu"));
  if (protocol !== undefined) return protocol;
  throw new Failure(
    EXIT_FAILED,
    `${name} speaks ${found}, and this command does not show that`,
    "keep it: ferrule tap record",
  );
}

async function withEnd(source: Source, protocol: Protocol, why: string[]): Promise<Known> {
  if (!isText(protocol)) return { source, protocol, end: undefined, why };
  const { characters, batches } = await peek(source.batches, (all) => lineEndOf(all) !== undefined);
  return { source: { ...source, batches }, protocol, end: lineEndOf(characters, 1), why };
}

function probeOf(signal: AbortSignal): Promise<WebAssembly.Module> {
  return tellCompiling((compiling) => buildProbe({ signal, compiling }));
}

async function openLine(
  name: string,
  { protocol, ...line }: Wanted,
  signal: AbortSignal,
  why: string[],
): Promise<Source> {
  if (isCapture(name)) {
    const capture = await openCapture(name);
    if (capture.header.kind === "bytes") return openCharacters(name, capture, line, signal);
    return hearEdges(name, capture, line, { signal, why });
  }
  requirePlace(name);
  if (protocol !== "auto" || line.baud !== undefined) return openSource(name, line, signal);
  const [found] = await detectSource(name, undefined, signal);
  const format = FORMATS.find((each) => each === found!.format);
  if (found!.baud === null || format === undefined) {
    if (signal.aborted) why.push("it ended before the rate of the line was known");
    else throw noLine(name);
    return openSource(name, line, signal);
  }
  why.push(`${found!.baud} ${format}`);
  return openSource(name, { baud: found!.baud, format, ...line }, signal);
}

async function hearEdges(
  name: string,
  capture: Capture,
  wish: Partial<Line>,
  { signal, why }: { signal: AbortSignal; why: string[] },
): Promise<Source> {
  const module = await probeOf(signal);
  const channels: Channel[] = [];
  for await (const channel of capture.channels())
    if (channels.length < CHANNELS_MAX) channels.push(channel);
  capture.close();
  const progress = createProgress();
  const found = channels.map((channel, i) => {
    progress.show(`channel ${channel.name}`, i / channels.length);
    return { channel, ...detect(module, waveOf(channel)) };
  });
  progress.end();
  const best = found.find(({ protocol }) => protocol !== null) ?? found.find(({ baud }) => baud);
  const baud = wish.baud ?? best?.baud;
  const format = FORMATS.find((each) => each === (wish.format ?? best?.format));
  if (best === undefined || !baud || format === undefined) throw noLine(name);
  const isSame = (each: Detection): boolean =>
    each.baud === best.baud && each.format === best.format;
  const heard = found.filter((each) => (best.protocol === null ? isSame(each) : each === best));
  const characters = heard.flatMap(({ channel, inverted }) =>
    hearWave(waveOf(channel), { baud, format, inverted }, 0),
  );
  const names = heard.map(({ channel }) => channel.name).join(" and ");
  const turned = best.inverted ? " inverted" : "";
  why.push(`channel ${names}: ${baud} ${format}${turned}`);
  characters.sort((a, b) => a.atUs - b.atUs);
  return {
    ...{ name, live: false, startedMs: capture.header.startedMs },
    line: { baud, format, ...(best.inverted && { inverted: true }) },
    batches: once(characters),
  };
}

async function* once(characters: readonly Character[]) {
  if (characters.length > 0) yield { characters, nowUs: characters.at(-1)!.atUs };
}

function waveOf({ sampleRateHz, initial, edges }: Channel): RecordedWave {
  return { unitPs: Math.round(1e12 / sampleRateHz), initial, edges };
}

function noLine(name: string): Failure {
  return new Failure(
    EXIT_FAILED,
    `${name}: no rate and format fits what was heard`,
    `look what it is: ferrule tap detect ${name}; or say it: --baud and --format`,
  );
}
