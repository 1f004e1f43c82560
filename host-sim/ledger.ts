// SPDX-License-Identifier: MIT
// What became of a node's QoS 1 readings and events, over all lives of its link.
//
// Spec: SPEC.md §6, link's counters() and waiting(). Counters are read before a life ends and summed.
// What then waited in the outbox is a candidate for "lost with the RAM": it is lost unless the hub has
// it, since a datagram may have made it out. Nothing here is computed from another sum.

import { COUNTER_COUNT } from "../firmware/wire/counters.ts";
import {
  COUNTER_ACKNOWLEDGED,
  COUNTER_DROPPED_ALARM,
  COUNTER_DROPPED_REFUSED,
  COUNTER_DROPPED_TELEMETRY,
  COUNTER_QUEUED,
  COUNTER_UNCONFIRMED_SENT,
} from "../firmware/wire/counters.ts";
import type { ModuleExports, ModuleMemory } from "./engine.ts";
import { LOST_CANDIDATES_MAX, LOST_WATCH_US } from "./limits.ts";

/** Counters of one life of link; all 0 before it counted anything. */
export type LinkCounters = Uint32Array;

export interface Totals {
  queued: number;
  acknowledged: number;
  dropped: number;
  unconfirmed: number; // QoS 0 readings sent
}

/** Whether the hub ingested a reading or event. */
export type Has = (boot: number, sequence: number) => boolean;

interface Candidate {
  boot: number;
  sequence: number;
  sinceUs: number;
}

export interface Ledger {
  /** A life ended: its counters and the sequences that waited in its outbox. */
  closeLife(counters: LinkCounters, boot: number, outstanding: number[], nowUs: number): void;
  /** Sums of all lives, `current` being the counters of the one that goes on. */
  totals(current: LinkCounters): Totals;
  /** Asks the hub about each candidate; those too old to be still under way are decided. */
  settle(has: Has, nowUs: number): void;
  /** Lost readings and events: those decided, and the open candidates that the hub does not have. */
  lost(has: Has): number;
  /** Candidates not decided yet. */
  openCount(): number;
}

export function createLedger(): Ledger {
  const closed: Totals = { queued: 0, acknowledged: 0, dropped: 0, unconfirmed: 0 };
  let candidates: Candidate[] = [];
  let lost = 0;

  return {
    closeLife(counters, boot, outstanding, nowUs) {
      addLife(closed, counters);
      for (const sequence of outstanding) candidates.push({ boot, sequence, sinceUs: nowUs });
      if (candidates.length > LOST_CANDIDATES_MAX) throw new RangeError("too many power cuts");
    },
    totals(current) {
      const sums = { ...closed };
      addLife(sums, current);
      return sums;
    },
    settle(has, nowUs) {
      candidates = candidates.filter(({ boot, sequence, sinceUs }) => {
        if (has(boot, sequence)) return false;
        if (nowUs - sinceUs <= LOST_WATCH_US) return true;
        lost++;
        return false;
      });
    },
    lost(has) {
      const open = candidates.filter(({ boot, sequence }) => !has(boot, sequence));
      return lost + open.length;
    },
    openCount: () => candidates.length,
  };
}

/** A copy of link's counters. */
export function readCounters(link: ModuleExports, memory: ModuleMemory): LinkCounters {
  const at = memory.reach(link["counters"]!(), 4 * COUNTER_COUNT);
  const bytes = memory.octets().slice(at, at + 4 * COUNTER_COUNT);
  const view = new DataView(bytes.buffer);
  return Uint32Array.from({ length: COUNTER_COUNT }, (_, i) => view.getUint32(4 * i, true));
}

/** Sequence numbers in the outbox, oldest first; link writes them behind its own memory. */
export function readWaiting(link: ModuleExports, memory: ModuleMemory): number[] {
  const address = link["memoryBytes"]!();
  const count = link["waiting"]!(address, 0);
  memory.extend(address + 4 * count);
  const at = memory.reach(address, 4 * count);
  if (link["waiting"]!(address, count) !== count) throw new RangeError("link changed its outbox");
  const bytes = memory.octets().slice(at, at + 4 * count);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, i) => view.getUint32(4 * i, true));
}

function addLife(sums: Totals, counters: LinkCounters): void {
  sums.queued += counters[COUNTER_QUEUED]!;
  sums.acknowledged += counters[COUNTER_ACKNOWLEDGED]!;
  sums.dropped +=
    counters[COUNTER_DROPPED_TELEMETRY]! +
    counters[COUNTER_DROPPED_ALARM]! +
    counters[COUNTER_DROPPED_REFUSED]!;
  sums.unconfirmed += counters[COUNTER_UNCONFIRMED_SENT]!;
}
