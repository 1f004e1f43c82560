// SPDX-License-Identifier: MIT
// WebAssembly to C for microcontrollers: a module in, a C file and its header out.
//
//   octets ► decode ► start runs here ► C
//
// SPEC.md has the interface of the C. Nothing of a runtime is needed but memset, memmove and memcpy.

import { analyse, type HostPointer, type Knowledge } from "./analyse/index.ts";
import { accessFacts, reasonsOf, safeDivisions } from "./analyse/facts.ts";
import { canTrap, rangeAt, simplify, withoutProven } from "./analyse/simplify.ts";
import { type HoistedTests, splitLoops } from "./analyse/split.ts";
import { versionLoops } from "./analyse/version.ts";
import { reachable, recursiveFunctions, rootsOf } from "./calls.ts";
import { decodeModule } from "./decode/index.ts";
import { headerText, moduleText } from "./emit/module.ts";
import type { Names, Shape } from "./emit/writer.ts";
import { AotError } from "./failure.ts";
import { memoryObjects } from "./emit/objects.ts";
import { inlineSmall } from "./inline.ts";
import { type Module, PAGE_BYTES, type Statement } from "./ir.ts";
import { exportNames, importNames } from "./names.ts";
import { shapeBody } from "./shape.ts";
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
  const memoryBytes = chooseMemory(module, options.memoryBytes);
  const grows = growsInside(module, memoryBytes); // before improve() drops a memory.grow
  const known = options.checks === "all" ? undefined : improve(module, memoryBytes, options);
  const live = liveFunctions(module);
  const facts = known === undefined ? new Map() : accessFacts(known);
  const shape: Shape = {
    module,
    names: nameAll(module, options),
    bytes: memoryBytes,
    grows,
    live,
    recursive: recursiveFunctions(module),
    facts,
    spans: known?.spans ?? new Map(),
    entered: known?.entered ?? new Map(),
    safeDivisions: known === undefined ? new Set() : safeDivisions(known),
    objects:
      known === undefined || module.start !== null
        ? []
        : memoryObjects(bodiesOf(module, live), options.name, memoryBytes, {
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
function improve(module: Module, bytesMax: number, options: AotOptions): Knowledge | undefined {
  const bytesMin = growsInside(module, bytesMax) ? module.memory!.pages * PAGE_BYTES : bytesMax;
  const again = (hoisted?: HoistedTests): Knowledge | undefined => {
    const known = analyse(module, { bytesMin, bytesMax }, options, hoisted);
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
  for (const func of module.functions) {
    func.body = flatten(withoutProven(func.body));
    shapeBody(func, (node) => canTrap(known, node));
  }
  return known;
}

function nameAll(module: Module, options: AotOptions): Names {
  const prefix = options.name;
  const importName = importNames(module, prefix, options.imports ?? {});
  const exported = exportNames(module, prefix);
  const globals = module.globals.map(({ imported }, i) => {
    if (imported !== undefined) return importName(imported);
    const at = module.exports.findIndex((item) => item.kind === "global" && item.index === i);
    return at < 0 ? `g${i}` : exported[at]!;
  });
  const functions = [
    ...module.imports.map((item) => importName(item)),
    ...module.functions.map(({ index }) => `f${index}`),
  ];
  refuseConflicts(module, functions);
  return { prefix, functions, globals, memory: `${prefix}_memory` };
}

// C has no overloading: one name, one signature.
function refuseConflicts(module: Module, names: readonly string[]): void {
  const signatures = new Map<string, string>();
  module.imports.forEach(({ signature, module: from, field }, i) => {
    const text = JSON.stringify(signature);
    const other = signatures.get(names[i]!);
    if (other !== undefined && other !== text)
      throw new AotError(
        `two imports are ${names[i]} in C with different types; name ${from}.${field} in --imports`,
      );
    signatures.set(names[i]!, text);
  });
}

// What nobody reaches keeps its number and is left out.
function liveFunctions(module: Module): Set<number> {
  const roots = rootsOf(module);
  if (module.exports.some(({ kind }) => kind === "table"))
    for (const { functions } of module.elements)
      for (const index of functions) if (index !== null) roots.push(index);
  return reachable(module, roots);
}

function bodiesOf({ functions }: Module, live: ReadonlySet<number>): Statement[][] {
  return functions.filter(({ index }) => live.has(index)).map(({ body }) => body);
}

function chooseMemory(module: Module, wanted: number | undefined): number {
  if (module.memory === null) return 0;
  const bytes = wanted ?? module.memory.pages * PAGE_BYTES;
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > MEMORY_BYTES_MAX)
    throw new AotError(`a memory of ${bytes} octets: 0..${MEMORY_BYTES_MAX} are possible`);
  for (const { place, bytes: data } of module.data) {
    if (typeof place === "string" || !("at" in place)) continue;
    if (place.at + data.length > bytes && bytes < module.memory.pages * PAGE_BYTES)
      throw new AotError(
        `the module's data end at ${place.at + data.length}: more than --memory ${bytes}`,
      );
  }
  return growsInside(module, bytes) ? bytes : Math.min(bytes, module.memory.pages * PAGE_BYTES);
}

function growsInside(module: Module, bytes: number): boolean {
  if (module.memory === null) return false;
  if (Math.min(Math.floor(bytes / PAGE_BYTES), module.memory.pagesMax) <= module.memory.pages)
    return false;
  return module.functions.some(({ body }) => {
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
