// SPDX-License-Identifier: MIT
// Types of functions in C: parameters, one result or a struct of several.

import type { Signature, ValueType } from "../ir.ts";
import { C_TYPES, type Shape } from "./writer.ts";

/** The C type of what a function returns. */
export function resultType({ results }: Signature): string {
  if (results.length === 0) return "void";
  if (results.length === 1) return C_TYPES[results[0]!];
  return `struct wasm_${results.join("_")}`;
}

/** Definitions of the structs that several results need, each guarded, since headers meet. */
export function resultStructs(signatures: readonly Signature[]): string[] {
  const seen = new Set<string>();
  const texts: string[] = [];
  for (const signature of signatures) {
    const name = resultType(signature);
    if (signature.results.length < 2 || seen.has(name)) continue;
    seen.add(name);
    const guard = name.replace("struct ", "").toUpperCase();
    const fields = signature.results.map((type, i) => `${C_TYPES[type]} v${i};`).join(" ");
    texts.push(`#ifndef ${guard}\n#define ${guard}\n${name} { ${fields} };\n#endif`);
  }
  return texts;
}

/** A prototype without its semicolon. Parameters are named l0, l1, … as locals are. */
export function prototype(name: string, signature: Signature): string {
  const list = signature.parameters.map((type, i) => `${C_TYPES[type]} l${i}`);
  return `${resultType(signature)} ${name}(${list.length === 0 ? "void" : list.join(", ")})`;
}

/** The type of a pointer to such a function. */
export function functionType(signature: Signature): string {
  const list = signature.parameters.map((type: ValueType) => C_TYPES[type]);
  return `${resultType(signature)} (*)(${list.length === 0 ? "void" : list.join(", ")})`;
}

/**
 * What a slot of the table has as its type, never 0; equal for equal parameters and results, as call_indirect
 * compares structure. In a table of one module a number; among several the address of a variable whose name is
 * the signature, of which the linker keeps one.
 */
export function typeInSlot({ module: { types }, shared }: Shape, index: number): string {
  if (shared.table) return `&${typeVariable(types[index]!)}`;
  const key = (at: number): string => JSON.stringify(types[at]);
  return `${types.findIndex((_, i) => key(i) === key(index)) + 1}u`;
}

/** The variable whose address is a signature in tables that modules share. */
export function typeVariable({ parameters, results }: Signature): string {
  return `wasm_type_${[...parameters, "to", ...results].join("_")}`;
}
