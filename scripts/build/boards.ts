// SPDX-License-Identifier: MIT
// Boards that a node can be built for.

import { join } from "node:path";
import { Failure, EXIT_NOT_FOUND } from "../cli/failure.ts";
import { BOARD_NAMES, isJsBoard, RP2040_BOARDS } from "./board-names.ts";
import { buildJs, type JsImage } from "./js.ts";
import type { BuiltNode } from "./modules.ts";
import { buildPosix, type PosixImage } from "./posix.ts";
import { buildRp2040, type Rp2040Image } from "./rp2040.ts";

export { RP2040_BOARDS };
export const BOARDS: readonly string[] = ["posix", ...RP2040_BOARDS];

export type Image = PosixImage | Rp2040Image | JsImage;

/** Where an image goes when nobody says. */
export function imageFolder({ type }: BuiltNode, out?: string): string {
  return out ?? join("build", type.type);
}

/** Makes the image of a built node in a folder, `build/<type>` without one. Throws Failure. */
export async function buildBoard(board: string, built: BuiltNode, out?: string): Promise<Image> {
  if (board === "posix") return buildPosix(built, imageFolder(built, out));
  if (isJsBoard(board)) return buildJs(board, built, imageFolder(built, out));
  return buildImage(board, built, out);
}

/** The same for a board whose program is a flash image. */
export function buildImage(board: string, built: BuiltNode, out?: string): Rp2040Image {
  if (RP2040_BOARDS.includes(board)) return buildRp2040(board, built, imageFolder(built, out));
  throw new Failure(
    EXIT_NOT_FOUND,
    `there is no board ${board}`,
    `take one of ${BOARD_NAMES.join(" ")}`,
  );
}
