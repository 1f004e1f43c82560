// SPDX-License-Identifier: MIT
// The encoder that the ending of a recording asks for.

import { tellCompiling } from "../cli/progress.ts";
import { buildDecoder } from "./decoder.ts";
import { pcapngEncoder } from "./pcapng.ts";
import { jsonEncoder, type Ending, type Encoder } from "./record.ts";
import type { Source } from "./source.ts";

/** Frames of a .pcapng are those of Modbus RTU: what is no such frame is a packet as well. */
export async function encoderFor(
  ending: Ending,
  source: Source,
  signal: AbortSignal,
): Promise<Encoder> {
  if (ending === ".jsonl") return jsonEncoder(source);
  const module = await tellCompiling((compiling) =>
    buildDecoder("modbus-rtu", { signal, compiling }),
  );
  return pcapngEncoder(source, module);
}
