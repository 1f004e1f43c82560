// SPDX-License-Identifier: MIT
// `ferrule size NODE`: what an image takes, beside the build before.

import { type Command, Option } from "commander";
import { isJsBoard, JS_BOARDS, RP2040_BOARDS } from "../build/board-names.ts";
import { buildImage, imageFolder } from "../build/boards.ts";
import { buildNode } from "../build/modules.ts";
import { sizeTable } from "../build/size.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { tellCompiling } from "../cli/progress.ts";
import { print, printJson } from "../cli/terminal.ts";
import { measureImage, reportTable, requireTick } from "../run/measure.ts";
import { tellJsSize } from "../run/js-size.ts";
import { readSizesBefore, requireBudget } from "../run/size.ts";

interface Options {
  board: string;
  out?: string;
  run?: boolean;
  json?: boolean;
}

export function addSize(program: Command): void {
  const boards = [...RP2040_BOARDS, ...JS_BOARDS];
  program
    .command("size")
    .description("what the image of a node type takes of a board, beside the build before")
    .argument("<NODE>", "folder with a node.json")
    .addOption(new Option("--board <B>", "an image for it").choices(boards).default("pico"))
    .option("--out <DIR>", "where the image goes and the build before lies (build/NODE)")
    .option("--run", "also runs it in the chip's model: lateness, cycles, stacks, queues")
    .addHelpText("after", "\nExample:\n  ferrule size firmware/nodes/meter --board pico")
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const { signal } = watchInterruption();
  const { board } = options;
  const built = await tellCompiling((compiling) => buildNode(folder, { signal, compiling, board }));
  const out = imageFolder(built, options.out);
  if (isJsBoard(board)) return tellJsSize(built, { ...options, out });
  const before = readSizesBefore(out, built.type.type);
  const image = buildImage(board, built, out);
  const { sizes } = image;
  const { type } = built.type;
  const report = options.run ? await measureImage(board, built, image) : undefined;
  if (options.json) printJson({ node: built.folder, type, sizes, before, run: report });
  else {
    print(sizeTable(sizes, before));
    if (report) print(`\n${reportTable(report)}`);
  }
  requireBudget(type, board, sizes);
  if (report) requireTick(type, board, sizes.budget.tickCycles, report);
}
