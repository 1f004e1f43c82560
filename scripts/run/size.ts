// SPDX-License-Identifier: MIT
// Sizes of an image beside those of the build before, and what is over its budget.
//
// The build before is what DIR/NODE.size.json says; a file that is not there or is none says nothing.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { overBudget, type Sizes } from "../build/size.ts";
import { EXIT_FAILED, Failure } from "../cli/failure.ts";

const octets = z.number().int();
const sizesSchema = z.object({
  rows: z.array(z.object({ part: z.string(), flashBytes: octets, sramBytes: octets })),
  flashBytes: octets,
  sramBytes: octets,
  budget: z.object({ flashBytes: octets, sramBytes: octets, tickCycles: octets }),
  kept: z.boolean(),
});

/** What the build before this one wrote, undefined: nothing. Call it before building. */
export function readSizesBefore(folder: string, type: string): Sizes | undefined {
  try {
    return sizesSchema.parse(JSON.parse(readFileSync(join(folder, `${type}.size.json`), "utf8")));
  } catch {
    return undefined;
  }
}

/** Throws a Failure when an image takes more than it may. */
export function requireBudget(type: string, board: string, sizes: Sizes): void {
  const over = overBudget(sizes);
  if (over.length === 0) return;
  throw new Failure(
    EXIT_FAILED,
    `${type} is over its budget on ${board}:\n  ${over.join("\n  ")}`,
    'take channels or outbox slots out, or raise "budgets" in node.json',
  );
}
