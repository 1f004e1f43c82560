// SPDX-License-Identifier: MIT
// Options that `up` and `sim` share: the seed, and what the network does.

import type { Command } from "commander";
import { readFraction, readSeed } from "./values.ts";

export interface NetworkOptions {
  seed: number;
  loss: number; // probabilities of a datagram
  duplicate: number;
  reorder: number;
}

/** Adds the options to a command and gives it back. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option("--seed <N>", "decides everything that is random", readSeed, 1)
    .option("--loss <P>", "probability that a datagram is lost", readFraction, 0)
    .option("--duplicate <P>", "that it arrives twice", readFraction, 0)
    .option("--reorder <P>", "that it arrives late, after others", readFraction, 0);
}
