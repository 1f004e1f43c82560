// SPDX-License-Identifier: MIT
// The serial line from a board to its gateway: frames and datagrams.
//
// Spec: SPEC.md §7, by the gateway's own frame codec. Octets to the board stand one after the other at the
// line's speed; a board that is away hears none. Bounded: what would wait longer than WAIT_NS_MAX is refused.

import { createFrameDecoder, createFrameEncoder } from "../../gateway/frame.ts";
import type { SerialPlan } from "../plan.ts";
import type { Rp2040 } from "./rp2040/index.ts";
import { characterBits, formatOf } from "./rp2040/serial.ts";
import type { Transport } from "./transport.ts";

const WAIT_NS_MAX = 3e9; // as much as the node's ring would lose anyway

/** Connects the line to the pins; `said` gets each message of the board. */
export function createSerialLine(
  chip: Rp2040,
  plan: SerialPlan,
  said: (message: Uint8Array) => void,
): Transport {
  const format = formatOf(plan.baud, "8N1");
  const characterNs = characterBits(format) * format.bitNs;
  const decoder = createFrameDecoder();
  const encode = createFrameEncoder();
  let freeNs = 0;
  const end = chip.serial.onSay(plan.tx, ({ octet }) => decoder.push(Uint8Array.of(octet), said));
  return {
    hear(_from, message) {
      const { time, serial } = chip;
      const nowNs = time.nowNs();
      if (freeNs - nowNs > WAIT_NS_MAX) return false;
      for (const octet of encode(message)) {
        freeNs = Math.max(freeNs, nowNs) + characterNs;
        time.atNs(freeNs, () => void serial.hear(plan.rx, { octet, errors: 0, format }));
      }
      return true;
    },
    end,
  };
}
