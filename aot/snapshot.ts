// SPDX-License-Identifier: MIT
// Runs the start function here, once, in place of on every device.
//
// Only when start reaches no import, no table and no segment instruction, so that it gives the same on every
// machine. Globals are read through exports that are added for it.

import { reachable } from "./calls.ts";
import { isAtEnd, readByte, readerOf, readU32 } from "./decode/reader.ts";
import { type Global, type Module, PAGE_BYTES } from "./ir.ts";
import { eachStatement } from "./walk.ts";

const EXPORT_SECTION = 7;
const MEMORY_NAME = "#memory";
const globalName = (index: number): string => `#global${index}`;
const RUN_NESTED = /^(callIndirect|dropSegment)$/;

/**
 * Takes start out of a module, its effects put into segments and globals; false when it must stay. What start
 * grows is there from the beginning, unless that is more than `memoryBytes`.
 */
export function takeSnapshot(module: Module, bytes: Uint8Array, memoryBytes = Infinity): boolean {
  if (!canRun(module)) return false;
  const exports = run(bytes, module);
  if (exports === null) return false;
  const memory = exports[MEMORY_NAME] as WebAssembly.Memory | undefined;
  if (memory !== undefined && module.memory !== null) {
    const pages = memory.buffer.byteLength / PAGE_BYTES;
    if (pages > module.memory.pages && pages * PAGE_BYTES > memoryBytes) return false;
    module.memory.pages = pages;
  }
  module.globals.forEach((global, index) => {
    const { value } = exports[globalName(index)] as WebAssembly.Global<
      keyof WebAssembly.ValueTypeMap
    >;
    global.initial = bitsOf(global, value);
    delete global.copyOf;
  });
  if (memory !== undefined) replaceData(module, new Uint8Array(memory.buffer));
  module.start = null;
  return true;
}

function canRun(module: Module): boolean {
  const things = [...module.globals, module.memory, module.table];
  if (things.some((thing) => thing?.imported !== undefined)) return false;
  if (module.start === null) return true;
  for (const index of reachable(module, [module.start])) {
    const func = module.functions[index - module.imports.length];
    if (func === undefined) return false; // an import
    let plain = true;
    eachStatement(func.body, (statement) => {
      if (RUN_NESTED.test(statement.kind)) plain = false;
      if (statement.kind === "bulk" && !/copy|fill/.test(statement.op)) plain = false;
      if (statement.kind === "bulk" && statement.op.startsWith("table")) plain = false;
    });
    if (!plain) return false;
  }
  return true;
}

// A start that traps stays, so that the trap is seen where it belongs.
function run(bytes: Uint8Array, module: Module): WebAssembly.Exports | null {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, field } of module.imports) (imports[from] ??= {})[field] = () => 0;
  try {
    const open = new WebAssembly.Module(exposeAll(bytes, module) as BufferSource);
    return new WebAssembly.Instance(open, imports).exports;
  } catch {
    return null;
  }
}

/** The octets of a module with all its globals and its memory exported as well, behind a `#`. */
export function exposeAll(bytes: Uint8Array, module: Module): Uint8Array {
  const added: number[][] = module.globals.map((_, i) => entry(globalName(i), 3, i));
  if (module.memory !== null) added.push(entry(MEMORY_NAME, 2, 0));
  const reader = readerOf(bytes, 8);
  const parts: number[][] = [[...bytes.subarray(0, 8)]];
  let placed = false;
  while (!isAtEnd(reader)) {
    const start = reader.position;
    const id = readByte(reader);
    const length = readU32(reader);
    const body = reader.position;
    reader.position += length;
    if (!placed && id !== 0 && id >= EXPORT_SECTION && id !== 12) {
      placed = true;
      if (id === EXPORT_SECTION) {
        const inside = readerOf(bytes, body, reader.position);
        const count = readU32(inside);
        const kept = [...bytes.subarray(inside.position, reader.position)];
        parts.push(section([...leb(count + added.length), ...kept, ...added.flat()]));
        continue;
      }
      parts.push(section([...leb(added.length), ...added.flat()]));
    }
    parts.push([...bytes.subarray(start, reader.position)]);
  }
  if (!placed) parts.push(section([...leb(added.length), ...added.flat()]));
  return Uint8Array.from(parts.flat());
}

function section(content: readonly number[]): number[] {
  return [EXPORT_SECTION, ...leb(content.length), ...content];
}

function entry(name: string, kind: number, index: number): number[] {
  const text = [...new TextEncoder().encode(name)];
  return [...leb(text.length), ...text, kind, ...leb(index)];
}

function leb(value: number): number[] {
  const octets: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...octets, rest];
    octets.push((rest % 128) | 0x80);
  }
}

function bitsOf(global: Global, value: number | bigint): number | bigint {
  if (global.type === "i32") return Number(value) >>> 0;
  if (global.type === "i64") return BigInt.asUintN(64, value as bigint);
  if (Number.isNaN(value)) return global.initial; // the engine does not tell which NaN
  const view = new DataView(new ArrayBuffer(8));
  if (global.type === "f32") {
    view.setFloat32(0, Number(value));
    return view.getUint32(0);
  }
  view.setFloat64(0, Number(value));
  return view.getBigUint64(0);
}

const GAP = 16; // shorter runs of zeros stay inside a segment

// Active segments become what memory holds; passive ones stay, and keep their numbers.
function replaceData(module: Module, memory: Uint8Array): void {
  for (const segment of module.data)
    if (segment.place !== "passive")
      Object.assign(segment, { place: "dropped", bytes: new Uint8Array() });
  for (let at = 0; at < memory.length;) {
    if (memory[at] === 0) {
      at++;
      continue;
    }
    const end = endOfRun(memory, at);
    module.data.push({ place: { at }, bytes: memory.slice(at, end) });
    at = end;
  }
}

function endOfRun(memory: Uint8Array, start: number): number {
  let end = start + 1;
  for (let at = end; at < memory.length && at < end + GAP; at++) if (memory[at] !== 0) end = at + 1;
  return end;
}
