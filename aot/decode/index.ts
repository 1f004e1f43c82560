// SPDX-License-Identifier: MIT
// From the octets of a module to functions as statements.
//
// Whether a module is valid is the engine's word (V8's, the same that runs it in the simulator); what is
// valid and not translated is refused by name.

import { AotError } from "../failure.ts";
import type { Func, Module } from "../ir.ts";
import { decodeBody } from "./code.ts";
import { readSections } from "./sections.ts";

/** Decodes a module. Throws AotError when it is not valid, or uses what is not supported. */
export function decodeModule(bytes: Uint8Array): Module {
  validate(bytes);
  const sections = readSections(bytes);
  const functions: Func[] = sections.functionTypes.map((type, i) => ({
    index: sections.imports.length + i,
    octet: sections.code[i]!.position,
    type,
    signature: sections.types[type]!,
    locals: [],
    body: [],
  }));
  const module: Module = {
    types: sections.types,
    imports: sections.imports,
    functions,
    globals: sections.globals,
    table: sections.tables[0] ?? null,
    memory: sections.memories[0] ?? null,
    exports: sections.exports,
    start: sections.start,
    data: sections.data,
    elements: sections.elements,
  };
  functions.forEach((func, i) => decodeBody(module, func, bytes, sections.code[i]!));
  return module;
}

function validate(bytes: Uint8Array): void {
  try {
    void new WebAssembly.Module(bytes as BufferSource);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const proposal = /--experimental-wasm-([\w-]+)/.exec(reason)?.[1];
    if (proposal !== undefined)
      throw new AotError(`the WebAssembly proposal "${proposal}" is not supported`);
    throw new AotError(`not a valid WebAssembly module: ${reason.replace(/^.*?\(\): /, "")}`);
  }
}
