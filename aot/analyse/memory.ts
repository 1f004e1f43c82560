// SPDX-License-Identifier: MIT
// What linear memory may hold at any time: first contents, and stores.
//
// Octets count as constant until some store may reach them. The facts only ever weaken, and the module is
// analysed until none changes: then each store was seen by an analysis whose facts held until that store.
// A cell is the target of stores with one constant address and size; its values have a range. Octets that
// other stores reach are `scattered`: nothing is known of them.

import {
  constant,
  isFewConstants,
  joinRanges,
  type Range,
  sameRange,
  widenRange,
} from "./range.ts";
import { cellKey } from "./state.ts";

const TABLE_ENTRIES_MAX = 1024;
const GROWTHS_MAX = 6; // of a cell's range before it is widened

export interface MemoryFacts {
  view: DataView;
  bytesMin: number; // an access that ends here or before is in bounds
  bytesMax: number; // one that ends behind it is not
  scattered: Uint8Array;
  owner: Float64Array; // cell key of the cell an octet is in, or 0
  cells: Map<number, { range: Range; growths: number }>;
  tables: Map<string, Range>; // ranges already read off
  version: number; // rises with each change
}

/** Facts of memory that begins as `image`; of octets behind it, as of another module's, nothing is known. */
export function makeMemory(
  image: Uint8Array,
  { bytesMin, bytesMax }: Pick<MemoryFacts, "bytesMin" | "bytesMax">,
): MemoryFacts {
  return {
    view: new DataView(image.buffer, image.byteOffset, image.byteLength),
    bytesMin,
    bytesMax,
    scattered: new Uint8Array(image.length),
    owner: new Float64Array(image.length),
    cells: new Map(),
    tables: new Map(),
    version: 1,
  };
}

/** Octets from `start` up to `end` may become anything. */
export function scatter(memory: MemoryFacts, start: number, end: number): void {
  const { scattered } = memory;
  const last = Math.min(end, scattered.length);
  const first = scattered.indexOf(0, Math.max(start, 0));
  if (first < 0 || first >= last) return;
  scattered.fill(1, first, last);
  memory.version++;
}

/** A store to a constant address, of a value within a range. */
export function storeCell(memory: MemoryFacts, address: number, bytes: number, value: Range): void {
  const key = cellKey(address, bytes);
  const { owner, cells } = memory;
  for (let at = address; at < address + bytes; at++) {
    if (owner[at] === 0) owner[at] = key;
    else if (owner[at] !== key) return scatterCells(memory, address, bytes);
  }
  const cell = cells.get(key);
  const last = cell?.range ?? contents(memory, address, bytes);
  const joined = joinRanges(last, value);
  if (cell !== undefined && sameRange(joined, last)) return;
  const growths = (cell?.growths ?? 0) + 1;
  const widen = growths > GROWTHS_MAX && !isFewConstants(joined);
  const range = widen ? widenRange(last, joined, []) : joined;
  cells.set(key, { range, growths });
  memory.version++;
}

// Cells that overlap are none: all of their octets are scattered.
function scatterCells(memory: MemoryFacts, address: number, bytes: number): void {
  scatter(memory, address, address + bytes);
  for (let at = address; at < address + bytes; at++) {
    const key = memory.owner[at]!;
    const start = Math.floor(key / 16);
    scatter(memory, start, start + (key % 16));
  }
}

/** What a cell may hold at any time, zero-extended; undefined when nothing is known. */
export function cellRange(memory: MemoryFacts, address: number, bytes: number): Range | undefined {
  const key = cellKey(address, bytes);
  let owned = 0;
  for (let at = address; at < address + bytes; at++) {
    if (memory.scattered[at] === 1) return undefined;
    if (memory.owner[at] === key) owned++;
    else if (memory.owner[at] !== 0) return undefined;
  }
  if (owned === 0) return contents(memory, address, bytes);
  return memory.cells.get(key)?.range;
}

/** What a read-only table has from `first` to `last` at a stride, zero-extended; undefined when unknown. */
export function tableRange(
  memory: MemoryFacts,
  place: { first: number; last: number; stride: number; bytes: number },
): Range | undefined {
  const { first, last, stride, bytes } = place;
  if ((last - first) / stride > TABLE_ENTRIES_MAX) return undefined;
  if (!isFixed(memory, first, last + bytes)) return undefined;
  const key = `${first} ${last} ${stride} ${bytes}`;
  const known = memory.tables.get(key);
  if (known !== undefined) return known;
  let range = contents(memory, first, bytes);
  for (let at = first + stride; at <= last; at += stride)
    range = joinRanges(range, contents(memory, at, bytes));
  memory.tables.set(key, range);
  return range;
}

/** True when no store reaches octets from `start` up to `end`. */
export function isFixed({ scattered, owner }: MemoryFacts, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (scattered[at] === 1 || owner[at] !== 0) return false;
  return true;
}

function contents({ view }: MemoryFacts, address: number, bytes: number): Range {
  if (bytes === 1) return constant(view.getUint8(address));
  if (bytes === 2) return constant(view.getUint16(address, true));
  return constant(view.getUint32(address, true));
}
