// SPDX-License-Identifier: MIT
// `ferrule aot IN.wasm -o OUT.c`: WebAssembly to C for microcontrollers.
//
// Writes OUT.c and OUT.h, both whole or neither changed. What is refused names function, octet and instruction.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { AotError, type AotOptions, type AotResult, translate } from "../../aot/index.ts";
import { identifier } from "../../aot/names.ts";
import { writeWhole } from "../build/cache.ts";
import { show } from "../build/node.ts";
import { EXIT_FAILED, EXIT_NOT_FOUND, Failure, systemCode } from "../cli/failure.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readWhole } from "../cli/values.ts";

const MEMORY_BYTES_MAX = 256 * 1024 * 1024; // static storage that a host's process can have

interface Options {
  output: string;
  memory?: number;
  name?: string;
  imports?: string;
  checks: "needed" | "all";
  privateMemory?: boolean;
  explain?: boolean;
  json?: boolean;
}

export function addAot(program: Command): void {
  program
    .command("aot")
    .description("translate WebAssembly to C for microcontrollers")
    .argument("<IN.wasm>", "a module")
    .requiredOption("-o, --output <OUT.c>", "writes OUT.c and OUT.h", readOutput)
    .option(
      "--memory <BYTES>",
      "octets of memory; else the pages that the module asks for",
      (text) => readWhole(text, 0, MEMORY_BYTES_MAX),
    )
    .option("--name <X>", "prefix of all names in C; else the name of OUT.c")
    .option("--imports <FILE>", 'names of imports in C, as {"module.field": "c_name"}')
    .addOption(
      new Option("--checks <WHICH>", "leave out proven checks, or keep all to compare")
        .choices(["needed", "all"])
        .default("needed"),
    )
    .option("--private-memory", "the host never writes memory between calls, though it is exported")
    .option("--explain", "a line for each check that was left out, with the reason")
    .addHelpText("after", "\nExample:\n  ferrule aot build/oven/loop.wasm -o build/oven/loop.c")
    .action(run);
}

function run(input: string, options: Options): void {
  const stem = options.output.replace(/\.c$/, "");
  const headerFile = join(dirname(stem), `${basename(stem)}.h`);
  const wasm = readModule(input);
  const { c, header, reasons } = translateOrRefuse(input, wasm, {
    name: options.name ?? identifierOf(basename(stem)),
    headerFile: basename(headerFile),
    checks: options.checks,
    ...(options.privateMemory && { hostWrites: [] }),
    ...(options.memory !== undefined && { memoryBytes: options.memory }),
    ...(options.imports !== undefined && { imports: readImports(options.imports) }),
  });
  writeWhole(headerFile, header);
  writeWhole(options.output, c);
  const files = [
    { file: options.output, bytes: Buffer.byteLength(c) },
    { file: headerFile, bytes: Buffer.byteLength(header) },
  ];
  if (options.json) return printJson({ files, ...(options.explain && { reasons }) });
  if (options.explain) reasons.forEach(print);
  for (const { file, bytes } of files) print(`${show(file)}  ${bytes} bytes`);
}

function readOutput(text: string): string {
  if (!/[^/\\]\.c$/.test(text)) throw new InvalidArgumentError("a file that ends in .c is wanted.");
  return text;
}

// A digit cannot begin a name of C.
function identifierOf(stem: string): string {
  return identifier(stem).replace(/^(?=\d)/, "_");
}

function readModule(file: string): Uint8Array {
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

const NAMES = z.record(z.string(), z.string());

function readImports(file: string): Record<string, string> {
  const next = 'write {"module.field": "c_name", …} into it';
  const text = readFileOr(file, next).toString();
  try {
    return NAMES.parse(JSON.parse(text));
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
