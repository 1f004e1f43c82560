// SPDX-License-Identifier: MIT
// Host functions of link: exactly the import table of SPEC.md §1.2.

import { DATAGRAM_BYTES_MAX } from "../firmware/limits.ts";
import {
  INFO_COUNTERS,
  INFO_EUI64,
  INFO_GATEWAY_COUNT,
  INFO_HOST,
  INFO_LINK_HASH,
  INFO_LOOP_HASH,
  INFO_NODE_ID,
  PEER_GROUP,
} from "../firmware/wire/info.ts";
import { MAILBOX_BYTES } from "../firmware/wire/setpoint.ts";
import type { HostFunctions, ModuleMemory } from "./engine.ts";
import { GROUP, nodeTimeUs, traceNode, type Hardware } from "./hardware.ts";
import { hex } from "./trace.ts";

const PEER_BYTES = 4;

/** The functions of one instance, bound to its memory. */
export function createLinkHost(hardware: Hardware, memory: ModuleMemory): HostFunctions {
  return {
    now_us: () => nodeTimeUs(hardware),
    ring_take: (address, capacity) => takeRecord(hardware, memory, address!, capacity!),
    datagram_put: (peer, address, length) =>
      putDatagram(hardware, memory, { peer: peer!, address: address!, length: length! }),
    datagram_take: (address, capacity) => takeDatagram(hardware, memory, address!, capacity!),
    ...createFlashFunctions(hardware, memory),
    mailbox_put(address, length) {
      const at = memory.reach(address!, length!);
      const record = memory.octets().slice(at, at + length!);
      if (record.length === MAILBOX_BYTES) hardware.ports.garble?.(record);
      const taken = hardware.mailbox.put(record, 0, record.length);
      traceNode(hardware, "mailbox-put", { m: "link", taken, length: length! });
      return taken ? 1 : 0;
    },
    entropy(address, length) {
      const at = memory.reach(address!, length!);
      const target = memory.octets().subarray(at, at + length!);
      hardware.setup.entropy.fill(target);
      if (hardware.ports.trace.on) traceNode(hardware, "entropy", { m: "link", hex: hex(target) });
      return length!;
    },
    info(item, address, capacity) {
      const at = memory.reach(address!, capacity!);
      const value = infoItem(hardware, item!);
      if (value === undefined || value.length > capacity! >>> 0) return -1;
      memory.octets().set(value, at);
      return value.length;
    },
  };
}

// A record that does not fit link's buffer is dropped and counted, and the next one has its turn.
function takeRecord(
  hardware: Hardware,
  memory: ModuleMemory,
  address: number,
  capacity: number,
): number {
  const at = memory.reach(address, capacity);
  const { ring } = hardware;
  while (ring.nextLength() > capacity >>> 0) {
    ring.skip();
    hardware.counters.ringDropped++;
  }
  const length = ring.take(memory.octets(), at);
  if (length > 0) traceNode(hardware, "ring-take", { m: "link", length });
  return length;
}

function putDatagram(
  hardware: Hardware,
  memory: ModuleMemory,
  request: { peer: number; address: number; length: number },
): number {
  const { peer, length } = request;
  const at = memory.reach(request.address, length);
  const to = peer === PEER_GROUP ? GROUP : hardware.peers.addressOf(peer);
  if (to === undefined || length < 1 || length > DATAGRAM_BYTES_MAX) return 0;
  const bytes = memory.octets().slice(at, at + length);
  const taken = hardware.ports.send(to, bytes);
  if (hardware.ports.trace.on) {
    traceNode(hardware, "datagram-put", { m: "link", peer, to, taken, hex: hex(bytes) });
  }
  return taken ? 1 : 0;
}

function takeDatagram(
  hardware: Hardware,
  memory: ModuleMemory,
  address: number,
  capacity: number,
): number {
  const at = memory.reach(address, capacity);
  for (let next = hardware.inbox.take(); next !== undefined; next = hardware.inbox.take()) {
    const { peer, bytes } = next;
    const length = PEER_BYTES + bytes.length;
    if (length > capacity >>> 0) {
      hardware.datagramsDropped++;
      traceNode(hardware, "datagram-drop", { m: "link", peer, length });
      continue;
    }
    const target = memory.octets();
    for (let i = 0; i < PEER_BYTES; i++) target[at + i] = peer >>> (8 * i);
    target.set(bytes, at + PEER_BYTES);
    traceNode(hardware, "datagram-take", { m: "link", peer, length });
    return length;
  }
  return 0;
}

function createFlashFunctions(hardware: Hardware, memory: ModuleMemory): HostFunctions {
  const { flash, ports } = hardware;
  return {
    flash_read(offset, address, length) {
      const at = memory.reach(address!, length!);
      return flash.read(offset!, memory.octets(), at, length!);
    },
    flash_erase(offset) {
      traceNode(hardware, "flash-erase", { m: "link", offset: offset! });
      return flash.erase(offset!);
    },
    flash_program(offset, address, length) {
      const at = memory.reach(address!, length!);
      if (ports.trace.on) {
        const bytes = hex(memory.octets().subarray(at, at + length!));
        traceNode(hardware, "flash-program", { m: "link", offset: offset!, hex: bytes });
      }
      return flash.program(offset!, memory.octets(), at, length!);
    },
  };
}

function infoItem(hardware: Hardware, item: number): Uint8Array | undefined {
  const { plan, host, gateways } = hardware.setup;
  switch (item) {
    case INFO_NODE_ID:
      return Buffer.from(plan.id, "latin1");
    case INFO_EUI64:
      return plan.eui64;
    case INFO_LOOP_HASH:
      return plan.loopHash;
    case INFO_LINK_HASH:
      return plan.linkHash;
    case INFO_HOST:
      return Buffer.from(host, "latin1");
    case INFO_GATEWAY_COUNT:
      return Uint8Array.of(gateways.length);
    case INFO_COUNTERS: {
      const { ringDropped, loopTraps, loopOverruns, linkTraps } = hardware.counters;
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      [ringDropped, loopTraps, loopOverruns, linkTraps].forEach((count, i) =>
        view.setUint32(4 * i, count, true),
      );
      return bytes;
    }
    default:
      return undefined;
  }
}
