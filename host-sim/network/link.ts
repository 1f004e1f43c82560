// SPDX-License-Identifier: MIT
// A lossy network: loses, doubles, delays and reorders datagrams by seed.
//
// Datagrams between two addresses keep their order unless one is chosen to be late. A damaged one does
// not pass the receiver's UDP checksum (RFC 768): it is dropped there. Healing ends all faults for what
// is sent from then on. Bounded: IN_FLIGHT_MAX under way, more are lost and counted.

import type { Clock } from "../clock.ts";
import {
  createNetworkFaults,
  type Conditions,
  type NetworkFault,
  type NetworkFaultSet,
} from "../faults/network.ts";
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
  /** How long a datagram takes, from and to; absent: as on a quiet local network. */
  delayUs?: readonly [number, number];
  deliver(from: string, to: string, bytes: Uint8Array): void;
}

export interface Network {
  /** The octets are kept until delivery: the caller does not change them. */
  send(from: string, to: string, bytes: Uint8Array): void;
  /** Begins a fault for a while; what it returns ends it. */
  begin(fault: NetworkFault): () => void;
  /** Ends the probabilities of the run and the tamper. */
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
  truncated: number;
  corrupted: number; // and dropped by the receiver
  overflowed: number;
}

export function createNetwork(
  faults: NetworkFaults,
  ports: NetworkPorts,
  tamper?: Tamper,
): Network {
  const { clock, trace } = ports;
  const state = createState(faults, ports, tamper);
  return {
    send(from, to, bytes) {
      const now = state.faultSet.conditions(from, to);
      const copies = fate(state, bytes, now);
      if (copies.length === 0) state.counts.lost++;
      if (copies.length > 1) state.counts.duplicated++;
      if (trace.on) {
        trace.write(clock.nowUs(), "net", { from, to, copies: copies.length, hex: hex(bytes) });
      }
      for (const copy of copies) {
        const rest = damage(state, copy, now);
        if (rest !== undefined) schedule(state, { from, to, bytes: rest }, now);
      }
    },
    begin: (fault) => state.faultSet.begin(fault),
    heal() {
      state.current = { loss: 0, duplicate: 0, reorder: 0 };
      state.tamper = undefined;
    },
    inFlight: () => state.inFlight,
    counts: () => state.counts,
  };
}

interface State {
  readonly ports: NetworkPorts;
  readonly faultSet: NetworkFaultSet;
  readonly lastDueUs: Map<string, number>; // by pair of addresses
  readonly counts: NetworkCounts;
  current: NetworkFaults;
  tamper: Tamper | undefined;
  inFlight: number;
}

function createState(
  faults: NetworkFaults,
  ports: NetworkPorts,
  tamper: Tamper | undefined,
): State {
  const state: State = {
    ports,
    faultSet: createNetworkFaults(() => state.current),
    lastDueUs: new Map(),
    counts: {
      sent: 0,
      delivered: 0,
      lost: 0,
      duplicated: 0,
      late: 0,
      truncated: 0,
      corrupted: 0,
      overflowed: 0,
    },
    current: faults,
    tamper,
    inFlight: 0,
  };
  return state;
}

function fate(state: State, bytes: Uint8Array, now: Conditions): Uint8Array[] {
  const { prng } = state.ports;
  const index = state.counts.sent++;
  if (state.tamper !== undefined) return state.tamper(bytes, index);
  if (now.partitioned || prng.chance(now.loss)) return [];
  return prng.chance(now.duplicate) ? [bytes, bytes] : [bytes];
}

// What the way leaves of one copy, undefined: the receiver drops it.
function damage(state: State, bytes: Uint8Array, now: Conditions): Uint8Array | undefined {
  const { prng } = state.ports;
  if (prng.chance(now.corrupt)) {
    state.counts.corrupted++;
    return undefined;
  }
  if (!prng.chance(now.truncate)) return bytes;
  state.counts.truncated++;
  return bytes.subarray(0, prng.below(bytes.length));
}

interface Datagram {
  from: string;
  to: string;
  bytes: Uint8Array;
}

function schedule(state: State, datagram: Datagram, now: Conditions): void {
  const { counts, lastDueUs } = state;
  const { clock, prng, deliver, delayUs = [DELAY_US_MIN, DELAY_US_MAX] } = state.ports;
  const { from, to, bytes } = datagram;
  if (state.inFlight >= IN_FLIGHT_MAX) {
    counts.overflowed++;
    return;
  }
  const pair = `${from} ${to}`;
  const [minUs, maxUs] = delayUs;
  let dueUs = clock.nowUs() + minUs + (maxUs > minUs ? prng.below(maxUs - minUs) : 0);
  dueUs += now.delayUs;
  if (prng.chance(now.reorder)) {
    counts.late++;
    dueUs += prng.below(REORDER_US_MAX);
  } else {
    dueUs = Math.max(dueUs, lastDueUs.get(pair) ?? 0);
    lastDueUs.set(pair, dueUs);
  }
  state.inFlight++;
  clock.at(dueUs, () => {
    state.inFlight--;
    counts.delivered++;
    deliver(from, to, bytes);
  });
}
