// SPDX-License-Identifier: MIT
// `ferrule up --chip NODE`: one more node, as its flash image.
//
// It runs on a model of its chip, in a thread of its own, so that page and gateway stay quick. It speaks UDP to the gateway for its board's line.
// A model that ends by itself (firmware did what a chip forbids) is told and counted; the plant goes on.

import { Worker } from "node:worker_threads";
import { setTimeout as wait } from "node:timers/promises";
import { parseEndpoint } from "../../host-sim/pcap.ts";
import { compilerVersion } from "../build/rp2040.ts";
import { type Plant, toPlantPlan } from "../build/plant.ts";
import { tellCompiling } from "../cli/progress.ts";
import { type BesideNode, type BesideOptions, chooseBeside } from "./beside.ts";
import type { ChipEnd, ChipSaid, ChipWork } from "./chip-thread.ts";
import { putOnChips } from "./chips.ts";

const STOP_MS_MAX = 15_000; // the thread takes 5 s at most for what is under way, and is late when it is slow

export interface ChipNode extends BesideNode {
  /** What became of it, undefined before its end. */
  end(): ChipEnd | undefined;
  /** Ends it; beyond `withinMs` without what became of it. */
  stop(withinMs?: number): Promise<void>;
}

/** The plant of the one node that becomes an image. Throws Failure. */
export function chooseChip(folder: string, plant: Plant): Plant {
  const chosen = chooseBeside(folder, plant, "chip");
  compilerVersion();
  return chosen;
}

/** Builds the image of the chosen node, cached, and starts it. Throws Failure. */
export async function startChip(
  chosen: Plant,
  options: BesideOptions & { board: string },
): Promise<ChipNode> {
  const { gateway, seed, signal, log, board } = options;
  const plan = await tellCompiling(async (compiling) => {
    const build = { signal, compiling, board };
    return putOnChips(chosen, await toPlantPlan(chosen, build), build);
  });
  const input: ChipWork = {
    plan,
    gateway: parseEndpoint(gateway),
    seed,
    bootsBefore: Math.floor(Date.now() / 1000), // a hub that remembers earlier runs wants higher ones
  };
  return startThread(input, log);
}

/** Starts the thread of a board and follows it. */
export function startThread(input: ChipWork, log: (text: string) => void): ChipNode {
  const module = new URL("./chip-thread.ts", import.meta.url).href;
  const thread = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: { module, input },
  });
  const { id } = input.plan.nodes[0]!;
  let died = 0;
  let end: ChipEnd | undefined;
  thread.on("message", (message: { result?: ChipEnd; progress?: ChipSaid }) => {
    if (message.progress !== undefined) log(message.progress.log);
    else end = message.result;
  });
  const ended = new Promise<void>((resolve) => {
    thread.on("error", (error) => {
      died = 1;
      log(`${id}: its chip ended (${error.message}); the others go on`);
      resolve();
    });
    thread.on("exit", () => resolve());
  });
  return {
    id,
    died: () => died,
    end: () => end,
    async stop(withinMs = STOP_MS_MAX) {
      thread.postMessage("stop");
      const late = new AbortController();
      const patience = wait(withinMs, undefined, { signal: late.signal }).then(
        () => thread.terminate(),
        () => undefined,
      );
      await ended;
      late.abort();
      await patience;
    },
  };
}
