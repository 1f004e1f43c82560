// SPDX-License-Identifier: MIT
// The entry of a decoder's module: one decoder of the firmware, and its events.
//
// Spec: SPEC.md §18. The decoders are those that a node runs, unchanged; the entry only feeds one and tells what it says.

import { TAP_ENTRIES_PER_TICK } from "../../firmware/limits.ts";
import { TAP_ENTRY_BYTES } from "../../firmware/wire/tap.ts";

/** Where a decoder lies, and the word in its names. */
interface Place {
  file: string;
  word: string; // startWord, putWord, takeWord, noteIdleWord, wordCounters
  tap: string; // its class
}

const PLACES = {
  "modbus-rtu": { file: "modbus", word: "Modbus", tap: "ModbusTap" },
} as const satisfies Record<string, Place>;

export type Protocol = keyof typeof PLACES;
export const PROTOCOLS = Object.keys(PLACES) as Protocol[];

const EVENT_FIELDS = "kind unit code address quantity reason answerUs values bytes";
const READING_FIELDS =
  "kind unit unitCode name nameBytes digitsLow digitsHigh decimals values bytes";

/** The AssemblyScript of the entry. */
export function entryOf(protocol: Protocol): string {
  const { file, word, tap } = PLACES[protocol];
  const lower = word[0]!.toLowerCase() + word.slice(1);
  const bytes = `${word.toUpperCase()}_TAP_BYTES`;
  const names = [
    ...[tap, bytes, `start${word}`, `put${word}`, `take${word}`],
    ...[`noteIdle${word}`, `${lower}Counters`, `${lower}Undecided`],
  ];
  return `import { now_us, tap_take } from "../firmware/loop/abi";
import { TapEvent, TAP_EVENT_READING, TAP_EVENT_TEXT } from "../firmware/loop/tap/event";
import { ${names.join(", ")} } from "../firmware/loop/tap/${file}";

${declare("tap_event", EVENT_FIELDS)}
${declare("tap_reading", READING_FIELDS)}

const CAPACITY: i32 = ${TAP_ENTRIES_PER_TICK};
const ENTRIES = memory.data(${TAP_ENTRIES_PER_TICK * TAP_ENTRY_BYTES}, 4);
const TAP = memory.data(<i32>${bytes}, 8);
const EVENT = memory.data(offsetof<TapEvent>(), 8);

export function start(characterUs: i32): void {
  start${word}(changetype<${tap}>(TAP), characterUs, now_us());
}

export function tick(): void {
  const x = changetype<${tap}>(TAP);
  let count = tap_take(0, ENTRIES, CAPACITY);
  if (count == 0) {
    noteIdle${word}(x, now_us());
    tell();
  }
  while (count > 0) {
    for (let i = 0; i < count; i++) {
      const entry = ENTRIES + i * ${TAP_ENTRY_BYTES};
      put${word}(x, load<u8>(entry + 4), load<u8>(entry + 5), load<u32>(entry));
      tell();
    }
    count = tap_take(0, ENTRIES, CAPACITY);
  }
}

export function counters(): usize {
  return ${lower}Counters(changetype<${tap}>(TAP));
}

export function undecided(): i32 {
  return ${lower}Undecided(changetype<${tap}>(TAP));
}

${tellOf(word, tap)}`;
}

function tellOf(word: string, tap: string): string {
  return `function tell(): void {
  const x = changetype<${tap}>(TAP);
  const e = changetype<TapEvent>(EVENT);
  while (take${word}(x, e)) {
    const digitsLow = <i32>e.digits;
    const digitsHigh = <i32>(e.digits >> 32);
    if (e.kind == TAP_EVENT_READING || e.kind == TAP_EVENT_TEXT)
      tap_reading(${pass(READING_FIELDS)});
    else tap_event(${pass(EVENT_FIELDS)});
  }
}
`;
}

function declare(name: string, fields: string): string {
  const list = fields.split(" ").map((field) => `${field}: i32`);
  return `@external("host", "${name}")\ndeclare function ${name}(${list.join(", ")}): void;`;
}

function pass(fields: string): string {
  return fields
    .split(" ")
    .map((field) => (field.startsWith("digits") ? field : `<i32>e.${field}`))
    .join(", ");
}
