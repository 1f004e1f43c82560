// SPDX-License-Identifier: MIT
// WebAssembly to C for microcontrollers: a module in, a C file and its header out.
//
//   octets ► decode ► start runs here ► small functions inlined ► what is proven ► C
//
// SPEC.md has the interface of the C. Nothing of a runtime is needed but memset, memmove and memcpy.

import { analyse, type HostPointer, type Knowledge } from "./analyse/index.ts";
import type { Sizes } from "./analyse/program.ts";
import { accessFacts, reasonsOf, safeDivisions } from "./analyse/facts.ts";
import { computeLines } from "./analyse/lines.ts";
import { canTrap, rangeAt, simplify, withoutProven } from "./analyse/simplify.ts";
import { type HoistedTests, splitLoops } from "./analyse/split.ts";
import { versionLoops } from "./analyse/version.ts";
import { reachable, recursiveFunctions, rootsOf } from "./calls.ts";
import { decodeModule } from "./decode/index.ts";
import { headerText, moduleText } from "./emit/module.ts";
import type { Shape } from "./emit/writer.ts";
import { AotError } from "./failure.ts";
import { memoryObjects } from "./emit/objects.ts";
import { inlineSmall } from "./inline.ts";
import { type Module, PAGE_BYTES, type Statement } from "./ir.ts";
import { nameAll } from "./names.ts";
import { shapeBody } from "./shape.ts";
import { sharesMemory, sharesTable } from "./sharing.ts";
import { flatten } from "./structure.ts";
import { takeSnapshot } from "./snapshot.ts";
import { eachStatement } from "./walk.ts";

export { AotError } from "./failure.ts";
export type { HostPointer } from "./analyse/index.ts";

export const MEMORY_BYTES_MAX = 256 * 1024 * 1024; // static storage of a host's process

export interface AotOptions {
  name: string; // prefix of what the C exports
  memoryBytes?: number; // of static memory; else the module's initial pages
  imports?: Readonly<Record<string, string>>; // "module.field" to C names
  headerFile?: string; // as the C includes it; else name.h
  checks?: "needed" | "all"; // "all" keeps also what is proven not to trap; else "needed"
  /** Where an import writes memory, by "module.field"; one that is not listed writes everywhere and calls exports. */
  hostPointers?: Readonly<Record<string, readonly HostPointer[]>>;
  /** Addresses of exported memory that the host writes between calls; without it, everywhere. */
  hostWrites?: readonly { from: number; to: number }[];
}

export interface AotResult {
  c: string;
  header: string;
  reasons: string[]; // a line each: which check was left out, and why
}

/** Translates a module. Throws AotError. */
export function translate(bytes: Uint8Array, options: AotOptions): AotResult {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(options.name))
    throw new AotError(`"${options.name}" is no C identifier: give another --name`);
  const module = decodeModule(bytes);
  takeSnapshot(module, bytes, options.memoryBytes);
  const sizes = chooseMemory(module, options);
  const known = options.checks === "all" ? undefined : improve(module, sizes, options);
  const live = reachable(module, rootsOf(module));
  const facts = known === undefined ? new Map() : accessFacts(known);
  const shape: Shape = {
    module,
    names: nameAll(module, options.name, options.imports ?? {}),
    bytes: sizes.bytes,
    grows: sizes.grows,
    shared: { memory: sizes.shared, table: sharesTable(module) },
    live,
    recursive: recursiveFunctions(module),
    facts,
    spans: known?.spans ?? new Map(),
    entered: known?.entered ?? new Map(),
    safeDivisions: known === undefined ? new Set() : safeDivisions(known),
    objects:
      known === undefined || module.start !== null || module.memory?.imported !== undefined
        ? []
        : memoryObjects(bodiesOf(module, live), options.name, sizes.bytes, {
            facts,
            spans: known.spans,
          }),
    rangeOf: (node) => (known === undefined ? undefined : rangeAt(known, node)),
    segmentsUsed: segmentsUsed(module),
    helpers: new Set(),
  };
  const header = options.headerFile ?? `${options.name}.h`;
  return {
    c: moduleText(shape, header),
    header: headerText(shape, header),
    reasons: reasonsOf(shape),
  };
}

// What the analysis proves, and the module without what it proved superfluous.
function improve(module: Module, sizes: Sizes, options: AotOptions): Knowledge | undefined {
  const again = (hoisted?: HoistedTests): Knowledge | undefined => {
    const known = analyse(module, sizes, options, hoisted);
    if (known !== undefined) simplify(known);
    for (const func of module.functions) func.body = flatten(func.body);
    return known;
  };
  inlineSmall(module);
  for (const func of module.functions) func.body = flatten(func.body);
  let known = again();
  if (known !== undefined) {
    const hoisted = splitLoops(module, known);
    const twice = versionLoops(module, hoisted);
    if (twice || hoisted.size > 0) known = again(hoisted);
  }
  if (known === undefined) return undefined;
  computeLines(known);
  for (const func of module.functions) {
    func.body = flatten(withoutProven(func.body));
    shapeBody(func, (node) => canTrap(known, node));
  }
  return known;
}

function bodiesOf({ functions }: Module, live: ReadonlySet<number>): Statement[][] {
  return functions.filter(({ index }) => live.has(index)).map(({ body }) => body);
}

interface MemorySizes extends Sizes {
  bytes: number; // in C; of an imported memory what it must have at least
  grows: boolean; // its size is a variable
  shared: boolean;
}

function chooseMemory(module: Module, options: AotOptions): MemorySizes {
  const { memory } = module;
  if (memory === null) return { bytes: 0, bytesMin: 0, bytesMax: 0, grows: false, shared: false };
  const declared = memory.pages * PAGE_BYTES;
  const bytes = options.memoryBytes ?? declared;
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > MEMORY_BYTES_MAX)
    throw new AotError(`a memory of ${bytes} octets: 0..${MEMORY_BYTES_MAX} are possible`);
  refuseDataBeyond(module, Math.min(bytes, declared));
  const shared = sharesMemory(module, options.hostWrites !== undefined);
  const least = Math.min(bytes, declared);
  if (memory.imported !== undefined)
    return { bytes: least, bytesMin: least, bytesMax: IMPORTED_BYTES_MAX, grows: true, shared };
  const room = Math.min(Math.floor(bytes / PAGE_BYTES), memory.pagesMax) > memory.pages;
  const grows = room && (shared || growsInside(module));
  const most = grows ? bytes : least;
  return { bytes: most, bytesMin: grows ? declared : most, bytesMax: most, grows, shared };
}

const IMPORTED_BYTES_MAX = 2 ** 32 - 1; // what the size of a shared memory can say

function refuseDataBeyond({ data, memory }: Module, bytes: number): void {
  if (bytes >= memory!.pages * PAGE_BYTES) return;
  for (const { place, bytes: octets } of data)
    if (typeof place !== "string" && "at" in place && place.at + octets.length > bytes)
      throw new AotError(
        `the module's data end at ${place.at + octets.length}: more than --memory ${bytes}`,
      );
}

function growsInside({ functions }: Module): boolean {
  return functions.some(({ body }) => {
    let grows = false;
    eachStatement(body, ({ kind }) => (grows ||= kind === "grow"));
    return grows;
  });
}

function segmentsUsed(module: Module): Set<string> {
  const used = new Set<string>();
  for (const { body } of module.functions)
    eachStatement(body, (statement) => {
      if (statement.kind === "dropSegment") used.add(`${statement.of}${statement.segment}`);
      if (statement.kind === "bulk" && statement.op.endsWith("init"))
        used.add(`${statement.op.startsWith("memory") ? "data" : "element"}${statement.segment}`);
    });
  return used;
}
