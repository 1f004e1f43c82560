// SPDX-License-Identifier: MIT
// Boards that a node can be built for.

import { join } from "node:path";
import { Failure, EXIT_NOT_FOUND } from "../cli/failure.ts";
import type { BuiltNode } from "./modules.ts";
import { buildPosix, type PosixImage } from "./posix.ts";

export const BOARDS: readonly string[] = ["posix"];

/** Makes the image of a built node in a folder, `build/<type>` without one. Throws Failure. */
export function buildBoard(board: string, built: BuiltNode, out?: string): PosixImage {
  if (board === "posix") return buildPosix(built, out ?? join("build", built.type.type));
  throw new Failure(
    EXIT_NOT_FOUND,
    `there is no board ${board}`,
    `take one of ${BOARDS.join(" ")}`,
  );
}
