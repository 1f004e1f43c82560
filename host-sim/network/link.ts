// SPDX-License-Identifier: MIT
// A lossy network: loses, doubles, delays and reorders datagrams by seed.
//
// Datagrams between two addresses keep their order unless one is chosen to be late. Healing ends all
// faults for what is sent from then on. Bounded: IN_FLIGHT_MAX under way, more are lost and counted.

import type { Clock } from "../clock.ts";
import { DELAY_US_MAX, DELAY_US_MIN, IN_FLIGHT_MAX, REORDER_US_MAX } from "../limits.ts";
import type { Prng } from "../prng.ts";
import { hex, type Trace } from "../trace.ts";

/** Probabilities 0..1, each drawn for each datagram. */
export interface NetworkFaults {
  loss: number;
  duplicate: number;
  reorder: number;
}

/** What a planned fault does to one datagram instead of chance: how many copies arrive, which octets. */
export type Tamper = (bytes: Uint8Array, index: number) => Uint8Array[];

export interface NetworkPorts {
  clock: Clock;
  prng: Prng;
  trace: Trace;
  deliver(from: string, to: string, bytes: Uint8Array): void;
}

export interface Network {
  /** The octets are kept until delivery: the caller does not change them. */
  send(from: string, to: string, bytes: Uint8Array): void;
  heal(): void;
  inFlight(): number;
  counts(): Readonly<NetworkCounts>;
}

export interface NetworkCounts {
  sent: number;
  delivered: number;
  lost: number;
  duplicated: number;
  late: number;
  overflowed: number;
}

export function createNetwork(
  faults: NetworkFaults,
  ports: NetworkPorts,
  tamper?: Tamper,
): Network {
  const { clock, prng, trace } = ports;
  const lastDueUs = new Map<string, number>(); // by pair of addresses
  const counts = { sent: 0, delivered: 0, lost: 0, duplicated: 0, late: 0, overflowed: 0 };
  let current = faults;
  let healed = false;
  let inFlight = 0;

  function schedule(from: string, to: string, bytes: Uint8Array): void {
    if (inFlight >= IN_FLIGHT_MAX) {
      counts.overflowed++;
      return;
    }
    const pair = `${from} ${to}`;
    let dueUs = clock.nowUs() + DELAY_US_MIN + prng.below(DELAY_US_MAX - DELAY_US_MIN);
    if (prng.chance(current.reorder)) {
      counts.late++;
      dueUs += prng.below(REORDER_US_MAX);
    } else {
      dueUs = Math.max(dueUs, lastDueUs.get(pair) ?? 0);
      lastDueUs.set(pair, dueUs);
    }
    inFlight++;
    clock.at(dueUs, () => {
      inFlight--;
      counts.delivered++;
      ports.deliver(from, to, bytes);
    });
  }

  function fate(bytes: Uint8Array, index: number): Uint8Array[] {
    if (tamper !== undefined && !healed) return tamper(bytes, index);
    if (prng.chance(current.loss)) return [];
    return prng.chance(current.duplicate) ? [bytes, bytes] : [bytes];
  }

  return {
    send(from, to, bytes) {
      const copies = fate(bytes, counts.sent++);
      if (copies.length === 0) counts.lost++;
      if (copies.length > 1) counts.duplicated++;
      if (trace.on) {
        trace.write(clock.nowUs(), "net", { from, to, copies: copies.length, hex: hex(bytes) });
      }
      for (const copy of copies) schedule(from, to, copy);
    },
    heal() {
      current = { loss: 0, duplicate: 0, reorder: 0 };
      healed = true;
    },
    inFlight: () => inFlight,
    counts: () => counts,
  };
}
