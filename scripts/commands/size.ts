// SPDX-License-Identifier: MIT
// `ferrule size NODE`: what an image takes, beside the build before.

import { type Command, Option } from "commander";
import { buildImage, imageFolder, RP2040_BOARDS } from "../build/boards.ts";
import { buildNode } from "../build/modules.ts";
import { sizeTable } from "../build/size.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { tellCompiling } from "../cli/progress.ts";
import { print, printJson } from "../cli/terminal.ts";
import { readSizesBefore, requireBudget } from "../run/size.ts";

interface Options {
  board: string;
  out?: string;
  json?: boolean;
}

export function addSize(program: Command): void {
  program
    .command("size")
    .description("what the image of a node type takes of a board, beside the build before")
    .argument("<NODE>", "folder with a node.json")
    .addOption(new Option("--board <B>", "an image for it").choices(RP2040_BOARDS).default("pico"))
    .option("--out <DIR>", "where the image goes and the build before lies (build/NODE)")
    .addHelpText("after", "\nExample:\n  ferrule size firmware/nodes/meter --board pico")
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const { signal } = watchInterruption();
  const built = await tellCompiling((compiling) => buildNode(folder, { signal, compiling }));
  const out = imageFolder(built, options.out);
  const before = readSizesBefore(out, built.type.type);
  const { sizes } = buildImage(options.board, built, out);
  if (options.json) printJson({ node: built.folder, type: built.type.type, sizes, before });
  else print(sizeTable(sizes, before));
  requireBudget(built.type.type, options.board, sizes);
}
