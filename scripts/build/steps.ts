// SPDX-License-Identifier: MIT
// Engineering values as the 32 bits that loop compares.
//
// Mantissas of a channel's decimals, or raw units of a register or counter.
// Rounded to the nearest step and cut to the range of the channel's type; f32 registers as their bits.

import { TYPE_BYTES, TYPE_F32, TYPE_I32, TYPE_U32 } from "../../firmware/wire/record.ts";
import type { AnyChannel, CounterChannel, RegisterChannel } from "./schema.ts";

export const I32_MIN = -2_147_483_648;
export const I32_MAX = 2_147_483_647;
const U32_MAX = 4_294_967_295;

/** A decimal as mantissa × 10^exponent, without trailing zeros; 0.1 gives { mantissa: 1, exponent: -1 }. */
export function decimal(value: number): { mantissa: number; exponent: number } {
  const [digits = "0", power = "0"] = value.toExponential().split("e");
  const fraction = digits.split(".")[1] ?? "";
  return {
    mantissa: Number(digits.replace(".", "")),
    exponent: Number(power) - fraction.length,
  };
}

/** The fixed decimal that one mantissa step of a channel stands for. */
export function channelScale(channel: AnyChannel): { mantissa: number; exponent: number } {
  if (channel.kind === "object") {
    const { mantissa, exponent } = decimal(channel.scale);
    return { mantissa, exponent: exponent - channel.decimals };
  }
  if (channel.kind === "register") {
    const { mantissa, exponent } = decimal(channel.scale);
    return { mantissa, exponent: exponent + Math.log10(channel.divide) };
  }
  return isScaled(channel)
    ? decimal(channel.scale)
    : { mantissa: 1, exponent: channel.decimals === 0 ? 0 : -channel.decimals };
}

/** TYPE_* of the values of a channel. */
export function typeOf(channel: AnyChannel): number {
  if (channel.kind === "counter") return TYPE_U32;
  if (channel.kind !== "register") return TYPE_I32;
  if (channel.type === "text") return TYPE_BYTES;
  if (channel.type.startsWith("f")) return TYPE_F32;
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

// Raw units on the wire; all others have decimals.
function isScaled(channel: AnyChannel): channel is RegisterChannel | CounterChannel {
  return channel.kind === "register" || channel.kind === "counter";
}

function stepsOf(channel: AnyChannel, value: number): number {
  if (channel.kind === "object") value /= channel.scale;
  return isScaled(channel)
    ? Math.round(value / stepOf(channel))
    : Math.round(value * 10 ** channel.decimals);
}

function stepOf(channel: AnyChannel): number {
  if (channel.kind === "register") return channel.scale * channel.divide;
  return isScaled(channel) ? channel.scale : 10 ** -channel.decimals;
}

function cut(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function f32Bits(value: number): number {
  const largest = 3.4028234663852886e38;
  return new Int32Array(new Float32Array([cut(value, -largest, largest)]).buffer)[0]!;
}
