// SPDX-License-Identifier: MIT
// Commands to a node and their results, for tests of link.
//
// Encodes maps of `set` by its own few lines, plays a gateway that repeats until it is acknowledged, and
// a loop that applies what lies in the mailbox.

import assert from "node:assert/strict";
import { packet, u16, type Publication } from "./link-gateway.ts";
import { decodeStrict, type Item } from "./link-pack.ts";
import { put, type Rig } from "./link-rig.ts";

/** A value as it is sent: an integer, or `[exponent, mantissa]`. */
export type Value = number | [number, number];

export interface Command {
  request: number;
  name: string;
  value: Value;
  lifetimeMs?: number;
}

export interface Result {
  request: number;
  name: string | undefined;
  requested: Item | undefined;
  effective: Item | undefined;
  code: number;
}

function head(major: number, argument: number): number[] {
  const first = major << 5;
  if (argument < 24) return [first | argument];
  if (argument < 0x100) return [first | 24, argument];
  if (argument < 0x1_0000) return [first | 25, ...u16(argument)];
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(argument));
  return argument < 2 ** 32 ? [first | 26, ...bytes.subarray(4)] : [first | 27, ...bytes];
}

const integer = (value: number): number[] => (value < 0 ? head(1, -1 - value) : head(0, value));

/** The octets of a command. */
export function encodeSet({ request, name, value, lifetimeMs }: Command): Uint8Array {
  const number =
    typeof value === "number" ? integer(value) : [0xc4, 0x82, ...value.flatMap(integer)];
  return Uint8Array.from([
    ...head(5, lifetimeMs === undefined ? 3 : 4),
    ...[0, ...integer(request)],
    ...[1, ...head(3, name.length), ...Buffer.from(name, "latin1")],
    ...[2, ...number],
    ...(lifetimeMs === undefined ? [] : [3, ...integer(lifetimeMs)]),
  ]);
}

/** Publishes octets on the node's `set` topic. */
export function sendSet(rig: Rig, payload: Uint8Array, msgId: number, flags = 0x20): void {
  rig.gateway.say(
    packet(0x0c, flags, ...u16(rig.gateway.topicId("set")), ...u16(msgId), ...payload),
  );
}

/** PUBACKs of the node from the n-th datagram on: MsgId and return code. */
export function pubacks(rig: Rig, from = 0): [number, number][] {
  return rig.gateway.heard
    .slice(from)
    .filter(({ type }) => type === "PUBACK")
    .map(({ bytes }) => [bytes[4]! * 256 + bytes[5]!, bytes[6]!]);
}

/** All results that the gateway accepted, repeats included. */
export function resultsOf(publications: readonly Publication[]): Result[] {
  return publications
    .filter(({ topic, accepted }) => topic === "set/result" && accepted)
    .map(({ payload, qos, retain }) => {
      assert.deepEqual([qos, retain], [1, false]);
      const map = decodeStrict(payload) as Map<number, Item>;
      return {
        request: map.get(0) as number,
        name: map.get(1) as string | undefined,
        requested: map.get(2),
        effective: map.get(3),
        code: map.get(4) as number,
      };
    });
}

/** Mailbox records as `[setpoint, request, mantissa, lifetimeMs]`. */
export function mailboxOf(records: readonly Uint8Array[]): number[][] {
  return records.map((octets) => {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    assert.equal(octets.length, 16);
    assert.equal(view.getUint32(0, true) >>> 8, 0, "three octets of 0");
    const [request, mantissa] = [view.getUint32(4, true), view.getInt32(8, true)];
    return [octets[0]!, request, mantissa, view.getUint32(12, true)];
  });
}

/** The record with which loop answers a command. */
export function outcome(
  request: number,
  requested: number,
  effective: number,
  code: number,
): Uint8Array {
  const octets = new Uint8Array(16);
  const view = new DataView(octets.buffer);
  view.setUint32(0, request, true);
  view.setInt32(4, requested, true);
  view.setInt32(8, effective, true);
  view.setUint32(12, code, true);
  return octets;
}

/** A loop that applies everything: each record of the mailbox becomes an outcome. */
export function applyAll({ host }: Rig, firstChannel: number): void {
  for (const [setpoint, request, mantissa] of mailboxOf(host.mailbox.splice(0)))
    put(host, {
      kind: 4,
      channel: firstChannel + setpoint!,
      bytes: outcome(request!, mantissa!, mantissa!, 0),
    });
}
