// SPDX-License-Identifier: MIT
// The entry of a decoder's module: one decoder of the firmware, and its events.
//
// Spec: SPEC.md §18. The decoders are those that a node runs, unchanged; the entry only feeds one and tells what it says.
// Meters keep what a slot names: all slots are free ones, which take what comes.

import { TAP_ENTRIES_PER_TICK } from "../../firmware/limits.ts";
import { TAP_ENTRY_BYTES } from "../../firmware/wire/tap.ts";

/** Where a decoder lies, and the words in its names. */
interface Place {
  file: string;
  word: string; // startWord, putWord, takeWord, noteIdleWord, wordCounters
  tap: string; // its class
  bytes: string; // its size
  undecided?: boolean; // wordUndecided: octets that wait for more
  objects?: boolean; // wordObjects: a meter with slots
  records?: boolean; // wordRecords: M-Bus
}

const LINES = "lines"; // a decoder of another shape: loop/tap/line.ts

const PLACES = {
  "modbus-rtu": place("modbus", "Modbus", "MODBUS_TAP_BYTES", { undecided: true }),
  "modbus-ascii": place("ascii", "Ascii", "ASCII_TAP_BYTES", {}),
  "dsmr-p1": place("p1", "P1", "P1_TAP_BYTES", { objects: true }),
  "iec62056-21": place("iec62056", "Iec", "IEC_TAP_BYTES", { objects: true }),
  sml: place("sml", "Sml", "SML_TAP_BYTES", { objects: true }),
  "m-bus": place("mbus", "Mbus", "M_BUS_TAP_BYTES", { records: true }),
  "ascii-line": LINES,
  nmea: LINES,
} as const satisfies Record<string, Place | typeof LINES>;

function place(file: string, word: string, bytes: string, more: Partial<Place>): Place {
  return { file, word, tap: `${word}Tap`, bytes, ...more };
}

export type Protocol = keyof typeof PLACES;
export const PROTOCOLS = Object.keys(PLACES) as Protocol[];

/** True for protocols whose events are lines of text. */
export function isText(protocol: Protocol): boolean {
  return PLACES[protocol] === LINES;
}

const SLOTS = 1024; // objects that one meter says; a large read-out has some hundreds
const EVENT_FIELDS = "kind unit code address quantity reason answerUs values bytes";
const READING_FIELDS =
  "kind unit unitCode address name nameBytes digitsLow digitsHigh decimals values bytes id";

/** The AssemblyScript of the entry. */
export function entryOf(protocol: Protocol): string {
  const found = PLACES[protocol];
  return found === LINES ? linesEntry() : eventsEntry(found);
}

function eventsEntry({ file, word, tap, bytes, ...has }: Place): string {
  const lower = word[0]!.toLowerCase() + word.slice(1);
  const names = [
    ...[tap, bytes, `start${word}`, `put${word}`, `take${word}`],
    ...[`noteIdle${word}`, `${lower}Counters`],
    ...(has.undecided ? [`${lower}Undecided`] : []),
    ...(has.objects ? [`${lower}Objects`] : []),
    ...(has.records ? [`${lower}Records`] : []),
  ];
  const undecided = has.undecided ? `${lower}Undecided(changetype<${tap}>(TAP))` : "0";
  return `${head(names, file)}
import { KEY_FREE, objectSlot, OBJECT_SLOT_BYTES, wantObjects } from "../firmware/loop/tap/object";

const TAP = memory.data(<i32>${bytes}, 8);
const SLOTS = memory.data(${has.objects ? SLOTS : 1} * <i32>OBJECT_SLOT_BYTES, 8);

export function start(characterUs: i32, terminator: i32, afterReturn: i32): void {
  start${word}(changetype<${tap}>(TAP), characterUs, now_us());
${has.objects ? freeSlots(lower, tap) : ""}}

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
  return ${undecided};
}

function tell(): void {
  const x = changetype<${tap}>(TAP);
  const e = changetype<TapEvent>(EVENT);
  while (take${word}(x, e)) {
    const digitsLow = <i32>e.digits;
    const digitsHigh = <i32>(e.digits >> 32);
    const id: i32 = ${has.records ? `${lower}Records(x).id` : "0"};
    if (e.kind == TAP_EVENT_READING || e.kind == TAP_EVENT_TEXT)
      tap_reading(${pass(READING_FIELDS)});
    else tap_event(${pass(EVENT_FIELDS)});
  }
}
`;
}

function freeSlots(lower: string, tap: string): string {
  return `  const objects = ${lower}Objects(changetype<${tap}>(TAP));
  wantObjects(objects, SLOTS, ${SLOTS});
  for (let i = 0; i < ${SLOTS}; i++) objectSlot(objects, i).key = KEY_FREE;
`;
}

// A line is whole when its end came; the node then looks for its patterns, here it is told.
function linesEntry(): string {
  const names = ["LineTap", "LINE_TAP_BYTES", "startLine", "putLineOctet", "countLine"];
  return `${head([...names, "lineCounters", "lineLength", "lineOctets"], "line")}

const TAP = memory.data(<i32>LINE_TAP_BYTES, 8);

export function start(characterUs: i32, terminator: i32, afterReturn: i32): void {
  const x = changetype<LineTap>(TAP);
  x.characterUs = characterUs;
  x.terminator = terminator;
  x.afterReturn = afterReturn;
  startLine(x, now_us());
}

export function tick(): void {
  const x = changetype<LineTap>(TAP);
  let count = tap_take(0, ENTRIES, CAPACITY);
  while (count > 0) {
    for (let i = 0; i < count; i++) {
      const entry = ENTRIES + i * ${TAP_ENTRY_BYTES};
      if (putLineOctet(x, load<u8>(entry + 4), load<u8>(entry + 5), load<u32>(entry))) tell();
    }
    count = tap_take(0, ENTRIES, CAPACITY);
  }
}

export function counters(): usize {
  return lineCounters(changetype<LineTap>(TAP));
}

export function undecided(): i32 {
  return changetype<LineTap>(TAP).length;
}

function tell(): void {
  const x = changetype<LineTap>(TAP);
  const e = changetype<TapEvent>(EVENT);
  e.kind = TAP_EVENT_TEXT;
  e.unit = UNIT_NONE;
  e.values = lineOctets(x);
  e.bytes = lineLength(x);
  const id = 0;
  const digitsLow = 0;
  const digitsHigh = 0;
  if (e.bytes > 0) tap_reading(${pass(READING_FIELDS)});
  countLine(x, e.bytes > 0);
}
`;
}

function head(names: readonly string[], file: string): string {
  return `import { now_us, tap_take } from "../firmware/loop/abi";
import { TapEvent, TAP_EVENT_READING, TAP_EVENT_TEXT, UNIT_NONE } from "../firmware/loop/tap/event";
import { ${names.join(", ")} } from "../firmware/loop/tap/${file}";

${declare("tap_event", EVENT_FIELDS)}
${declare("tap_reading", READING_FIELDS)}

const CAPACITY: i32 = ${TAP_ENTRIES_PER_TICK};
const ENTRIES = memory.data(${TAP_ENTRIES_PER_TICK * TAP_ENTRY_BYTES}, 4);
const EVENT = memory.data(offsetof<TapEvent>(), 8);`;
}

function declare(name: string, fields: string): string {
  const list = fields.split(" ").map((field) => `${field}: i32`);
  return `@external("host", "${name}")\ndeclare function ${name}(${list.join(", ")}): void;`;
}

function pass(fields: string): string {
  return fields
    .split(" ")
    .map((field) => (/^(digits|id$)/.test(field) ? field : `<i32>e.${field}`))
    .join(", ");
}
