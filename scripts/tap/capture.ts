// SPDX-License-Identifier: MIT
// Captures as files: a header, then a character or a channel a line, in JSON.
//
// Spec: SPEC.md §18. Header: {"kind":"bytes"|"edges", ...}; its `baud` and `format` are the line's where it states them. A character is
// {"t_us":5095,"dir":"x","hex":"f7"} with "err" where the receiver flagged it; `t_us` is its end. Wires are merged
// by time. Read as a stream: a capture may be longer than the memory. Refusals name file, line and what is wrong.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { TAP_FLAG_BREAK, TAP_FLAG_FRAMING, TAP_FLAG_PARITY } from "../../firmware/wire/tap.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure } from "../cli/failure.ts";
import { FORMATS, type Batch, type Character, type Format, type Line } from "./line.ts";

const LINE_LENGTH_MAX = 1 << 24; // a channel of two million edges
const BATCH_CHARACTERS = 1024;
const T_US_MAX = 366 * 24 * 3_600_000_000; // a year
const ERRORS: Readonly<Record<string, number>> = {
  framing: TAP_FLAG_FRAMING,
  parity: TAP_FLAG_PARITY,
  break: TAP_FLAG_FRAMING | TAP_FLAG_BREAK,
};

export interface Header {
  kind: "bytes" | "edges";
  line: Partial<Line>; // as the header states it
  startedMs: number | undefined; // since 1970, where a recording says when it began
}

/** The levels of one wire. */
export interface Channel {
  name: string;
  sampleRateHz: number;
  initial: 0 | 1;
  samples: number; // length of the capture
  edges: readonly number[]; // distances in samples
}

export interface Capture {
  header: Header;
  /** Characters of a capture of kind bytes, once. */
  batches(): AsyncIterable<Batch>;
  /** Channels of a capture of kind edges, once. */
  channels(): AsyncIterable<Channel>;
  close(): void;
}

/** Whether SOURCE is a file with a capture, or stdin. */
export function isCapture(source: string): boolean {
  return source === "-" || statSync(source, { throwIfNoEntry: false })?.isFile() === true;
}

/** Opens a capture file, `-` for stdin; throws a Failure that says why it cannot be read. */
export async function openCapture(path: string): Promise<Capture> {
  const name = path === "-" ? "stdin" : path;
  if (path !== "-" && !existsSync(path))
    throw new Failure(EXIT_NOT_FOUND, `there is no file ${path}`, "give a capture that is there");
  const input = path === "-" ? process.stdin : createReadStream(path, "utf8");
  const lines = createInterface({ input, crlfDelay: Infinity });
  const rest = lines[Symbol.asyncIterator]();
  const first = await rest.next();
  const header = readHeader(name, first.done === true ? "" : first.value);
  const parsed = parseLines(name, { [Symbol.asyncIterator]: () => rest });
  return {
    header,
    batches: () => readBatches(name, parsed),
    channels: () => readChannels(name, parsed),
    close() {
      lines.close();
      input.destroy();
    },
  };
}

function readHeader(name: string, text: string): Header {
  const fields = parse(text);
  const kind = fields?.["kind"];
  if (fields === undefined || (kind !== "bytes" && kind !== "edges"))
    throw new Failure(
      EXIT_FAILED,
      `${name}:1: this is no capture: it begins with a header that has "kind":"bytes" or "edges"`,
      "make one with: ferrule tap record PORT --out FILE.jsonl",
    );
  const { baud, format, started } = fields;
  const known = FORMATS.find((each) => each === format);
  const startedMs = typeof started === "string" ? Date.parse(started) : NaN;
  return {
    kind,
    line: {
      ...(typeof baud === "number" && baud > 0 && { baud }),
      ...(known !== undefined && { format: known as Format }),
    },
    startedMs: Number.isNaN(startedMs) ? undefined : startedMs,
  };
}

type Fields = Record<string, unknown>;

async function* parseLines(
  name: string,
  lines: AsyncIterable<string>,
): AsyncGenerator<[Fields, number]> {
  let number = 1;
  for await (const text of lines) {
    number++;
    if (text.trim() === "") continue;
    const fields = text.length > LINE_LENGTH_MAX ? undefined : parse(text);
    if (fields === undefined) throw wrong(name, number, "this line is no JSON object");
    yield [fields, number];
  }
}

async function* readBatches(
  name: string,
  lines: AsyncIterable<[Fields, number]>,
): AsyncGenerator<Batch> {
  let characters: Character[] = [];
  let lastUs = 0;
  for await (const [fields, number] of lines) {
    const character = readCharacter(fields);
    if (character === undefined)
      throw wrong(name, number, 'this is no character: {"t_us":5095,"dir":"x","hex":"f7"} is one');
    if (character.atUs < lastUs)
      throw wrong(name, number, "its time lies before that of the line above");
    lastUs = character.atUs;
    characters.push(character);
    if (characters.length < BATCH_CHARACTERS) continue;
    yield { characters, nowUs: lastUs };
    characters = [];
  }
  if (characters.length > 0) yield { characters, nowUs: lastUs };
}

function readCharacter({ t_us: atUs, hex, err }: Fields): Character | undefined {
  if (typeof atUs !== "number" || !(atUs >= 0 && atUs <= T_US_MAX)) return undefined;
  if (typeof hex !== "string" || !/^[0-9a-f]{2}$/i.test(hex)) return undefined;
  if (err !== undefined && typeof err !== "string") return undefined;
  const flags = err === undefined ? 0 : (ERRORS[err] ?? TAP_FLAG_FRAMING);
  return { atUs, octet: parseInt(hex, 16), flags };
}

async function* readChannels(
  name: string,
  lines: AsyncIterable<[Fields, number]>,
): AsyncGenerator<Channel> {
  for await (const [fields, number] of lines) {
    const channel = readChannel(fields);
    if (channel === undefined) throw wrong(name, number, "this is no channel: see SPEC.md §18");
    yield channel;
  }
}

function readChannel(fields: Fields): Channel | undefined {
  const { channel: name, sample_rate_hz: sampleRateHz, initial, samples, edges } = fields;
  if (typeof name !== "string" || (initial !== 0 && initial !== 1)) return undefined;
  if (typeof sampleRateHz !== "number" || !(sampleRateHz > 0)) return undefined;
  if (typeof samples !== "number" || !Array.isArray(edges)) return undefined;
  if (!edges.every((edge) => typeof edge === "number" && edge >= 0)) return undefined;
  return { name, sampleRateHz, initial, samples, edges: edges as number[] };
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function wrong(name: string, number: number, what: string): Failure {
  return new Failure(EXIT_FAILED, `${name}:${number}: ${what}`, "mend that line or take it out");
}

/** The header line of a capture of characters, with its line end; `startedMs` undefined: nobody knows. */
export function encodeHeader({ baud, format }: Line, startedMs: number | undefined): string {
  const started = startedMs === undefined ? {} : { started: new Date(startedMs).toISOString() };
  return `${JSON.stringify({ kind: "bytes", baud, format, ...started })}\n`;
}

/** One character as a line, with its line end. */
export function encodeCharacter({ atUs, octet, flags }: Character): string {
  const err = flags & TAP_FLAG_FRAMING ? "framing" : flags & TAP_FLAG_PARITY ? "parity" : undefined;
  const hex = octet.toString(16).padStart(2, "0");
  return `${JSON.stringify({ t_us: Math.round(atUs), dir: "x", hex, ...(err && { err }) })}\n`;
}
