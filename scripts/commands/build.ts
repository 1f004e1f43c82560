// SPDX-License-Identifier: MIT
// `ferrule build NODE`: both modules of a node type, with their sizes and hashes.

import { join } from "node:path";
import { type Command, Option } from "commander";
import { refreshNames } from "../build/editor.ts";
import { buildNode, type BuiltModule } from "../build/modules.ts";
import { BOARD_NAMES } from "../build/board-names.ts";
import { buildBoard } from "../build/boards.ts";
import { jsSizeTable } from "../build/js-size.ts";
import { show } from "../build/node.ts";
import { sizeTable } from "../build/size.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { tellCompiling } from "../cli/progress.ts";
import { print, printJson } from "../cli/terminal.ts";
import { requireBudgets } from "../run/measure.ts";
import { writeTogether } from "../run/together.ts";

interface Options {
  out?: string;
  board?: string;
  run: boolean;
  json?: boolean;
}

export function addBuild(program: Command): void {
  program
    .command("build")
    .description("build loop.wasm and link.wasm of a node type")
    .argument("<NODE>", "folder with a node.json")
    .option("--out <DIR>", "writes DIR/loop.wasm and DIR/link.wasm")
    .addOption(new Option("--board <B>", "also an image in DIR (build/NODE)").choices(BOARD_NAMES))
    .option("--no-run", "does not run the image for its worst tick")
    .addHelpText("after", "\nExample:\n  ferrule build firmware/nodes/oven --out build/oven")
    .action(build);
}

async function build(folder: string, { board, out, run, json }: Options): Promise<void> {
  const { signal } = watchInterruption();
  const built = await tellCompiling((compiling) => buildNode(folder, { signal, compiling, board }));
  const { folder: node, loop, link, type } = built;
  refreshNames(node, type);
  const image = board === undefined ? undefined : await buildBoard(board, built, out);
  if (out !== undefined) writeTogether(out, { "loop.wasm": loop.wasm, "link.wasm": link.wasm });
  const rows = [row("loop", loop, out), row("link", link, out)];
  if (json) printJson({ node, type: type.type, modules: rows, ...(image && { image }) });
  else {
    for (const { name, bytes, sha256, file } of rows)
      print([name, `${bytes} bytes`, `sha256 ${sha256}`, file && show(file)].join("  ").trimEnd());
    if (image) print(`${board}  ${show(image.program)}`);
    if (image?.sizes) print(sizeTable(image.sizes));
    if (image?.takes) print(jsSizeTable(image.takes));
  }
  if (image?.sizes) await requireBudgets(board!, built, image, run);
}

function row(name: string, { wasm, hash }: BuiltModule, out: string | undefined) {
  const file = out !== undefined && { file: join(out, `${name}.wasm`) };
  return { name, bytes: wasm.length, sha256: Buffer.from(hash).toString("hex"), ...file };
}
