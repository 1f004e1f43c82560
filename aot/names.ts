// SPDX-License-Identifier: MIT
// Names in C of what a module imports and exports.
//
// An export is `X_<export>`, an import `<module>_<field>`; other characters become an underscore. A name that
// is taken (X_init and the like are the translator's own) gets `_2`, `_3`, … in the order of the module:
// exports first, then what is imported: functions, globals, memory, table. A memory or a table has a second
// name, of its size.

import type { Names } from "./emit/writer.ts";
import { AotError } from "./failure.ts";
import type { Module, Origin } from "./ir.ts";
import { sharesTable } from "./sharing.ts";

const OWN = [
  "init",
  "trap",
  "fail",
  "memory",
  "memory_size",
  "table",
  "table_size",
  "depth",
  "grow",
];
const SEGMENT = /^(data|element)\d+(_length)?$/; // the translator's own, behind the prefix
// What the C file defines for itself, words of C, and what it takes from outside.
const RESERVED = new RegExp(
  "^([fglt]\\d+|u(8|16|32|64)m|RARE|mem(set|move|copy|cpy)|_[A-Z_]\\w*|(u?int|uintptr|size)\\w*_t" +
    "|(load|store|popcnt|rot[lr]|clz|ctz)\\d+|sat_[su](32|64)_f(32|64)|f(32|64)_(of|bits)" +
    "|wasm_(depth|type_\\w*)|(min|max|copysign|abs|neg|trunc|floor|ceil|nearest|sqrt)_f(32|64)" +
    "|auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if" +
    "|inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef" +
    "|union|unsigned|void|volatile|while|main|asm)$",
);

/** Any name as a C identifier, but for a digit that it may begin with. */
export function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

/** C names of exports by their place in the list. A memory is always `X_memory`, a table may be `X_table`. */
export function exportNames(module: Module, prefix: string): string[] {
  const taken = new Set(OWN);
  const refused = (text: string): boolean => SEGMENT.test(text);
  return module.exports.map(({ name, kind }) => {
    if (kind === "memory") return `${prefix}_memory`;
    const wanted = identifier(name);
    if (kind !== "table") return `${prefix}_${claim(taken, wanted, refused)}`;
    return `${prefix}_${name === "table" ? name : claim(taken, wanted, refused, SIZED)}`;
  });
}

/** Every name in C. Throws AotError. */
export function nameAll(
  module: Module,
  prefix: string,
  given: Readonly<Record<string, string>>,
): Names {
  const importName = importNames(module, prefix, given);
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
  const memoryOrigin = module.memory?.imported;
  const memory = memoryOrigin === undefined ? `${prefix}_memory` : importName(memoryOrigin);
  const tableAt = module.exports.findIndex(({ kind }) => kind === "table");
  const tableOrigin = module.table?.imported;
  const table =
    tableOrigin === undefined ? (exported[tableAt] ?? `${prefix}_table`) : importName(tableOrigin);
  const depth = sharesTable(module) ? "wasm_depth" : `${prefix}_depth`;
  const names = { prefix, functions, globals, memory, table, depth };
  refuseConflicts(module, names);
  return names;
}

// C has no overloading: one name, one type.
function refuseConflicts(module: Module, names: Names): void {
  const types = new Map<string, string>();
  const claimed = (name: string, type: string, { module: from, field }: Origin): void => {
    const other = types.get(name);
    if (other !== undefined && other !== type)
      throw new AotError(
        `two imports are ${name} in C with different types; name ${from}.${field} in --imports`,
      );
    types.set(name, type);
  };
  module.imports.forEach((item, i) => {
    claimed(names.functions[i]!, JSON.stringify(item.signature), item);
  });
  module.globals.forEach(({ imported, type, mutable }, i) => {
    if (imported !== undefined) claimed(names.globals[i]!, `${type} ${mutable}`, imported);
  });
  if (module.memory?.imported !== undefined)
    claimed(names.memory, "memory", module.memory.imported);
  if (module.table?.imported !== undefined) claimed(names.table, "table", module.table.imported);
}

const SIZED = ["", "_size"]; // what is claimed for a memory or table N: N and N_size

/** C names of imports: what the list says, else `<module>_<field>`. Throws AotError. */
export function importNames(
  module: Module,
  prefix: string,
  given: Readonly<Record<string, string>>,
): (item: Origin) => string {
  const exported = exportNames(module, prefix);
  const tables = exported.filter((_, i) => module.exports[i]!.kind === "table");
  const taken = new Set([
    ...OWN.map((own) => `${prefix}_${own}`),
    ...[...exported, ...tables.map((table) => `${table}_size`)],
  ]);
  const ownSegment = (text: string): boolean =>
    text.startsWith(`${prefix}_`) && SEGMENT.test(text.slice(prefix.length + 1));
  const names = new Map<string, string>();
  const others = [...module.globals, module.memory, module.table];
  const sized: (Origin | undefined)[] = [module.memory?.imported, module.table?.imported];
  for (const item of [...module.imports, ...others.flatMap((thing) => thing?.imported ?? [])]) {
    const endings = sized.includes(item) ? SIZED : [""];
    if (names.has(keyOf(item))) continue; // the same thing twice
    const key = `${item.module}.${item.field}`;
    const chosen = given[key];
    if (chosen !== undefined && !/^[A-Za-z_][A-Za-z0-9_]*$/.test(chosen))
      throw new AotError(`the import ${key} is called "${chosen}": no C identifier`);
    if (
      chosen !== undefined &&
      (RESERVED.test(chosen) || endings.some((e) => taken.has(chosen + e)))
    )
      throw new AotError(`the import ${key} is called "${chosen}": that name is taken`);
    const wanted = chosen ?? identifier(`${item.module}_${item.field}`).replace(/^(?=\d)/, "_");
    const refused = (text: string): boolean => RESERVED.test(text) || ownSegment(text);
    names.set(keyOf(item), claim(taken, wanted, refused, endings));
  }
  return (item) => names.get(keyOf(item))!;
}

function keyOf({ module, field }: Origin): string {
  return JSON.stringify([module, field]);
}

// The first of wanted, wanted_2, wanted_3, … that nobody has.
function claim(
  taken: Set<string>,
  wanted: string,
  refused: (text: string) => boolean,
  endings: readonly string[] = [""],
): string {
  let text = wanted;
  const isFree = (): boolean =>
    !refused(text) && endings.every((ending) => !taken.has(`${text}${ending}`));
  for (let i = 2; !isFree(); i++) text = `${wanted}_${i}`;
  for (const ending of endings) taken.add(`${text}${ending}`);
  return text;
}
