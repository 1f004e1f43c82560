// SPDX-License-Identifier: MIT
// Names in C of what a module imports and exports.
//
// An export is `X_<export>`, an import `<module>_<field>`; other characters become an underscore. A name that
// is taken (X_init and the like are the translator's own) gets `_2`, `_3`, … in the order of the module:
// exports first, then functions and globals that are imported.

import { AotError } from "./failure.ts";
import type { Module } from "./ir.ts";

const OWN = ["init", "trap", "memory", "memory_bytes", "memory_pages", "table", "depth", "grow"];
const SEGMENT = /^(data|element)\d+(_length)?$/; // the translator's own, behind the prefix
// What the C file defines for itself, words of C, and what it takes from outside.
const RESERVED = new RegExp(
  "^([fglt]\\d+|u(8|16|32|64)m|RARE|mem(set|move|copy|cpy)|_[A-Z_]\\w*|(u?int|uintptr|size)\\w*_t" +
    "|(load|store|popcnt|rot[lr]|clz|ctz)\\d+|sat_[su](32|64)_f(32|64)|f(32|64)_(of|bits)" +
    "|(min|max|copysign|abs|neg|trunc|floor|ceil|nearest|sqrt)_f(32|64)" +
    "|auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if" +
    "|inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef" +
    "|union|unsigned|void|volatile|while|main|asm)$",
);

type Imported = { module: string; field: string };

/** Any name as a C identifier, but for a digit that it may begin with. */
export function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

/** C names of exports by their place in the list. A memory is always `X_memory`. */
export function exportNames(module: Module, prefix: string): string[] {
  const taken = new Set(OWN);
  return module.exports.map(({ name, kind }) => {
    if (kind === "memory") return `${prefix}_memory`;
    const wanted = identifier(name);
    return `${prefix}_${claim(taken, wanted, (text) => SEGMENT.test(text))}`;
  });
}

/** C names of imports: what the list says, else `<module>_<field>`. Throws AotError. */
export function importNames(
  module: Module,
  prefix: string,
  given: Readonly<Record<string, string>>,
): (item: Imported) => string {
  const taken = new Set([...OWN.map((own) => `${prefix}_${own}`), ...exportNames(module, prefix)]);
  const ownSegment = (text: string): boolean =>
    text.startsWith(`${prefix}_`) && SEGMENT.test(text.slice(prefix.length + 1));
  const names = new Map<string, string>();
  const globals = module.globals.flatMap(({ imported }) => imported ?? []);
  for (const item of [...module.imports, ...globals]) {
    if (names.has(keyOf(item))) continue; // the same thing twice
    const key = `${item.module}.${item.field}`;
    const chosen = given[key];
    if (chosen !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(chosen))
      throw new AotError(`the import ${key} is called "${chosen}": no C identifier`);
    if (chosen !== undefined && (RESERVED.test(chosen) || taken.has(chosen)))
      throw new AotError(`the import ${key} is called "${chosen}": that name is taken`);
    const wanted = chosen ?? identifier(`${item.module}_${item.field}`).replace(/^(?=\d)/, "_");
    names.set(
      keyOf(item),
      claim(taken, wanted, (text) => RESERVED.test(text) || ownSegment(text)),
    );
  }
  return (item) => names.get(keyOf(item))!;
}

function keyOf({ module, field }: Imported): string {
  return JSON.stringify([module, field]);
}

// The first of wanted, wanted_2, wanted_3, … that nobody has.
function claim(taken: Set<string>, wanted: string, refused: (text: string) => boolean): string {
  let text = wanted;
  for (let i = 2; taken.has(text) || refused(text); i++) text = `${wanted}_${i}`;
  taken.add(text);
  return text;
}
