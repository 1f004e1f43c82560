// SPDX-License-Identifier: MIT
// What lies over the sources for a JavaScript board: doubles, no 64-bit integers.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isJsBoard } from "./board-names.ts";
import type { BoardNode } from "./board-values.ts";
import { PROJECT } from "./sources.ts";

/** Overlay of a module of this node type. */
export function doublesOf({ board }: BoardNode): Record<string, string> {
  if (!isJsBoard(board)) return {};
  return { "firmware/wide.ts": readFileSync(join(PROJECT, "firmware/wide-double.ts"), "utf8") };
}
