// SPDX-License-Identifier: MIT
// A module of a file as C in two files, both whole or neither changed.
//
// What is refused names function, octet and instruction.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import {
  AotError,
  type AotOptions,
  type AotResult,
  type HostPointer,
  translate,
} from "../../aot/index.ts";
import { identifier } from "../../aot/names.ts";
import { writeWhole } from "../build/cache.ts";
import { hostKnown } from "../build/imports.ts";
import { show } from "../build/node.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure, systemCode } from "../cli/failure.ts";

export interface TranslateOptions {
  output: string; // OUT.c
  memory?: number;
  name?: string;
  imports?: string;
  checks: "needed" | "all";
  privateMemory?: boolean;
}

export interface Translated {
  files: { file: string; bytes: number }[];
  tookMs: number; // the translation alone
  reasons: readonly string[]; // of checks that were left out
}

/** Writes OUT.c and OUT.h. Throws Failure. */
export function translateFile(input: string, options: TranslateOptions): Translated {
  const stem = options.output.replace(/\.c$/, "");
  const headerFile = join(dirname(stem), `${basename(stem)}.h`);
  const wasm = readModule(input);
  const { names, pointers } = readImports(options.imports);
  const known = WebAssembly.validate(wasm) ? hostKnown(wasm) : undefined; // else it is refused by name
  const beginMs = performance.now();
  const { c, header, reasons } = translateOrRefuse(input, wasm, {
    name: options.name ?? identifierOf(basename(stem)),
    headerFile: basename(headerFile),
    checks: options.checks,
    imports: names,
    ...known,
    hostPointers: { ...known?.hostPointers, ...pointers },
    ...(options.privateMemory && { hostWrites: [] }),
    ...(options.memory !== undefined && { memoryBytes: options.memory }),
  });
  const tookMs = Math.round(performance.now() - beginMs);
  writeWhole(headerFile, header);
  writeWhole(options.output, c);
  const files = [
    { file: options.output, bytes: Buffer.byteLength(c) },
    { file: headerFile, bytes: Buffer.byteLength(header) },
  ];
  return { files, tookMs, reasons };
}

// A digit cannot begin a name of C.
function identifierOf(stem: string): string {
  return identifier(stem).replace(/^(?=\d)/, "_");
}

function readModule(file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    readFileOr(file, "build one, as ferrule build firmware/nodes/oven --out build/oven"),
  );
}

function readFileOr(file: string, next: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new Failure(EXIT_NOT_FOUND, `there is no ${show(file)}`, next, error);
  }
}

// Where an import writes: from a parameter on, so many octets, or elements that another parameter counts.
const PARAMETER = z.int().min(0);
const WRITES = z.union([
  z.strictObject({ address: PARAMETER, octets: z.int().min(0) }),
  z.strictObject({ address: PARAMETER, count: PARAMETER, octetsEach: z.int().min(1).default(1) }),
]);
const IMPORT = z.union([
  z.string(),
  z.strictObject({ name: z.string().optional(), writes: z.array(WRITES).optional() }),
]);
const MANIFEST = z.record(z.string(), IMPORT);

interface Imports {
  names: Record<string, string>; // "module.field" to C names
  pointers: Record<string, HostPointer[]>;
}

function readImports(file: string | undefined): Imports {
  const imports: Imports = { names: {}, pointers: {} };
  if (file === undefined) return imports;
  for (const [key, said] of Object.entries(readManifest(file))) {
    const { name, writes } = typeof said === "string" ? { name: said } : said;
    if (name !== undefined) imports.names[key] = name;
    if (writes !== undefined) imports.pointers[key] = writes.map(pointerOf);
  }
  return imports;
}

function pointerOf(said: z.infer<typeof WRITES>): HostPointer {
  const { address } = said;
  if ("octets" in said) return { address, length: said.octets, access: "write" };
  return {
    address,
    length: { parameter: said.count, octetsEach: said.octetsEach },
    access: "write",
  };
}

function readManifest(file: string): z.infer<typeof MANIFEST> {
  const next = 'write {"module.field": "c_name", …} into it';
  const text = readFileOr(file, next).toString();
  try {
    return MANIFEST.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure(EXIT_FAILED, `${show(file)} is no list of names`, next, error);
  }
}

function translateOrRefuse(input: string, wasm: Uint8Array, options: AotOptions): AotResult {
  try {
    return translate(wasm, options);
  } catch (error) {
    if (!(error instanceof AotError)) throw error;
    throw new Failure(EXIT_FAILED, `${show(input)}: ${error.message}`, "", error);
  }
}
