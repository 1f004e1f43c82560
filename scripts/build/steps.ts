// SPDX-License-Identifier: MIT
// Engineering values as the 32 bits that loop compares: mantissas or raw register units.
//
// Rounded to the nearest step and cut to the range of the channel's type; f32 registers as their bits.

import { TYPE_F32, TYPE_I32, TYPE_U32 } from "../../firmware/wire/record.ts";
import type { AnyChannel } from "./schema.ts";

export const I32_MIN = -2_147_483_648;
export const I32_MAX = 2_147_483_647;
const U32_MAX = 4_294_967_295;

/** TYPE_* of the values of a channel. */
export function typeOf(channel: AnyChannel): number {
  if (channel.kind !== "register") return TYPE_I32;
  if (channel.type === "f32") return TYPE_F32;
  return channel.type.startsWith("u") ? TYPE_U32 : TYPE_I32;
}

/** A limit as the channel's type has it, in 32 bits. */
export function level(channel: AnyChannel, value: number): number {
  const type = typeOf(channel);
  if (type === TYPE_F32) return f32Bits(value / stepOf(channel));
  const steps = stepsOf(channel, value);
  return type === TYPE_U32 ? cut(steps, 0, U32_MAX) | 0 : cut(steps, I32_MIN, I32_MAX);
}

/** A dead band: as a limit, but never negative and never above the largest distance of its type. */
export function distance(channel: AnyChannel, value: number): number {
  if (typeOf(channel) === TYPE_F32) return f32Bits(value / stepOf(channel));
  return cut(stepsOf(channel, value), 0, U32_MAX) | 0;
}

function stepsOf(channel: AnyChannel, value: number): number {
  return channel.kind === "register"
    ? Math.round(value / channel.scale)
    : Math.round(value * 10 ** channel.decimals);
}

function stepOf(channel: AnyChannel): number {
  return channel.kind === "register" ? channel.scale : 10 ** -channel.decimals;
}

function cut(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function f32Bits(value: number): number {
  const largest = 3.4028234663852886e38;
  return new Int32Array(new Float32Array([cut(value, -largest, largest)]).buffer)[0]!;
}
