// SPDX-License-Identifier: MIT
// Set-points written while a plant runs: by the hub, or past it by another client.
//
// Spec: SPEC.md §8. The hub refuses what is out of limits and says so; what another client of the broker
// publishes reaches the node as it is, and the node's own two checks stand alone.

import { TOPIC_ROOT, TOPIC_SET } from "../firmware/wire/topics.ts";
import { encodeSet } from "../hub/set-messages.ts";
import type { CommandPlan, NodePlan } from "./plan.ts";
import type { Prng } from "./prng.ts";

const MANTISSA_MAX = 0xffff_ffff; // far beyond the i32 that a mailbox record holds
const STRANGER_REQUEST = 3_000_000_000; // the hub's requests are wall seconds: below 2^31 until 2038
const EACH_MS = 15_000; // of a node with set-points: one command in this time, on average
const ABSURD_CHANCE = 0.4;
const STRANGER_CHANCE = 0.5;

/** Topic and payload of a command that does not come from the hub; `index` makes its request number. */
export function strangersCommand(
  { node, setpoint, value }: CommandPlan,
  nodes: readonly NodePlan[],
  index: number,
): { topic: string; payload: Uint8Array } {
  const known = nodes.find(({ id }) => id === node)?.setpoints ?? [];
  const decimals = known.find(({ name }) => name === setpoint)?.decimals ?? 0;
  const steps = Math.round(value * 10 ** decimals);
  const mantissa = Math.max(-MANTISSA_MAX, Math.min(MANTISSA_MAX, steps));
  const request = STRANGER_REQUEST + index;
  return {
    topic: `${TOPIC_ROOT}/${node}/${TOPIC_SET}`,
    payload: encodeSet({ request, name: setpoint, mantissa, decimals, lifetimeMs: 0 }),
  };
}

/** Commands of a seed for the set-points of these nodes, sensible and absurd ones. */
export function randomCommands(
  prng: Prng,
  nodes: readonly NodePlan[],
  forMs: number,
): CommandPlan[] {
  const commands = nodes.flatMap(({ id, setpoints = [] }) =>
    setpoints.flatMap(({ name, decimals, min, max }) =>
      Array.from({ length: Math.ceil(forMs / EACH_MS) }, (): CommandPlan => {
        const steps = prng.chance(ABSURD_CHANCE)
          ? prng.nextU32() | 0
          : min + prng.below(max - min + 1);
        return {
          atMs: prng.below(forMs),
          node: id,
          setpoint: name,
          value: steps / 10 ** decimals,
          by: prng.chance(STRANGER_CHANCE) ? "broker" : "hub",
        };
      }),
    ),
  );
  return commands.sort((a, b) => a.atMs - b.atMs);
}
