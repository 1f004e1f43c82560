// SPDX-License-Identifier: MIT
// `ferrule flash NODE`: image and identity onto a board.

import { join } from "node:path";
import { type Command, Option } from "commander";
import { buildImage, imageFolder, RP2040_BOARDS } from "../build/boards.ts";
import { writeWhole } from "../build/cache.ts";
import { readIdentity } from "../build/identity.ts";
import { buildNode } from "../build/modules.ts";
import { show } from "../build/node.ts";
import { withIdentity } from "../build/rp2040.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { tellCompiling } from "../cli/progress.ts";
import { print, printJson } from "../cli/terminal.ts";
import { chooseDrive, writeToDrive } from "../run/flash.ts";
import { requireBudget } from "../run/size.ts";

interface Options {
  board: string;
  identity?: string;
  drive?: string;
  out?: string;
  json?: boolean;
}

export function addFlash(program: Command): void {
  program
    .command("flash")
    .description("build an image and copy it to a board that waits for one (BOOTSEL held)")
    .argument("<NODE>", "folder with a node.json")
    .option("--identity <FILE>", 'who this board is, {"id": "oven-1"}; else it keeps what it has')
    .addOption(new Option("--board <B>", "what board it is").choices(RP2040_BOARDS).default("pico"))
    .option("--drive <PATH>", "the board's drive; else the only one that is mounted")
    .option("--out <DIR>", "where the image goes first (build/NODE)")
    .addHelpText(
      "after",
      "\nExample:\n  ferrule flash firmware/nodes/oven --identity oven-1.json" +
        "\n  ferrule flash firmware/nodes/oven --drive /media/me/RPI-RP2",
    )
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const { signal } = watchInterruption();
  const identity = options.identity === undefined ? undefined : readIdentity(options.identity);
  const { board } = options;
  const built = await tellCompiling((compiling) => buildNode(folder, { signal, compiling, board }));
  const out = imageFolder(built, options.out);
  const image = buildImage(board, built, out);
  const type = built.type.type;
  requireBudget(type, board, image.sizes);
  const octets = withIdentity(board, image.program, identity);
  const uf2 = join(out, `${identity?.id ?? type}.uf2`);
  writeWhole(uf2, octets);
  const drive = chooseDrive(options.drive, show(uf2));
  const file = writeToDrive(drive, `${type}.uf2`, octets);
  const id = identity?.id;
  if (options.json) return printJson({ node: built.folder, type, id, uf2, drive, file });
  print(`${show(file)}  ${octets.length} bytes${id === undefined ? "" : `, as ${id}`}`);
}
