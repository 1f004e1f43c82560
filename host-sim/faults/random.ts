// SPDX-License-Identifier: MIT
// A schedule of trouble that follows from a seed.
//
// Always: a lossy network that doubles and reorders, two partitions, a restart of the gateway, an outage
// of the broker, a power cut. By chance: damaged and slow datagrams, a torn flash, a slow broker, ticks
// that overrun, clocks that are off, failing sensors, commands that link gets wrong. All begin and most end before `forMs`.

import type { FaultPlan } from "../plan.ts";
import { createPrng, type Prng } from "../prng.ts";
import { FAULT_NAMES, type FaultName } from "./vocabulary.ts";

const LOSS = 0.2;
const DUPLICATE = 0.1;
const REORDER = 0.1;
const EXTRA_CHANCE = 0.3; // of each fault that is there by chance
const LINE_CHANCE = 0.15; // of each of serial lines

interface Dice {
  readonly prng: Prng;
  readonly nodes: readonly string[];
  readonly forMs: number;
}

/** The faults of a seed for these nodes, in order of their beginning. */
export function randomFaults(seed: number, nodes: readonly string[], forMs: number): FaultPlan[] {
  const dice: Dice = { prng: createPrng(seed).fork("trouble"), nodes, forMs };
  const always: FaultPlan[] = [
    { atMs: 0, forMs, fault: "loss", amount: LOSS },
    { atMs: 0, forMs, fault: "duplicate", amount: DUPLICATE },
    { atMs: 0, forMs, fault: "reorder", amount: REORDER },
    sometime(dice, "partition", 20_000),
    { ...sometime(dice, "partition", 20_000), node: someNode(dice) },
    sometime(dice, "gateway-restart", 10_000),
    sometime(dice, "broker-down", 20_000),
    { ...sometime(dice, "power-cut", 15_000), node: someNode(dice) },
  ];
  const extra = [...EXTRAS].filter(() => dice.prng.chance(EXTRA_CHANCE));
  const lines = lineFaults({ ...dice, prng: createPrng(seed).fork("trouble on lines") });
  const faults = [...always, ...extra.flatMap((make) => make(dice)), ...lines];
  return faults.sort((a, b) => a.atMs - b.atMs);
}

const EXTRAS: readonly ((dice: Dice) => FaultPlan[])[] = [
  (dice) => [{ ...sometime(dice, "truncate", 30_000), amount: 0.2 }],
  (dice) => [{ ...sometime(dice, "corrupt", 30_000), amount: 0.2 }],
  (dice) => [{ ...sometime(dice, "delay", 20_000), amount: dice.prng.below(8000) }],
  (dice) => [{ ...sometime(dice, "broker-slow", 20_000), amount: dice.prng.below(8000) }],
  (dice) => [{ ...sometime(dice, "overrun", 2000), node: someNode(dice) }],
  (dice) => [
    { ...sometime(dice, "clock-step", 20_000), amount: dice.prng.below(120_000) - 60_000 },
  ],
  (dice) => [{ ...sometime(dice, "clock-drift", 60_000), node: someNode(dice), amount: 20_000 }],
  (dice) => [{ ...sometime(dice, "sensor-open-wire", 20_000), node: someNode(dice), input: 0 }],
  (dice) => [{ ...sometime(dice, "sensor-noise", 20_000), node: someNode(dice), input: 0 }],
  (dice) => [{ ...sometime(dice, "sensor-stuck", 20_000), node: someNode(dice), input: 0 }],
  (dice) => [
    {
      ...sometime(dice, "sensor-drift", 20_000),
      node: someNode(dice),
      input: 0,
      amount: dice.prng.below(2001) - 1000,
    },
  ],
  (dice) => [
    { ...sometime(dice, "sensor-spike", 20_000), node: someNode(dice), input: 0, amount: 0.1 },
  ],
  (dice) => [{ ...sometime(dice, "mailbox-garbled", 60_000), node: someNode(dice) }],
  (dice) => {
    const cut = { ...sometime(dice, "power-cut", 5000), node: someNode(dice) };
    const tear = { fault: "flash-torn" as const, amount: dice.prng.below(9) };
    return [cut, { ...cut, ...tear, forMs: cut.forMs + 1 + dice.prng.below(5000) }];
  },
];

// A chance of its own: what else goes wrong with a seed does not depend on it.
function lineFaults(dice: Dice): FaultPlan[] {
  return LINE_WORDS.filter(() => dice.prng.chance(LINE_CHANCE)).map((fault) => ({
    ...sometime(dice, fault, 30_000),
    node: someNode(dice),
  }));
}

const LINE_WORDS = FAULT_NAMES.filter((name) => name.startsWith("line-"));

function sometime({ prng, forMs }: Dice, fault: FaultName, lastsMsMax: number): FaultPlan {
  return { atMs: prng.below(forMs), forMs: 1 + prng.below(lastsMsMax), fault };
}

function someNode({ prng, nodes }: Dice): string {
  return nodes[prng.below(nodes.length)] ?? "";
}
