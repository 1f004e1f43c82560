// SPDX-License-Identifier: MIT
// Runs modules on the bench's emulated cores, and gives what native.ts gives.
//
// A case is a program of its own; each call is a start of the core in the same memory, so that a trap, which
// ends the run, needs nothing of the program. Operands, results and calls of imports lie in buffers of the
// program. Both cores end a run at a misaligned access, which silicon would take a fault at.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeModule } from "../../aot/decode/index.ts";
import { translate } from "../../aot/index.ts";
import { type Module, type Signature, signatureOf, type ValueType } from "../../aot/ir.ts";
import { exportNames, identifier, importNames } from "../../aot/names.ts";
import { build, type Core } from "../bench/aot/cores.ts";
import { type Image, RAM_BASE, type Ram, ramOf, symbolOf } from "../bench/aot/image.ts";
import { type Bits, type Case, type Outcome, sumOf } from "./native.ts";

const NAME = "ours"; // the bench's ours_trap() ends a run
const COUNT_MAX = 100_000_000; // cycles or instructions of one call
const LOG_WORDS = 4096; // of imports in one call
const C_TYPE: Record<ValueType, string> = {
  i32: "uint32_t",
  i64: "uint64_t",
  f32: "float",
  f64: "double",
};

/** What a core does with the calls of a case. Throws when a core takes a fault. */
export function runChip(core: Core, item: Case): Outcome {
  const module = decodeModule(item.wasm);
  const chip = buildChip(core, item, module);
  const lines: Outcome = [];
  const started = call(chip, `${NAME}_init`, lines);
  if (started !== null) return [...lines, `init ${started}`];
  for (const { name, operands } of item.calls) {
    const at = module.exports.findIndex((out) => out.kind === "function" && out.name === name);
    const { results } = signatureOf(module, module.exports[at]!.index);
    operands.forEach((bits, i) => putWord(chip, "chip_in", i, bits));
    const trap = call(chip, `chip_${at}`, lines);
    const words = results.map((type, i) => wordText(type, word(chip, "chip_out", i)));
    lines.push(trap ?? words.join(" "));
  }
  lines.push(...endLines(chip, module));
  return lines;
}

interface Chip {
  core: Core;
  image: Image;
  ram: Ram;
  imports: { name: string; signature: Signature }[];
}

function buildChip(core: Core, item: Case, module: Module): Chip {
  const folder = mkdtempSync(join(tmpdir(), "aot-chip-"));
  try {
    const { c, header } = translate(item.wasm, { ...item.options, name: NAME });
    writeFileSync(join(folder, `${NAME}.h`), header);
    writeFileSync(join(folder, `${NAME}.c`), c);
    writeFileSync(join(folder, "main.c"), mainText(module));
    const sources = [`${NAME}.c`, "main.c"].map((file) => join(folder, file));
    const image = build(core, sources, join(folder, "program.elf"));
    const imports = module.imports.map(({ module: from, field, signature }) => ({
      name: identifier(`${from}_${field}`),
      signature,
    }));
    return { core, image, ram: ramOf(image), imports };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const LIBRARY = `#include "${NAME}.h"
uint64_t chip_in[32], chip_out[32], chip_log[${LOG_WORDS}];
uint32_t chip_logged;
static float f32(uint64_t bits) {
  union { uint32_t u; float f; } v = { (uint32_t)bits };
  return v.f;
}
static double f64(uint64_t bits) { union { uint64_t u; double f; } v = { bits }; return v.f; }
static uint64_t of_f32(float f) { union { float f; uint32_t u; } v = { f }; return v.u; }
static uint64_t of_f64(double f) { union { double f; uint64_t u; } v = { f }; return v.u; }
static uint64_t of_i32(uint32_t v) { return v; }
static uint64_t of_i64(uint64_t v) { return v; }
static void note(uint64_t word) { if (chip_logged < ${LOG_WORDS}) chip_log[chip_logged++] = word; }
`;

function mainText(module: Module): string {
  const names = exportNames(module, NAME);
  const nameOf = importNames(module, NAME, {});
  const imports = new Map(
    module.imports.map((item, i) => [nameOf(item), importText(nameOf(item), item.signature, i)]),
  );
  const calls = module.exports.flatMap(({ kind, index }, at) => {
    if (kind !== "function" && kind !== "global") return [];
    const text =
      kind === "global"
        ? `chip_out[0] = of_${module.globals[index]!.type}(${names[at]});`
        : callText(names[at]!, signatureOf(module, index));
    return `void chip_${at}(void) { ${text} }`;
  });
  const bytes = module.memory === null ? 0 : `sizeof(${NAME}_memory)`;
  const size = `uint32_t chip_memory_bytes = ${bytes};`;
  return [LIBRARY, size, ...imports.values(), ...calls, ""].join("\n");
}

function importText(name: string, { parameters, results }: Signature, index: number): string {
  const list = parameters.map((type, i) => `${C_TYPE[type]} l${i}`).join(", ") || "void";
  const notes = parameters.map((type, i) => `note(of_${type}(l${i}));`).join(" ");
  const [result] = results;
  const [type, end] = result === undefined ? ["void", ""] : [C_TYPE[result], "return 0;"];
  return `${type} ${name}(${list}) { note(${index}); ${notes} ${end} }`;
}

function callText(name: string, { parameters, results }: Signature): string {
  const operands = parameters.map((type, i) =>
    type.startsWith("f") ? `${type}(chip_in[${i}])` : `(${C_TYPE[type]})chip_in[${i}]`,
  );
  const target = `${name}(${operands.join(", ")})`;
  if (results.length === 0) return `${target};`;
  if (results.length === 1) return `chip_out[0] = of_${results[0]}(${target});`;
  const parts = results.map((type, i) => `chip_out[${i}] = of_${type}(r.v${i});`);
  return `struct wasm_${results.join("_")} r = ${target}; ${parts.join(" ")}`;
}

// Null, or the trap that ended the call; what imports were called with goes to the lines first.
function call(chip: Chip, name: string, lines: Outcome): string | null {
  const { core, image, ram, imports } = chip;
  const gp = image.symbols.get("__global_pointer$") ?? 0;
  ram.setUint32(symbolOf(image, "chip_logged") - RAM_BASE, 0, true);
  const trap = trapIn(() =>
    core.call(ram, { address: symbolOf(image, name), operand: 0, gp }, COUNT_MAX),
  );
  const logged = ram.getUint32(symbolOf(image, "chip_logged") - RAM_BASE, true);
  for (let at = 0; at < logged;) {
    const { name: called, signature } = imports[Number(word(chip, "chip_log", at++))]!;
    const words = signature.parameters.map((type) => wordText(type, word(chip, "chip_log", at++)));
    lines.push(["import", called, ...words].join(" "));
  }
  return trap;
}

function trapIn(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    const kind = /^trap (\d+) in function/.exec((error as Error).message)?.[1];
    if (kind === undefined) throw error;
    return `trap ${kind}`;
  }
}

// Exported globals and memory, as native.ts tells them.
function endLines(chip: Chip, module: Module): Outcome {
  const lines: Outcome = [];
  module.exports.forEach(({ kind, index, name }, at) => {
    if (kind !== "global") return;
    call(chip, `chip_${at}`, lines);
    const value = wordText(module.globals[index]!.type, word(chip, "chip_out", 0));
    lines.push(`global ${identifier(name)} ${value}`);
  });
  if (module.memory === null) return lines;
  const start = symbolOf(chip.image, `${NAME}_memory`) - RAM_BASE;
  const bytes = chip.ram.getUint32(symbolOf(chip.image, "chip_memory_bytes") - RAM_BASE, true);
  lines.push(`memory ${sumOf(new Uint8Array(chip.ram.buffer, start, bytes))}`);
  return lines;
}

function place({ image }: Chip, buffer: string, index: number): number {
  return symbolOf(image, buffer) - RAM_BASE + 8 * index;
}

function word(chip: Chip, buffer: string, index: number): bigint {
  return chip.ram.getBigUint64(place(chip, buffer, index), true);
}

function putWord(chip: Chip, buffer: string, index: number, bits: Bits): void {
  chip.ram.setBigUint64(place(chip, buffer, index), BigInt.asUintN(64, BigInt(bits)), true);
}

function wordText(type: ValueType, bits: bigint): string {
  const magnitude = type === "f32" ? bits % 2n ** 31n : bits % 2n ** 63n;
  if (type === "f32" && magnitude > 0x7f80_0000n) return "nan";
  if (type === "f64" && magnitude > 0x7ff0n << 48n) return "nan";
  return bits.toString(16).padStart(type.endsWith("32") ? 8 : 16, "0");
}
