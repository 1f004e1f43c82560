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
  const items = infoItems(hardware);
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
      const value = item === INFO_COUNTERS ? hostCounters(hardware) : items.get(item!);
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
  if (length > 0 && hardware.ports.trace.on)
    traceNode(hardware, "ring-take", { m: "link", length });
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
    putU32(target, at, peer);
    target.set(bytes, at + PEER_BYTES);
    if (hardware.ports.trace.on) traceNode(hardware, "datagram-take", { m: "link", peer, length });
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

// What stays the same for the life of an instance.
function infoItems({ setup }: Hardware): Map<number, Uint8Array> {
  const { plan, host, gateways } = setup;
  return new Map<number, Uint8Array>([
    [INFO_NODE_ID, Buffer.from(plan.id, "latin1")],
    [INFO_EUI64, plan.eui64],
    [INFO_LOOP_HASH, plan.loopHash],
    [INFO_LINK_HASH, plan.linkHash],
    [INFO_HOST, Buffer.from(host, "latin1")],
    [INFO_GATEWAY_COUNT, Uint8Array.of(gateways.length)],
  ]);
}

// Link asks in each poll.
function hostCounters({ counters }: Hardware): Uint8Array {
  const { ringDropped, loopTraps, loopOverruns, linkTraps } = counters;
  const bytes = new Uint8Array(16);
  putU32(bytes, 0, ringDropped);
  putU32(bytes, 4, loopTraps);
  putU32(bytes, 8, loopOverruns);
  putU32(bytes, 12, linkTraps);
  return bytes;
}

function putU32(target: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) target[at + i] = value >>> (8 * i);
}
