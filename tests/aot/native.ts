// SPDX-License-Identifier: MIT
// Runs modules as C on this machine, and the same calls in V8.
//
// What came of each call is compared, and memory at the end.
// Many modules go into one program, since a start of gcc costs more than a module. An outcome is lines: the
// results of a call in hexadecimal or "trap KIND", each call of an import with its operands (imports give
// 0), at the end exported globals and a sum of memory. Traps are compared by kind, NaNs by being NaN.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeModule } from "../../aot/decode/index.ts";
import { type AotOptions, translate } from "../../aot/index.ts";
import { type Module, type Signature, signatureOf, type ValueType } from "../../aot/ir.ts";
import { exportNames, identifier } from "../../aot/names.ts";
import { exposeAll } from "../../aot/snapshot.ts";

export type Bits = number | bigint;

export interface Call {
  name: string; // of the export
  operands: Bits[];
}

export interface Case {
  name: string;
  wasm: Uint8Array;
  calls: Call[];
  options?: Partial<AotOptions>;
  rounds?: number; // instances made one after the other, each with the same calls; else 1
  translate?: typeof translate; // another translator
}

export type Outcome = string[];

const C_TYPE: Record<ValueType, string> = {
  i32: "uint32_t",
  i64: "uint64_t",
  f32: "float",
  f64: "double",
};
const FLAGS = ["-ffp-contract=off", "-fno-strict-aliasing", "-w"];
const SANITIZE = ["-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"]; // half of -O2's time
const MISALIGNED = ["-O2", "-fsanitize=alignment", "-fsanitize-undefined-trap-on-error"];
const CASE_END = "====";
const RUN_MS_MAX = 120_000;

const MAIN_HEADER = join(import.meta.dirname, "native-main.h");

/** What the C does; `sanitize` builds with UBSan and ASan. Throws when gcc or the program fails. */
export function runNative(cases: readonly Case[], sanitize = false): Outcome[] {
  return build(cases, sanitize ? SANITIZE : ["-O2"]);
}

/** The same, but a case that dies is an outcome: it ends with "died". Misaligned access is death. */
export function runDoubtful(cases: readonly Case[]): Outcome[] {
  return build(cases, MISALIGNED, ["-DISOLATED"]);
}

function build(
  cases: readonly Case[],
  how: readonly string[],
  defines: readonly string[] = [],
): Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), "aot-"));
  try {
    const sources = cases.map((item, i) => {
      const one = item.translate ?? translate;
      const { c, header } = one(item.wasm, { ...item.options, name: `m${i}` });
      writeFileSync(join(folder, `m${i}.h`), header);
      writeFileSync(join(folder, `m${i}.c`), c);
      return `m${i}.c`;
    });
    writeFileSync(join(folder, "main.c"), mainText(cases));
    run("gcc", ["-O0", "-w", ...defines, "-c", "main.c"], folder);
    run("gcc", [...FLAGS, ...how, "-o", "program", "main.o", ...sources], folder);
    const texts = run(join(folder, "program"), [], folder).split(`${CASE_END}\n`);
    return cases.map((_, i) => texts[i]!.trimEnd().split("\n"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: string[], cwd: string): string {
  const options = { cwd, encoding: "utf8", maxBuffer: 1 << 28, timeout: RUN_MS_MAX } as const;
  const ran = spawnSync(program, args, options);
  if (ran.status === 0) return ran.stdout;
  const said = (ran.error?.message ?? ran.stderr).slice(0, 4000);
  throw new Error(`${program} ended with ${ran.status ?? ran.signal}: ${said}`);
}

function mainText(cases: readonly Case[]): string {
  const modules = cases.map(({ wasm }) => decodeModule(wasm));
  return [
    `#include ${JSON.stringify(MAIN_HEADER)}`,
    ...cases.map((_, i) => `#include "m${i}.h"`),
    ...importTexts(modules),
    ...cases.map(
      (_, i) => `_Noreturn void m${i}_trap(int kind, unsigned f, unsigned o) { leave(kind); }`,
    ),
    ...cases.map((item, i) => caseText(item, modules[i]!, i)),
    `int main(void) {`,
    ...cases.map(
      ({ rounds = 1 }, i) =>
        `  RUN(for (int round = 0; round < ${rounds}; round++) case${i}());
  puts("${CASE_END}");`,
    ),
    "  return 0;\n}",
  ].join("\n");
}

// Imports of all modules together: the same name has the same type in all of them.
function importTexts(modules: readonly Module[]): string[] {
  const texts = new Map<string, string>();
  for (const { imports } of modules)
    for (const { module, field, signature } of imports) {
      const name = identifier(`${module}_${field}`);
      const list = signature.parameters.map((type, i) => `${C_TYPE[type]} l${i}`).join(", ");
      const prints = signature.parameters.map((type, i) => `p_${type}(l${i});`).join(" ");
      const [result] = signature.results;
      const head = `${result === undefined ? "void" : C_TYPE[result]} ${name}(${list || "void"})`;
      const end = result === undefined ? "" : "return 0;";
      texts.set(name, `${head} { printf("import ${name} "); ${prints} puts(""); ${end} }`);
    }
  return [...texts.values()];
}

// Calls of one function one after the other share a loop over a table of operands.
function caseText(item: Case, module: Module, i: number): string {
  const groups: Call[][] = [];
  for (const call of item.calls) {
    const last = groups.at(-1);
    if (last?.[0]?.name === call.name) last.push(call);
    else groups.push([call]);
  }
  const names = exportNames(module, `m${i}`);
  const texts = groups.map((calls) => groupText(calls, module, names));
  const globals = module.exports.flatMap(({ kind, index, name }, k) => {
    if (kind !== "global") return [];
    const print = `p_${module.globals[index]!.type}(${names[k]});`;
    return [`  printf("global ${identifier(name)} "); ${print} puts("");`];
  });
  const memory = module.memory === null ? "" : `  sum(m${i}_memory, sizeof(m${i}_memory));`;
  const trap = '{ printf("init trap %d\\n", trapped); return; }';
  const init = `  if (setjmp(back)) ${trap} else m${i}_init();`;
  return `static void case${i}(void) {\n${init}\n${[...texts, ...globals, memory].join("\n")}\n}`;
}

function groupText(calls: readonly Call[], module: Module, names: readonly string[]): string {
  const { name } = calls[0]!;
  const at = module.exports.findIndex((item) => item.kind === "function" && item.name === name);
  const signature = signatureOf(module, module.exports[at]!.index);
  const width = Math.max(signature.parameters.length, 1);
  const rows = calls.map(({ operands }) => `{ ${operands.map(literal).join(", ") || "0"} }`);
  const operands = signature.parameters.map((type, k) => operandText(type, `o[n][${k}]`));
  const target = `${names[at]}(${operands.join(", ")})`;
  return `  { static const uint64_t o[][${width}] = { ${rows.join(",\n")} };
  for (volatile unsigned n = 0; n < ${calls.length}; n++)
    if (setjmp(back)) printf("trap %d\\n", trapped);
    else { ${printText(signature, target)} puts(""); } }`;
}

function literal(value: Bits): string {
  return `0x${value.toString(16)}ull`;
}

function operandText(type: ValueType, bits: string): string {
  return type.startsWith("f") ? `${type}(${bits})` : `(${C_TYPE[type]})${bits}`;
}

function printText({ results }: Signature, target: string): string {
  if (results.length === 0) return `${target};`;
  if (results.length === 1) return `p_${results[0]}(${target});`;
  const parts = results.map((type, i) => `p_${type}(r.v${i});`);
  return `struct wasm_${results.join("_")} r = ${target}; ${parts.join(" ")}`;
}

/** What V8 does. */
export function runEngine(item: Case): Outcome {
  return Array.from({ length: item.rounds ?? 1 }, () => runOnce(item)).flat();
}

function runOnce(item: Case): Outcome {
  const module = decodeModule(item.wasm);
  const lines: Outcome = [];
  const instance = instantiate(exposeAll(item.wasm, module), engineImports(module, lines), lines);
  if (instance === null) return lines;
  for (const call of item.calls) {
    const target = instance.exports[call.name] as (...operands: Bits[]) => unknown;
    const { index } = module.exports.find(({ name }) => name === call.name)!;
    const { parameters, results } = signatureOf(module, index);
    try {
      const value = target(...call.operands.map((bits, k) => toEngine(parameters[k]!, bits)));
      const values = results.length > 1 ? [...(value as Iterable<Bits>)] : [value as Bits];
      lines.push(show(results, values));
    } catch (error) {
      lines.push(`trap ${kindOf(error)}`);
    }
  }
  for (const { name, kind, index } of module.exports) {
    if (kind !== "global") continue;
    const { value } = instance.exports[name] as WebAssembly.Global<keyof WebAssembly.ValueTypeMap>;
    lines.push(`global ${identifier(name)} ${show([module.globals[index]!.type], [value])}`);
  }
  const memory = Object.values(instance.exports).find(
    (thing) => thing instanceof WebAssembly.Memory,
  );
  if (memory !== undefined) lines.push(`memory ${sumOf(new Uint8Array(memory.buffer))}`);
  return lines.map((text) => text.trimEnd());
}

function instantiate(
  wasm: Uint8Array,
  imports: WebAssembly.Imports,
  lines: Outcome,
): WebAssembly.Instance | null {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), imports);
  } catch (error) {
    lines.push(`init trap ${kindOf(error)}`);
    return null;
  }
}

function engineImports(module: Module, lines: Outcome): WebAssembly.Imports {
  const imports: Record<string, Record<string, (...values: Bits[]) => Bits>> = {};
  for (const { module: from, field, signature } of module.imports)
    (imports[from] ??= {})[field] = (...values) => {
      const name = identifier(`${from}_${field}`);
      lines.push(`import ${name} ${show(signature.parameters, values)}`);
      return signature.results[0] === "i64" ? 0n : 0;
    };
  return imports;
}

/** A sum of memory's octets and their places. */
export function sumOf(memory: Uint8Array): string {
  let sum = 1;
  memory.forEach((byte, i) => {
    if (byte !== 0) sum = Math.imul(sum ^ byte ^ (i << 8), 16777619); // C's memory may have room behind
  });
  return (sum >>> 0).toString(16).padStart(8, "0");
}

const view = new DataView(new ArrayBuffer(8));

function toEngine(type: ValueType, bits: Bits): Bits {
  if (type === "i32") return Number(bits) | 0;
  if (type === "i64") return BigInt.asIntN(64, BigInt(bits));
  if (type === "f32") view.setUint32(0, Number(bits));
  else view.setBigUint64(0, BigInt(bits));
  return type === "f32" ? view.getFloat32(0) : view.getFloat64(0);
}

function show(types: readonly ValueType[], values: readonly Bits[]): string {
  return types.map((type, i) => `${showOne(type, values[i]!)} `).join("");
}

function showOne(type: ValueType, value: Bits): string {
  if (type === "i32") return (Number(value) >>> 0).toString(16).padStart(8, "0");
  if (type === "i64") return BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, "0");
  if (Number.isNaN(value)) return "nan";
  if (type === "f32") {
    view.setFloat32(0, Number(value));
    return view.getUint32(0).toString(16).padStart(8, "0");
  }
  view.setFloat64(0, Number(value));
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

const KINDS: readonly [RegExp, number][] = [
  [/unreachable/, 1],
  [/memory access out of bounds|data segment/, 2],
  [/table index is out of bounds|table access|element segment|table_init/, 3],
  [/divide by zero|remainder by zero/, 4],
  [/divide result unrepresentable/, 5],
  [/float unrepresentable/, 56],
  [/signature mismatch|null function/, 78],
  [/call stack size/, 9],
];

/** The kind of trap that an error of V8 is; 78 is 7 or 8. */
export function kindOf(error: unknown): number {
  const text = error instanceof Error ? error.message : String(error);
  return KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 0;
}

/** Runs all cases both ways; throws at the first difference. Gives back how many lines were compared. */
export function compare(cases: readonly Case[], sanitize = false): number {
  const outcomes = runNative(cases, sanitize);
  return cases.reduce((lines, item, i) => {
    const found = difference(outcomes[i]!, runEngine(item));
    if (found !== null) throw new Error(`${item.name}: ${found}`);
    return lines + outcomes[i]!.length;
  }, 0);
}

/** Where two outcomes differ, or null; V8 has one message where the translator has two kinds. */
export function difference(native: Outcome, engine: Outcome): string | null {
  for (let i = 0; i < Math.max(native.length, engine.length); i++) {
    const [ours, theirs] = [native[i]?.trimEnd() ?? "", engine[i]?.trimEnd() ?? ""];
    if (ours === theirs) continue;
    const [, told, kind] = /^((?:init )?trap )(\d)$/.exec(ours) ?? [];
    if (kind !== undefined && /[56]/.test(kind) && theirs === `${told}56`) continue;
    if (kind !== undefined && /[78]/.test(kind) && theirs === `${told}78`) continue;
    return `line ${i}: C ${ours || "nothing"}, V8 ${theirs || "nothing"}`;
  }
  return null;
}
