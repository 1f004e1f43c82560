// SPDX-License-Identifier: MIT
// Peer numbers of a node's datagrams, and the datagrams not taken yet.
//
// Spec: SPEC.md §1.2, peers. 1..n are the configured gateways; an address outside them gets one of the
// next PEERS_MAX numbers, the one unheard for longest first. The inbox is bounded: a datagram that
// finds it full is dropped and counted.

import { INBOX_DATAGRAMS_MAX, PEERS_MAX } from "./limits.ts";

export interface Peers {
  /** The number of an address that sent something; gives one out when it has none. */
  numberOf(address: string): number;
  /** The address of a number, undefined: nobody has it. */
  addressOf(peer: number): string | undefined;
  clear(): void;
}

/** Peers with these configured gateways, "host:port" each. */
export function createPeers(gateways: readonly string[]): Peers {
  const others: (string | undefined)[] = [];
  let heardAt: number[] = [];
  let heard = 0;

  function slotFor(address: string): number {
    const known = others.indexOf(address);
    if (known >= 0) return known;
    if (others.length < PEERS_MAX) return others.length;
    return heardAt.indexOf(Math.min(...heardAt));
  }

  return {
    numberOf(address) {
      const configured = gateways.indexOf(address);
      if (configured >= 0) return configured + 1;
      const slot = slotFor(address);
      others[slot] = address;
      heardAt[slot] = heard++;
      return gateways.length + 1 + slot;
    },
    addressOf: (peer) =>
      peer <= gateways.length ? gateways[peer - 1] : others[peer - gateways.length - 1],
    clear() {
      others.length = 0;
      heardAt = [];
    },
  };
}

export interface Inbox {
  /** False: full, the datagram is dropped and counted. */
  put(peer: number, bytes: Uint8Array): boolean;
  /** Takes the oldest one out, undefined: none. */
  take(): { peer: number; bytes: Uint8Array } | undefined;
  count(): number;
  clear(): void;
}

export function createInbox(): Inbox {
  const waiting: { peer: number; bytes: Uint8Array }[] = [];
  return {
    put(peer, bytes) {
      if (waiting.length >= INBOX_DATAGRAMS_MAX) return false;
      waiting.push({ peer, bytes });
      return true;
    },
    take: () => waiting.shift(),
    count: () => waiting.length,
    clear() {
      waiting.length = 0;
    },
  };
}
