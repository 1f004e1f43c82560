// SPDX-License-Identifier: MIT
// The trace of a run: one JSON object a line, the same bytes for the same seed.
//
// Every line opens with t (µs of virtual time) and e (what happened); n names the node, m the module.
// Octets are lower-case hex. Keys keep the order in which they are given. Without a receiver nothing
// is built: callers ask `on` first where building the fields costs something.

export type Field = string | number | boolean | null;

export interface Trace {
  /** False: nobody listens, and write() does nothing. */
  readonly on: boolean;
  /** One line; `fields` follow t and e in their own order. */
  write(nowUs: number, event: string, fields: Record<string, Field>): void;
}

/** A trace that hands each line, without its line end, to the receiver. */
export function createTrace(receive?: (line: string) => void): Trace {
  if (receive === undefined) return { on: false, write: () => undefined };
  return {
    on: true,
    write(nowUs, event, fields) {
      receive(JSON.stringify({ t: nowUs, e: event, ...fields }));
    },
  };
}

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** Octets as lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += HEX[bytes[i]!]!;
  return text;
}
