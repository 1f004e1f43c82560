// SPDX-License-Identifier: MIT
// A source to record, and the encoder that the ending of the file asks for.
//
// Frames of a .pcapng are those of the line's protocol: what is said, or found out of a capture. A port is heard as Modbus RTU unless
// another one is said: to find it out would hold back what came. What is in no frame is a packet as well.

import { tellCompiling } from "../cli/progress.ts";
import { isCapture } from "./capture.ts";
import { buildDecoder } from "./decoder.ts";
import type { Protocol } from "./decoder-entry.ts";
import { openKnown } from "./known.ts";
import type { Line } from "./line.ts";
import { pcapngEncoder } from "./pcapng.ts";
import { jsonEncoder, type Ending, type Encoder } from "./record.ts";
import { openSource, type Source } from "./source.ts";

/** What an option says of the line that is recorded. */
export interface RecordWish extends Partial<Line> {
  protocol?: Protocol | "auto" | undefined;
}

/** Opens it; throws a Failure as openKnown and openSource do. */
export async function openRecording(
  name: string,
  ending: Ending,
  { protocol = isCapture(name) ? "auto" : "modbus-rtu", ...line }: RecordWish,
  signal: AbortSignal,
): Promise<{ source: Source; encoder: Encoder }> {
  if (ending === ".jsonl") {
    const source = await openSource(name, line, signal);
    return { source, encoder: jsonEncoder(source) };
  }
  const known = await openKnown(name, { ...line, protocol, any: true }, signal);
  const module = await tellCompiling((compiling) =>
    buildDecoder(known.protocol, { signal, compiling }),
  );
  return { source: known.source, encoder: pcapngEncoder(known, module) };
}
