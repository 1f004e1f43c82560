// SPDX-License-Identifier: MIT
// Boards that a node can be built for.

import { join } from "node:path";
import { Failure, EXIT_NOT_FOUND } from "../cli/failure.ts";
import type { BuiltNode } from "./modules.ts";
import { buildPosix, type PosixImage } from "./posix.ts";
import { buildRp2040, type Rp2040Image } from "./rp2040.ts";

const RP2040_BOARDS: readonly string[] = ["pico"];
export const BOARDS: readonly string[] = ["posix", ...RP2040_BOARDS];

export type Image = PosixImage | Rp2040Image;

/** Makes the image of a built node in a folder, `build/<type>` without one. Throws Failure. */
export function buildBoard(board: string, built: BuiltNode, out?: string): Image {
  const folder = out ?? join("build", built.type.type);
  if (board === "posix") return buildPosix(built, folder);
  if (RP2040_BOARDS.includes(board)) return buildRp2040(board, built, folder);
  throw new Failure(
    EXIT_NOT_FOUND,
    `there is no board ${board}`,
    `take one of ${BOARDS.join(" ")}`,
  );
}
