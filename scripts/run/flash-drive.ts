// SPDX-License-Identifier: MIT
// `ferrule flash` for a board that is a drive: image and identity in one file.

import { join } from "node:path";
import { buildImage, imageFolder } from "../build/boards.ts";
import { writeWhole } from "../build/cache.ts";
import type { Identity } from "../build/identity.ts";
import type { BuiltNode } from "../build/modules.ts";
import { show } from "../build/node.ts";
import { withIdentity } from "../build/rp2040.ts";
import { chooseDrive, writeToDrive } from "./flash.ts";
import { requireBudget } from "./size.ts";

export interface FlashWish {
  board: string;
  identity?: Identity | undefined;
  drive?: string;
  port?: string;
  out?: string;
  signal: AbortSignal;
}

/** What was done: a line for a person, fields for a program. */
export interface Flashed {
  said: string;
  told: Record<string, unknown>;
}

/** Builds the image and copies it. Throws Failure. */
export function flashDrive(built: BuiltNode, wish: FlashWish): Flashed {
  const { board, identity } = wish;
  const out = imageFolder(built, wish.out);
  const image = buildImage(board, built, out);
  const { type } = built.type;
  requireBudget(type, board, image.sizes);
  const octets = withIdentity(board, image.program, identity);
  const uf2 = join(out, `${identity?.id ?? type}.uf2`);
  writeWhole(uf2, octets);
  const drive = chooseDrive(wish.drive, show(uf2));
  const file = writeToDrive(drive, `${type}.uf2`, octets);
  const as = identity?.id === undefined ? "" : `, as ${identity.id}`;
  return { said: `${show(file)}  ${octets.length} bytes${as}`, told: { uf2, drive, file } };
}
