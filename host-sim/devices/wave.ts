// SPDX-License-Identifier: MIT
// A machine that is a wave on a tap: edges, and octets at the rate set.
//
// Time 0 of the wave is time 0 of the machine. Of edges that nobody takes the latest EDGES_WAITING_MAX are
// kept; a distance over lost ones is unknown. An open UART hears from then on. Nothing is heard while it is closed.

import { EDGES_WAITING_MAX } from "../limits.ts";
import { formatOf } from "../line/format.ts";
import { createReceiver, type Receiver } from "../line/receiver.ts";
import { levelAt, type Wave } from "../line/wave.ts";
import { createNothing, type Device, type EdgeLine, type TapSink } from "./device.ts";

export const EDGE_UNIT_PS = 16_000; // as on the chip
const UNIT_NS = EDGE_UNIT_PS / 1000;
const LEVEL = 0x8000_0000;
const DISTANCE_UNKNOWN = 0x7fff_ffff;

/** The UART as node.json sets it; absent: closed until loop opens it. */
export interface WaveLine {
  baud: number;
  format: string;
  inverted?: boolean;
}

export function createWave(tap: number, wave: Wave, line?: WaveLine): Device {
  const { edges } = wave;
  let [nowNs, sink] = [0, undefined as TapSink | undefined];
  let receiver: Receiver | undefined;
  let heard = 0; // edges that the receiver had
  let taken = 0; // edges that loop took or lost
  let lost = false;

  function open(baud: number, format: string, inverted: boolean): void {
    heard = edgesUntil(edges, nowNs, heard);
    const say = (data: number, flags: number, atNs: number): void =>
      sink?.(tap, Math.floor(atNs / 1000), data & 0xff, flags);
    const settings = { format: formatOf(baud, format), inverted };
    receiver = baud === 0 ? undefined : createReceiver(settings, say, levelAt(wave, nowNs));
  }

  const edgeLine: EdgeLine = {
    unitPs: EDGE_UNIT_PS,
    open,
    take(capacity, put) {
      const there = edgesUntil(edges, nowNs, taken);
      if (there - taken > EDGES_WAITING_MAX) {
        taken = there - EDGES_WAITING_MAX;
        lost = true;
      }
      const count = Math.min(capacity, there - taken);
      for (let i = 0; i < count; i++, taken++, lost = false)
        put(i, lost ? levelBefore(wave, taken) + DISTANCE_UNKNOWN : entryOf(wave, taken));
      return count;
    },
  };
  if (line !== undefined) open(line.baud, line.format, line.inverted === true);
  return {
    ...createNothing(),
    edgeLine: (number) => (number === tap ? edgeLine : undefined),
    advance(nowUs, to) {
      nowNs = nowUs * 1000;
      sink = to;
      for (; heard < edges.length && edges[heard]! <= nowNs; heard++)
        receiver?.level(wave.initial ^ ((heard + 1) & 1), edges[heard]!);
      receiver?.runTo(nowNs);
    },
  };
}

// The place behind the last edge until this time, from a place before it.
function edgesUntil(edges: readonly number[], ns: number, from: number): number {
  let at = from;
  while (at < edges.length && edges[at]! <= ns) at++;
  return at;
}

function levelBefore({ initial }: Wave, index: number): number {
  return (initial ^ (index & 1)) === 1 ? LEVEL : 0;
}

// Each edge in the unit it falls into, so that distances add up.
function entryOf(wave: Wave, index: number): number {
  const unit = (at: number): number => Math.floor((wave.edges[at] ?? 0) / UNIT_NS);
  const distance = unit(index) - (index === 0 ? 0 : unit(index - 1));
  return levelBefore(wave, index) + Math.min(distance, DISTANCE_UNKNOWN);
}
