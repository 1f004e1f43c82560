// SPDX-License-Identifier: MIT
// `ferrule flash NODE`: image and identity onto a board.

import { type Command, Option } from "commander";
import { isJsBoard, JS_BOARDS, RP2040_BOARDS } from "../build/board-names.ts";
import { readIdentity } from "../build/identity.ts";
import { buildNode } from "../build/modules.ts";
import { watchInterruption } from "../cli/interrupt.ts";
import { tellCompiling } from "../cli/progress.ts";
import { print, printJson } from "../cli/terminal.ts";
import { flashDrive } from "../run/flash-drive.ts";
import { flashJs } from "../run/flash-js.ts";

interface Options {
  board: string;
  identity?: string;
  drive?: string;
  port?: string;
  out?: string;
  json?: boolean;
}

export function addFlash(program: Command): void {
  const boards = [...RP2040_BOARDS, ...JS_BOARDS];
  program
    .command("flash")
    .description("build an image and put it onto a board, with who the board is")
    .argument("<NODE>", "folder with a node.json")
    .option("--identity <FILE>", 'who this board is, {"id": "oven-1"}; else it keeps what it has')
    .addOption(new Option("--board <B>", "what board it is").choices(boards).default("pico"))
    .option("--drive <PATH>", "drive of a board whose BOOTSEL was held; else the only one mounted")
    .option("--port <P>", "console of a JavaScript board: a serial port, tcp://HOST:PORT")
    .option("--out <DIR>", "where the image goes first (build/NODE)")
    .addHelpText(
      "after",
      "\nExample:\n  ferrule flash firmware/nodes/oven --identity oven-1.json" +
        "\n  ferrule flash firmware/nodes/oven --drive /media/me/RPI-RP2" +
        "\n  ferrule flash firmware/nodes/oven --board espruino-esp32 --port /dev/ttyUSB0",
    )
    .action(run);
}

async function run(folder: string, options: Options): Promise<void> {
  const { signal } = watchInterruption();
  const identity = options.identity === undefined ? undefined : readIdentity(options.identity);
  const { board } = options;
  const built = await tellCompiling((compiling) => buildNode(folder, { signal, compiling, board }));
  const wish = { ...options, identity, signal };
  const { said, told } = isJsBoard(board) ? await flashJs(built, wish) : flashDrive(built, wish);
  const node = { node: built.folder, type: built.type.type, id: identity?.id };
  if (options.json) return printJson({ ...node, ...told });
  print(said);
}
