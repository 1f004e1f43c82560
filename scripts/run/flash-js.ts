// SPDX-License-Identifier: MIT
// `ferrule flash` for JavaScript boards.
//
// Bundle and settings go onto a board with Espruino; for Kaluma it says what to type.
// Kaluma's own tool needs a terminal, so that it is not run from here. Settings hold a password: they go to the board, or
// to a file that only its owner reads, and are never printed.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageFolder } from "../build/boards.ts";
import { readJsBoard } from "../build/js-board.ts";
import { settingsText } from "../build/js-settings.ts";
import { buildJs } from "../build/js.ts";
import type { BuiltNode } from "../build/modules.ts";
import { show } from "../build/node.ts";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";
import { quote } from "../cli/quote.ts";
import { upload } from "./espruino.ts";
import type { Flashed, FlashWish } from "./flash-drive.ts";

const KALUMA_TOOL = "npx --package=@kaluma/cli@1.0.0 kaluma";
const PORT_EXAMPLE = "/dev/ttyACM0";

/** Builds the bundle and puts it onto the board, or says how. Throws Failure. */
export async function flashJs(built: BuiltNode, wish: FlashWish): Promise<Flashed> {
  const board = readJsBoard(wish.board);
  const { port, identity, signal } = wish;
  const settings = identity === undefined ? undefined : settingsText(board, identity);
  if (board.engine === "espruino" && port === undefined)
    throw new Failure(
      EXIT_USAGE,
      `where is the board? ${board.name} has no drive`,
      `--port ${PORT_EXAMPLE}, or --port tcp://192.0.2.20:2323 for a console on the network`,
    );
  const out = imageFolder(built, wish.out);
  const { program } = await buildJs(wish.board, built, out);
  const bundle = readFileSync(program, "latin1");
  const as = identity?.id === undefined ? "" : `, as ${identity.id}`;
  if (board.engine === "kaluma") return kalumaLines({ program, port, settings, out });
  await upload({ board, bundle, port: port!, signal, ...(settings !== undefined && { settings }) });
  const said = `${port}  ${bundle.length} bytes${as}`;
  return { said, told: { program, port, bytes: bundle.length } };
}

interface ForKaluma {
  program: string;
  port: string | undefined;
  settings: string | undefined;
  out: string;
}

function kalumaLines({ program, port, settings, out }: ForKaluma): Flashed {
  const at = `--port ${quote(port ?? PORT_EXAMPLE)}`;
  const lines = [`${KALUMA_TOOL} flash ${quote(show(program))} ${at}`];
  let file: string | undefined;
  if (settings !== undefined) {
    file = join(out, "ferrule.json");
    rmSync(file, { force: true }); // what is there keeps its mode
    writeFileSync(file, settings, { mode: 0o600 });
    lines.push(`${KALUMA_TOOL} put ${quote(show(file))} /ferrule.json ${at}`);
  }
  return { said: lines.join("\n"), told: { program, lines, settings: file } };
}
