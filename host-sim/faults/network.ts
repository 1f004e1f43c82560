// SPDX-License-Identifier: MIT
// Faults of the network: what befalls a datagram between two addresses now.
//
// Probabilities of faults that overlap combine as independent ones, delays add up. One record is
// filled in place for each datagram: nothing is allocated.

/** What chance may do to one datagram; probabilities 0..1. */
export interface Conditions {
  loss: number;
  duplicate: number;
  reorder: number;
  truncate: number;
  corrupt: number;
  delayUs: number;
  partitioned: boolean;
}

export interface NetworkFault {
  kind: "loss" | "duplicate" | "reorder" | "truncate" | "corrupt" | "delay" | "partition";
  address?: string; // of the node; absent: everybody
  amount: number; // a probability; of a delay: ms
}

export interface NetworkFaultSet {
  /** Begins a fault; what it returns ends it. */
  begin(fault: NetworkFault): () => void;
  /** Valid until the next call. */
  conditions(from: string, to: string): Readonly<Conditions>;
}

/** Conditions that start from these probabilities of the whole run. */
export function createNetworkFaults(
  base: () => { loss: number; duplicate: number; reorder: number },
): NetworkFaultSet {
  const active = new Set<NetworkFault>();
  const now: Conditions = {
    loss: 0,
    duplicate: 0,
    reorder: 0,
    truncate: 0,
    corrupt: 0,
    delayUs: 0,
    partitioned: false,
  };

  return {
    begin(fault) {
      const own = { ...fault };
      active.add(own);
      return () => void active.delete(own);
    },
    conditions(from, to) {
      const { loss, duplicate, reorder } = base();
      now.loss = loss;
      now.duplicate = duplicate;
      now.reorder = reorder;
      now.truncate = now.corrupt = now.delayUs = 0;
      now.partitioned = false;
      for (const fault of active) {
        const { address } = fault;
        if (address === undefined || address === from || address === to) add(now, fault);
      }
      return now;
    },
  };
}

function add(now: Conditions, { kind, amount }: NetworkFault): void {
  if (kind === "partition") now.partitioned = true;
  else if (kind === "delay") now.delayUs += amount * 1000;
  else now[kind] = 1 - (1 - now[kind]) * (1 - amount);
}
