// SPDX-License-Identifier: MIT
// `ferrule aot IN.wasm -o OUT.c`: WebAssembly to C for microcontrollers.

import { type Command, InvalidArgumentError, Option } from "commander";
import { MEMORY_BYTES_MAX } from "../../aot/index.ts";
import { show } from "../build/node.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readWhole } from "../cli/values.ts";
import { translateFile, type TranslateOptions } from "../run/translate.ts";

type Options = TranslateOptions & {
  explain?: boolean;
  json?: boolean;
};

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
    .option(
      "--imports <FILE>",
      'names of imports in C, as {"module.field": "c_name"}, and what they write',
    )
    .addOption(
      new Option("--checks <WHICH>", "leave out proven checks, or keep all to compare")
        .choices(["needed", "all"])
        .default("needed"),
    )
    .option("--private-memory", "the host never writes memory between calls, though it is exported")
    .option("--explain", "a line for each access: proven, merged, hoisted or checked, and why")
    .addHelpText("after", "\nExample:\n  ferrule aot build/oven/loop.wasm -o build/oven/loop.c")
    .action(run);
}

function run(input: string, options: Options): void {
  const { files, tookMs, reasons } = translateFile(input, options);
  if (options.json) return printJson({ files, tookMs, ...(options.explain && { reasons }) });
  if (options.explain) reasons.forEach((reason) => print(reason));
  for (const { file, bytes } of files) print(`${show(file)}  ${bytes} bytes`);
  print(`translated in ${(tookMs / 1000).toFixed(2)} s`);
}

function readOutput(text: string): string {
  if (!/[^/\\]\.c$/.test(text)) throw new InvalidArgumentError("a file that ends in .c is wanted.");
  return text;
}
