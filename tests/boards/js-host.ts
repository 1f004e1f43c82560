// SPDX-License-Identifier: MIT
// A made-up host for one module: answers from a seed, and a trace.
//
// The same seed gives a module the same world whatever runs it. Records, tap entries and datagrams are
// random octets, some of them frames as a machine sends them, so that the trace goes deep.

import { createPrng, type Prng } from "../../host-sim/prng.ts";

export type HostFunction = (...operands: number[]) => number;

export interface JsHost {
  functions: Record<string, HostFunction>;
  trace: string[];
  /** The instance's memory, once there is one. */
  memory: () => Uint8Array;
}

const US_MAX = 400_000; // between two calls of the clock, at most
const FLASH_BYTES = 8192;

/** A host whose answers follow from `seed`. */
export function createJsHost(seed: number): JsHost {
  const prng = createPrng(seed);
  const host: JsHost = { functions: {}, trace: [], memory: () => new Uint8Array() };
  const world: World = { prng, host, us: prng.below(1 << 20), flash: new Uint8Array(FLASH_BYTES) };
  world.flash.fill(255);
  for (const [name, answer] of Object.entries(ANSWERS))
    host.functions[name] = (...operands) => {
      const given = answer(world, operands);
      host.trace.push(`${name}(${operands.join()})=${given}`);
      return given;
    };
  return host;
}

interface World {
  prng: Prng;
  host: JsHost;
  us: number;
  flash: Uint8Array;
}

type Answer = (world: World, operands: readonly number[]) => number;

const read: Answer = ({ host }, [address = 0, length = 0]) => {
  host.trace.push(Buffer.from(host.memory().slice(address, address + length)).toString("hex"));
  return 1;
};

function write({ prng, host }: World, address: number, length: number): void {
  const octets = new Uint8Array(length);
  prng.fill(octets);
  for (let i = 0; i < length; i++) if (prng.below(3) > 0) octets[i]! &= 15; // small numbers go deeper
  host.memory().set(octets, address);
}

const take =
  (step: number): Answer =>
  (world, operands) => {
    const [address = 0, capacity = 0] = operands.slice(-2);
    const many = world.prng.below(3) === 0 ? 0 : world.prng.below(Math.min(capacity, 200) + 1);
    write(world, address, many * step);
    return many;
  };

const ANSWERS: Readonly<Record<string, Answer>> = {
  now_us: (world) => (world.us = (world.us + world.prng.below(US_MAX)) | 0),
  adc_read: ({ prng }) => (prng.below(20) === 0 ? -1 : prng.below(4096)),
  pwm_write: () => 0,
  digital_read: ({ prng }) => prng.below(3) - 1,
  digital_write: () => 0,
  pulse_count: ({ prng }) => prng.below(1 << 30) * 4,
  burst_take: take(2),
  edge_take: take(4),
  edge_unit_ps: () => 16_000,
  tap_open: () => 0,
  tap_take: (world, operands) => {
    const [, address = 0, capacity = 0] = operands;
    const many = Math.min(world.prng.below(20), capacity);
    write(world, address, many * 8);
    return many;
  },
  ring_put: read,
  mailbox_put: read,
  datagram_put: (world, [, ...rest]) => read(world, rest),
  mailbox_take: (world, [address = 0]) => {
    if (world.prng.below(4) > 0) return 0;
    write(world, address, 16);
    return 16;
  },
  ring_take: (world, [address = 0]) => {
    if (world.prng.below(3) === 0) return 0;
    write(world, address, 76);
    const bytes = world.prng.below(65);
    world.host.memory().set([1 + world.prng.below(7), world.prng.below(4)], address);
    world.host.memory().set([bytes], address + 9);
    return 12 + bytes;
  },
  datagram_take: (world, operands) => {
    const [address = 0, capacity = 0] = operands;
    if (world.prng.below(3) === 0) return 0;
    return datagram(world, address, capacity);
  },
  flash_read: ({ host, flash }, [offset = 0, address = 0, length = 0]) => {
    if (offset < 0 || offset + length > FLASH_BYTES) return -1;
    host.memory().set(flash.subarray(offset, offset + length), address);
    return 0;
  },
  flash_erase: ({ flash }, [offset = 0]) => {
    if (offset !== 0 && offset !== FLASH_BYTES / 2) return -1;
    flash.fill(255, offset, offset + FLASH_BYTES / 2);
    return 0;
  },
  flash_program: ({ host, flash }, [offset = 0, address = 0, length = 0]) => {
    if (offset < 0 || offset + length > FLASH_BYTES) return -1;
    for (let i = 0; i < length; i++) flash[offset + i]! &= host.memory()[address + i]!;
    return 0;
  },
  entropy: (world, [address = 0, length = 0]) => {
    write(world, address, length);
    return length;
  },
  info: ({ host, prng }, [item = 0, address = 0, capacity = 0]) => {
    const item6 = Buffer.from([2]);
    const value =
      item === 6
        ? item6
        : Buffer.from(
            "urn:dev:oven-0123456789abcdef".slice(0, [0, 8, 8, 32, 32, 7, 1, 16, 20][item] ?? 0),
          );
    if (value.length > capacity) return -1;
    host.memory().set(value, address);
    return prng.below(40) === 0 && item > 6 ? -1 : value.length;
  },
};

// MQTT-SN as a gateway might send it: types 02 GWINFO, 05 CONNACK, 0B REGACK, 0D PUBACK, 0C PUBLISH, others.
function datagram({ prng, host }: World, address: number, capacity: number): number {
  const known = [
    [1, 2, 1],
    [5, 0],
    [0x0b, 0, prng.below(9), 0, prng.below(9), 0],
    [0x0d, 0, prng.below(9), 0, prng.below(9), 0],
    [
      0x0c,
      0,
      0,
      prng.below(4),
      0,
      1,
      ...Array.from({ length: prng.below(40) }, () => prng.below(256)),
    ],
    [0x17],
    [0x18],
  ];
  const body = known[prng.below(known.length)]!;
  const octets = [1, 0, 0, 0, body.length + 1, ...body];
  if (prng.below(8) === 0) octets[4 + prng.below(octets.length - 4)] = prng.below(256);
  if (octets.length > capacity) return 0;
  host.memory().set(octets, address);
  return octets.length;
}
