// SPDX-License-Identifier: MIT
// A whole module as one C file and its header.
//
// Everything is static storage. X_init() makes a new instance: globals, tables, memory as the module says;
// nothing else needs to be called before an export. An export called from outside starts a new count of
// call depth.

import { exportNames } from "../names.ts";
import type { Export, Func, Module, Signature } from "../ir.ts";
import { helperText } from "./helpers.ts";
import { memoryHeader, memoryText } from "./memory.ts";
import { objectText } from "./objects.ts";
import { ANYWHERE } from "./place.ts";
import { dataText, elementText, initLines, tableHeader } from "./segments.ts";
import { statements } from "./statement.ts";
import { prototype, resultStructs } from "./types.ts";
import {
  C_TYPES,
  isFinite,
  line,
  literal,
  type Shape,
  TRAP,
  trapCall,
  trapName,
  type Writer,
} from "./writer.ts";

// x * 1 and the like make a NaN quiet: gcc would leave them out.
const KEEP_NANS = `#ifndef __clang__
#pragma GCC optimize("signaling-nans")
#endif`;

// What was simplified away leaves names behind; behind a trap that always comes stands what C does not allow.
const QUIET = [
  ...["pragmas", "unused-variable", "unused-but-set-variable", "unused-const-variable"],
  ...["unused-label", "unused-function", "unused-parameter", "type-limits", "return-type"],
  ...["div-by-zero", "overflow", "array-bounds", "stringop-overread", "stringop-overflow"],
  ...["infinite-recursion", "memset-transposed-args"],
].map((name) => `#pragma GCC diagnostic ignored "-W${name}"`);

const PRELUDE = `${QUIET.join("\n")}
#include <stddef.h>
#include <stdint.h>

#if __FLT_EVAL_METHOD__ != 0
#error "floats must be computed in their own precision: -msse2 -mfpmath=sse"
#endif
#define RARE(x) __builtin_expect(!!(x), 0)
void *memset(void *, int, size_t);
void *memmove(void *, const void *, size_t);
void *memcpy(void *, const void *, size_t);
typedef uint8_t __attribute__((may_alias)) u8m;
typedef uint16_t __attribute__((may_alias)) u16m;
typedef uint32_t __attribute__((may_alias)) u32m;
typedef uint64_t __attribute__((may_alias, aligned(4))) u64m;`;

// No optimisation looks across it, whatever is compiled or linked together: host and module see the same
// octets under different names.
const BORDER = "WASM_BORDER";
const BORDER_TEXT = `#ifndef ${BORDER}
#define ${BORDER} __attribute__((noipa))
#endif`;

/** The header: what the host calls and what it must have. */
export function headerText(shape: Shape, file: string): string {
  const { module, names } = shape;
  const { prefix } = names;
  const guard = `${prefix.toUpperCase()}_H`;
  const exported = exportNames(module, prefix);
  const lines = [
    `// ${file}: a WebAssembly module as C.`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "#include <stdint.h>",
    BORDER_TEXT,
    ...resultStructs(module.types),
    "",
    "// For the host to define.",
    "// kind: 1 unreachable, 2 memory, 3 table, 4 divide by zero, 5 integer overflow,",
    "// 6 conversion, 7 signature, 8 null element, 9 call depth; offset: of the instruction",
    "// in the module. Never returns.",
    `_Noreturn void ${prefix}_trap(int kind, unsigned function, unsigned offset) ${BORDER};`,
    ...importLines(shape),
    "",
    "// A new instance, also after a trap.",
    `void ${prefix}_init(void) ${BORDER};`,
    ...memoryHeader(shape),
    ...tableHeader(shape, exported),
    ...module.exports.flatMap((item, i) => exportLines(shape, item, exported[i]!)),
    "#endif",
  ];
  return `${lines.join("\n")}\n`;
}

function importLines({ module, names }: Shape): string[] {
  const functions = module.imports.map(
    ({ signature }, i) => `${prototype(names.functions[i]!, signature)} ${BORDER};`,
  );
  const globals = module.globals.flatMap(({ imported, type, mutable }, i) =>
    imported === undefined
      ? []
      : [`extern ${mutable ? "" : "const "}${C_TYPES[type]} ${names.globals[i]};`],
  );
  return [...new Set([...functions, ...globals])];
}

function exportLines(shape: Shape, item: Export, name: string): string[] {
  const { module } = shape;
  if (item.kind === "function")
    return [
      `${prototype(name, signatureAt(module, item.index))} ${BORDER}; // ${ascii(item.name)}`,
    ];
  if (item.kind !== "global") return [];
  const own = shape.names.globals[item.index]!;
  const { type } = module.globals[item.index]!;
  const constant = isConstant(module, item.index) ? "const " : "";
  return [own === name ? `extern ${constant}${C_TYPES[type]} ${name};` : `#define ${name} ${own}`];
}

// A name may hold what makes an editor show other code than there is.
function ascii(name: string): string {
  return JSON.stringify(name).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The C file. */
export function moduleText(shape: Shape, header: string): string {
  const { module, names } = shape;
  const { prefix } = names;
  const live = module.functions.filter(({ index }) => shape.live.has(index));
  const bodies = live.map((func) => functionText(shape, func));
  const init = initText(shape);
  const exported = exportNames(module, prefix);
  const wrappers = module.exports.flatMap((item, i) =>
    item.kind === "function" ? [wrapperText(shape, item, exported[i]!)] : [],
  );
  const floats = [...bodies, init].some((text) => /\b(float|double)\b|\bf(32|64)_/.test(text));
  const parts = [
    `#include "${header}"`,
    floats ? KEEP_NANS : "",
    PRELUDE,
    `_Noreturn void ${prefix}_trap(int, unsigned, unsigned) __attribute__((cold));`,
    helperText(shape.helpers),
    globalText(shape),
    memoryText(shape),
    objectText(shape),
    depthText(shape),
    live
      .map((func) => `static ${prototype(names.functions[func.index]!, func.signature)};`)
      .join("\n"),
    dataText(shape),
    elementText(shape),
    ...bodies,
    init,
    ...wrappers,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

const countsDepth = ({ recursive, shared }: Shape): boolean => recursive.size > 0 || shared.table;

// Modules that share a table may call each other in circles, so they count together.
function depthText(shape: Shape): string {
  if (!countsDepth(shape)) return "";
  const { depth, prefix } = shape.names;
  const most = `${prefix.toUpperCase()}_CALL_DEPTH_MAX`;
  const limit = `#ifndef ${most}\n#define ${most} 256\n#endif`;
  if (!shape.shared.table) return `${limit}\nstatic uint32_t ${depth};`;
  return `${limit}
__attribute__((weak)) uint32_t ${depth} = 0;
static _Noreturn __attribute__((cold)) void ${trapName(shape)}(int kind, unsigned f, unsigned at) {
  ${depth} = 0;
  ${prefix}_trap(kind, f, at);
}`;
}

function globalText(shape: Shape): string {
  const { module, names } = shape;
  return module.globals
    .flatMap(({ imported, type, initial }, i) => {
      if (imported !== undefined) return [];
      const declared = `${C_TYPES[type]} ${names.globals[i]}`;
      if (isConstant(module, i))
        return [`const ${declared} = ${literal({ shape } as Writer, type, initial)};`];
      return [`${isExported(module, i) ? "" : "static "}${declared};`];
    })
    .join("\n");
}

function isExported(module: Module, index: number): boolean {
  return module.exports.some((item) => item.kind === "global" && item.index === index);
}

// As the header of another module that imports it has it. C has no constant for what is not finite.
function isConstant(module: Module, index: number): boolean {
  const { imported, mutable, copyOf, type, initial } = module.globals[index]!;
  if (imported !== undefined || mutable || copyOf !== undefined) return false;
  return isExported(module, index) && isFinite(type, initial);
}

function functionText(shape: Shape, func: Func): string {
  const { names } = shape;
  const writer: Writer = {
    shape,
    func,
    lines: [],
    depth: 1,
    temporaries: 0,
    labelsUsed: new Set(),
    reachesAnywhere: false,
    loops: [],
    behind: new Map(),
  };
  const parameters = func.signature.parameters.length;
  func.locals.slice(parameters).forEach((type, i) => {
    line(writer, `${C_TYPES[type]} l${parameters + i} = 0;`);
  });
  if (shape.recursive.has(func.index)) {
    const limit = `${names.prefix.toUpperCase()}_CALL_DEPTH_MAX`;
    line(writer, `if (RARE(${names.depth} >= ${limit})) ${trapCall(writer, TRAP.callDepth, 0)};`);
    line(writer, `${names.depth}++;`);
  }
  statements(writer, func.body);
  const head = `static ${prototype(names.functions[func.index]!, func.signature)} {`;
  const pointer = `  uint8_t *${ANYWHERE} = ${names.memory}; __asm__("" : "+r"(${ANYWHERE}));`;
  const first = writer.reachesAnywhere ? [pointer] : [];
  return [head, ...first, ...writer.lines, "}"].join("\n");
}

function initText(shape: Shape): string {
  const lines = initLines(shape);
  const { module, names } = shape;
  if (module.start !== null) lines.push(`${names.functions[module.start]}();`);
  const globals = module.globals.flatMap(({ imported, initial, copyOf, type }, i) => {
    if (imported !== undefined || isConstant(module, i)) return [];
    const writer = { shape } as Writer;
    const value = copyOf === undefined ? literal(writer, type, initial) : names.globals[copyOf]!;
    return [`${names.globals[i]} = ${value};`];
  });
  const depth = countsDepth(shape) ? [`${names.depth} = 0;`] : [];
  const barrier = shape.objects.length > 0 ? ['__asm__ volatile("" : : : "memory");'] : [];
  const body = [...depth, ...globals, ...lines, ...barrier].map((text) => `  ${text}`);
  return [`void ${names.prefix}_init(void) {`, ...body, "}"].join("\n");
}

// From outside the count of calls starts at 0; what the host's own nesting does is the host's. Where modules
// count together, whoever calls may be one of them.
function wrapperText(shape: Shape, item: Export, name: string): string {
  const signature = signatureAt(shape.module, item.index);
  const list = signature.parameters.map((_, i) => `l${i}`).join(", ");
  const counts = shape.recursive.size > 0 && !shape.shared.table;
  const reset = counts ? `${shape.names.depth} = 0; ` : "";
  const result = signature.results.length > 0 ? "return " : "";
  const target = shape.names.functions[item.index]!;
  return `${prototype(name, signature)} { ${reset}${result}${target}(${list}); }`;
}

function signatureAt(module: Module, index: number): Signature {
  return (module.imports[index] ?? module.functions[index - module.imports.length])!.signature;
}
