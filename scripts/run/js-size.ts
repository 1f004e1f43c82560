// SPDX-License-Identifier: MIT
// `ferrule size` for a JavaScript board, beside the build before.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makeJs, requireJsBudget } from "../build/js.ts";
import { type JsSizes, jsSizeTable } from "../build/js-size.ts";
import type { BuiltNode } from "../build/modules.ts";
import { EXIT_USAGE, Failure } from "../cli/failure.ts";
import { print, printJson } from "../cli/terminal.ts";

const octets = z.number().int();
const sizesSchema = z.object({
  rows: z.array(z.object({ part: z.string(), takes: octets, most: octets.optional() })),
  kept: z.boolean(),
});

interface Options {
  board: string;
  out: string;
  run?: boolean;
  json?: boolean;
}

/** Prints the table. Throws Failure for what does not fit. */
export async function tellJsSize(built: BuiltNode, options: Options): Promise<void> {
  const { board, out, run, json } = options;
  if (run)
    throw new Failure(EXIT_USAGE, `there is no model of ${board} to run it in`, "leave --run out");
  const { type } = built.type;
  const before = readBefore(join(out, `${type}.size.json`));
  const bundle = await makeJs(board, built);
  const { takes } = bundle;
  if (json) printJson({ node: built.folder, type, board, takes, before });
  else print(jsSizeTable(takes, before));
  requireJsBudget(type, bundle);
}

function readBefore(file: string): JsSizes | undefined {
  try {
    return sizesSchema.parse(JSON.parse(readFileSync(file, "utf8"))) as JsSizes;
  } catch {
    return undefined;
  }
}
