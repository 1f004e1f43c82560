// SPDX-License-Identifier: MIT
// A capture for Wireshark: the frames that the decoder cut, with their times.
//
// pcapng 1.0 (section header, one interface, enhanced packets), link type 250: each packet begins with the 12 octets of RTAC
// serial: seconds, microseconds, event, UART state, 2 unused. What stood in no right frame is a packet of its own. Events:
// 1 a request, 2 an answer and all else. A packet's time is the end of its first character.

import {
  TAP_COUNTER_FRAMES,
  TAP_COUNTER_JUNK_BYTES,
  TAP_COUNTER_REQUESTS,
} from "../../firmware/wire/tap.ts";
import { createDecoder } from "./decoder.ts";
import type { Character } from "./line.ts";
import type { Encoder } from "./record.ts";
import type { Known } from "./known.ts";

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const LINK_TYPE_RTAC_SERIAL = 250;
const SNAP_BYTES = 65_535;
const RTAC_BYTES = 12;
const REQUEST = 1;
const ANSWER = 2;

/** An encoder that cuts by the decoder of the module, which is that of the protocol. */
export function pcapngEncoder(
  { source: { line, startedMs = 0 }, protocol, end }: Pick<Known, "source" | "protocol" | "end">,
  module: WebAssembly.Module,
): Encoder {
  let open: Character[] = []; // not decided yet
  let packets: Uint8Array[] = [];
  let junk = 0;
  let requests = 0;
  let taken = 0;
  let frames = 0;
  const decoder = createDecoder(module, line, {
    ...{ protocol, ...(end && { end }) },
    taken(self) {
      const counters = self.counters();
      const isFrame = counters[TAP_COUNTER_FRAMES]! > frames;
      frames = counters[TAP_COUNTER_FRAMES]!;
      // Other decoders end a frame with its last octet.
      const waiting = isFrame ? 0 : counters[0]! - taken - counters[TAP_COUNTER_JUNK_BYTES]! + junk;
      cut(counters, protocol === "modbus-rtu" ? self.undecided() : waiting);
    },
  });

  function cut(counters: number[], undecided: number): void {
    const decided = counters[0]! - undecided - taken;
    if (decided <= 0) return;
    const stray = Math.min(decided, counters[TAP_COUNTER_JUNK_BYTES]! - junk);
    const isRequest = counters[TAP_COUNTER_REQUESTS]! > requests;
    tell(stray, ANSWER);
    tell(decided - stray, isRequest ? REQUEST : ANSWER);
    junk = counters[TAP_COUNTER_JUNK_BYTES]!;
    requests = counters[TAP_COUNTER_REQUESTS]!;
    taken += decided;
  }

  function tell(count: number, event: number): void {
    if (count === 0) return;
    packets.push(encodePacket(open.slice(0, count), event, startedMs * 1000));
    open = open.slice(count);
  }

  function flush(): Uint8Array {
    const octets = Buffer.concat(packets);
    packets = [];
    return octets;
  }

  return {
    start: () => Buffer.concat([encodeSection(), encodeInterface()]),
    put(batch) {
      open.push(...batch.characters);
      decoder.put(batch, () => undefined);
      return flush();
    },
    end() {
      decoder.end(() => undefined);
      tell(open.length, ANSWER);
      return flush();
    },
  };
}

function encodeSection(): Uint8Array {
  const body = new DataView(new ArrayBuffer(16));
  body.setUint32(0, BYTE_ORDER, true);
  body.setUint16(4, 1, true);
  body.setBigInt64(8, -1n, true); // length of the section: not known
  return encodeBlock(SECTION_HEADER, new Uint8Array(body.buffer));
}

function encodeInterface(): Uint8Array {
  const body = new DataView(new ArrayBuffer(8));
  body.setUint16(0, LINK_TYPE_RTAC_SERIAL, true);
  body.setUint32(4, SNAP_BYTES, true);
  return encodeBlock(INTERFACE, new Uint8Array(body.buffer));
}

function encodePacket(
  characters: readonly Character[],
  event: number,
  startedUs: number,
): Uint8Array {
  const us = Math.round(startedUs + characters[0]!.atUs);
  const bytes = RTAC_BYTES + characters.length;
  const body = new DataView(new ArrayBuffer(20 + Math.ceil(bytes / 4) * 4));
  body.setUint32(4, Math.floor(us / 2 ** 32), true);
  body.setUint32(8, us % 2 ** 32, true);
  body.setUint32(12, bytes, true);
  body.setUint32(16, bytes, true);
  body.setUint32(20, Math.floor(us / 1_000_000));
  body.setUint32(24, us % 1_000_000);
  body.setUint8(28, event);
  characters.forEach(({ octet }, i) => body.setUint8(20 + RTAC_BYTES + i, octet));
  return encodeBlock(ENHANCED_PACKET, new Uint8Array(body.buffer));
}

function encodeBlock(type: number, body: Uint8Array): Uint8Array {
  const bytes = 12 + body.length;
  const block = new DataView(new ArrayBuffer(bytes));
  block.setUint32(0, type, true);
  block.setUint32(4, bytes, true);
  new Uint8Array(block.buffer).set(body, 8);
  block.setUint32(bytes - 4, bytes, true);
  return new Uint8Array(block.buffer);
}
