// SPDX-License-Identifier: MIT
// What link knows about its node: generated tables, identity, boot number.
//
// Spec: SPEC.md §1.5, §3 (bn). index.ts fills in once what is only known at start; everything else reads it.
// The tables are little-endian and lie where scripts/build/generate-link.ts put them.

import {
  ALARMS,
  BIRTH,
  BIRTH_PARTS,
  BIRTH_PART_COUNT,
  CHANNELS,
  CHANNEL_COUNT,
  KEEP_ALIVE_S,
  SETPOINTS,
  SETPOINT_COUNT,
  TAP_COUNT,
  TEXTS,
  WAIT_MS,
  EUI64_AT,
  IDENTITY,
  IDENTITY_BYTES,
  IDENTITY_START,
  LINK_HASH_AT,
  LOOP_HASH_AT,
} from "../generated/link";
import { NODE_ID_BYTES_MAX } from "../wire/info";
import { TEXT_LAST } from "./texts";

export const EUI64_BYTES = 8;
export const HASH_BYTES = 32;
export const HOST_BYTES_MAX = 32;

/** One channel of node.json; its name lies at `name` in the birth bytes. */
@unmanaged
export class Channel {
  name: u16;
  nameBytes: u8;
  qos: u8;
  scaleMantissa: u16;
  scaleExponent: i8;
  alarmCount: u8;
  alarmFirst: u16; // index into the alarms
}

/** One alarm: where its name lies in the birth bytes. */
@unmanaged
export class Alarm {
  name: u16;
  nameBytes: u16;
}

/** Least and largest mantissa of a set-point. */
@unmanaged
export class SetpointLimits {
  min: i32;
  max: i32;
}

/** One part of the birth: `pairs` map pairs, encoded, at `start` in the birth bytes. */
@unmanaged
export class BirthPart {
  start: u16;
  bytes: u16;
  pairs: u16;
}

export namespace node {
  export const channels: usize = CHANNELS;
  export const alarms: usize = ALARMS;
  export const setpoints: usize = SETPOINTS;
  export const texts: usize = TEXTS;
  export const birth: usize = BIRTH;
  export const birthParts: usize = BIRTH_PARTS;
  export const channelCount: i32 = CHANNEL_COUNT; // set-points included: they are the last
  export const setpointCount: i32 = SETPOINT_COUNT;
  export const tapCount: i32 = TAP_COUNT;
  export const birthPartCount: i32 = BIRTH_PART_COUNT;
  export const keepAliveS: u32 = KEEP_ALIVE_S;
  export const waitMs: u32 = WAIT_MS; // first Twait
  export const identity: usize = IDENTITY + IDENTITY_START; // all of it but the host's name
  export const identityBytes: u32 = IDENTITY_BYTES;
  export let boot: u32 = 0;
  export let idBytes: u32 = 0;
  export let hostBytes: u32 = 0;
}

export const NODE_ID: usize = memory.data(NODE_ID_BYTES_MAX);
// In the encoded identity, where the birth has them.
export const EUI64: usize = IDENTITY + EUI64_AT;
export const LOOP_HASH: usize = IDENTITY + LOOP_HASH_AT;
export const LINK_HASH: usize = IDENTITY + LINK_HASH_AT;
export const HOST: usize = memory.data(HOST_BYTES_MAX);

export function channelAt(channel: i32): Channel {
  assert(channel < node.channelCount);
  return changetype<Channel>(node.channels + channel * offsetof<Channel>());
}

export function alarmAt(channel: Channel, alarm: u32): Alarm {
  assert(alarm < channel.alarmCount);
  return changetype<Alarm>(node.alarms + (channel.alarmFirst + alarm) * offsetof<Alarm>());
}

export function setpointAt(setpoint: i32): SetpointLimits {
  assert(setpoint < node.setpointCount);
  return changetype<SetpointLimits>(node.setpoints + setpoint * offsetof<SetpointLimits>());
}

export function birthPartAt(part: i32): BirthPart {
  assert(part < node.birthPartCount);
  return changetype<BirthPart>(node.birthParts + part * offsetof<BirthPart>());
}

/** Address of the length octet of a text of texts.ts; its octets follow. */
export function textAt(text: i32): usize {
  assert(text <= TEXT_LAST);
  let at = node.texts;
  for (; text > 0; text--) at += load<u8>(at) + 1;
  return at;
}

/** True when two runs of so many octets are the same. */
export function isSame(one: usize, other: usize, bytes: u32): bool {
  for (; bytes > 0; bytes--) {
    if (load<u8>(one++) != load<u8>(other++)) return false;
  }
  return true;
}
