// SPDX-License-Identifier: MIT
// Meters whose telegrams are longer than what a node keeps to know a line by.
//
// Spec: SPEC.md §16, §17. A node's sample has 1,024 octets: a read-out of 10 kB looks like lines of text in it. Where everything that
// came is at hand, the node's own decoders of P1 and IEC 62056-21 hear all of it: one telegram whose check is right tells more.

import { tellCompiling } from "../cli/progress.ts";
import { buildDecoder, createDecoder } from "./decoder.ts";
import type { Detection } from "./detect.ts";
import type { Character } from "./line.ts";

const DATA_SETS_MIN = 3; // values in parentheses; less is no meter
const OPEN = 0x28;
const KINDS = [
  { protocol: "dsmr-p1", coverageMin: 40 }, // under a CRC
  { protocol: "iec62056-21", coverageMin: 75 },
] as const;
const [BYTES, FRAMES, JUNK] = [0, 1, 9]; // counters of a decoder

/** What it is after all, where the node took it for text or for nothing that it knows. */
export async function knowTelegrams(
  found: Detection,
  characters: readonly Character[],
  signal: AbortSignal,
): Promise<Detection> {
  const isOpen = found.protocol === null || found.protocol === "ascii-line";
  const sets = characters.reduce((all, { octet }) => all + (octet === OPEN ? 1 : 0), 0);
  if (!isOpen || sets < DATA_SETS_MIN) return found;
  for (const { protocol, coverageMin } of KINDS) {
    const module = await tellCompiling((compiling) =>
      buildDecoder(protocol, { signal, compiling }),
    );
    const decoder = createDecoder(module, { baud: 9600, format: "8N1" }, { protocol });
    let readings = 0;
    const note = (): void => void readings++;
    decoder.put({ characters, nowUs: characters.at(-1)!.atUs }, note);
    decoder.end(note);
    const counters = decoder.counters();
    const [bytes, frames, junk] = [counters[BYTES]!, counters[FRAMES]!, counters[JUNK]!];
    const coverage = Math.round(((bytes - junk) * 100) / bytes);
    if (readings === 0 || coverage < coverageMin) continue;
    const why = `${coverage} % of the octets are in whole telegrams: ${protocol}, ${frames} frames`;
    return {
      ...found,
      protocol,
      confidence: Math.min(99, Math.max(found.confidence, coverage)),
      why: [why],
    };
  }
  return found;
}
