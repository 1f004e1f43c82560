// SPDX-License-Identifier: MIT
// The nodes of --posix and --chip, beside those of a road.

import type { Plant } from "../build/plant.ts";
import type { BesideNode, BesideOptions } from "./beside.ts";
import { chooseChip, type ChipNode, startChip } from "./chip-node.ts";
import type { ChipEnd } from "./chip-thread.ts";
import { choosePosix, startPosix } from "./posix.ts";

export interface BesideWish {
  posix?: string; // folder of one more node, which runs as a process
  chip?: string; // the same, as a flash image
  board?: string; // of the chip; absent: pico
}

/** What became of them; what they sent is in no other count of a road but `ingested`. */
export interface BesideTotals {
  process?: { id: string; died: number };
  chip?: { id: string; died: number } & Partial<ChipEnd>;
}

export interface Besides {
  /** Builds and starts them. Throws Failure. */
  start(options: BesideOptions): Promise<void>;
  stop(): Promise<void>;
  totals(): BesideTotals;
}

/** What is wished beside a plant; nothing is built yet. Throws Failure. */
export function chooseBesides(wish: BesideWish, plant: Plant): Besides {
  const native = wish.posix === undefined ? undefined : choosePosix(wish.posix, plant);
  const image = wish.chip === undefined ? undefined : chooseChip(wish.chip, plant);
  let posix: BesideNode | undefined;
  let chip: ChipNode | undefined;
  return {
    async start(options) {
      posix = native && (await startPosix(native, options));
      chip = image && (await startChip(image, { ...options, board: wish.board ?? "pico" }));
    },
    async stop() {
      await Promise.all([posix?.stop(), chip?.stop()]);
    },
    totals: () => ({
      ...(posix && { process: told(posix) }),
      ...(chip && { chip: { ...told(chip), ...chip.end() } }),
    }),
  };
}

function told({ id, died }: BesideNode): { id: string; died: number } {
  return { id, died: died() };
}

/** What the last line of a road says of those that ended by themselves. */
export function describeDeaths({ process, chip }: BesideTotals): string {
  const dead = [process, chip].filter((beside) => beside?.died === 1);
  return dead.map((beside) => `, ${beside!.id} ended by itself`).join("");
}
