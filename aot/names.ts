// SPDX-License-Identifier: MIT
// Names in C of what a module imports and exports.
//
// An export is `X_<export>`, an import `<module>_<field>`; other characters become an underscore. A name that
// is taken (X_init and the like are the translator's own) gets `_2`, `_3`, … in the order of the exports.

import { AotError } from "./failure.ts";
import type { Module } from "./ir.ts";

const OWN = ["init", "trap", "memory", "memory_bytes", "table", "depth", "grow"];

/** Any name as a C identifier. */
export function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

/** C names of exports by their place in the list. A memory is always `X_memory`. */
export function exportNames(module: Module, prefix: string): string[] {
  const taken = new Set(OWN.map((own) => `${prefix}_${own}`));
  return module.exports.map(({ name, kind }) => {
    if (kind === "memory") return `${prefix}_memory`;
    const wanted = `${prefix}_${identifier(name)}`;
    let text = wanted;
    for (let i = 2; taken.has(text); i++) text = `${wanted}_${i}`;
    taken.add(text);
    return text;
  });
}

/** C name of an import: what the list says, else `<module>_<field>`. Throws AotError. */
export function importName(
  { module, field }: { module: string; field: string },
  given: Readonly<Record<string, string>>,
): string {
  const chosen = given[`${module}.${field}`];
  if (chosen === undefined) return identifier(`${module}_${field}`);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(chosen))
    throw new AotError(`the import ${module}.${field} is called "${chosen}": no C identifier`);
  return chosen;
}
