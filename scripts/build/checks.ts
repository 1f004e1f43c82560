// SPDX-License-Identifier: MIT
// Checks of a channel against the rest of its node.json.
//
// Every complaint names the field by its path and says what would be right.

import { BURST_SAMPLES_PER_TICK } from "../../firmware/limits.ts";
import { isCutoffPossible, LOWPASS_RATIO_MAX, LOWPASS_RATIO_MIN } from "./butterworth.ts";
import { checkField } from "./line-taps.ts";
import { checkObject } from "./object-taps.ts";
import { checkRegister } from "./registers.ts";
import type { AnalogChannel, Channel, NodeType, StateChannel } from "./schema.ts";
import { decimal } from "./steps.ts";

/** What a channel may name. */
export interface Surroundings {
  periodMs: number;
  taps: NodeType["taps"];
  accelerometers: Record<string, { device: number; rateHz: number }>;
  channels: Record<string, { kind: string; type?: string | undefined }>;
}

export type Complain = (path: (string | number)[], message: string) => void;

/** A length of time in tenths of a millisecond, what periods are counted in: 0.1 itself is no double. */
export function tenthsOf(lengthMs: number): number {
  return Math.round(lengthMs * 10);
}

/** What is wrong with a channel beyond its own fields. */
export function checkChannel(
  key: string,
  channel: Channel,
  node: Surroundings,
  complain: Complain,
): void {
  const here = (field: string, message: string): void =>
    complain(["channels", key, field], message);
  if ("everyMs" in channel && tenthsOf(channel.everyMs) % tenthsOf(node.periodMs) !== 0)
    here("everyMs", `a multiple of the period, ${node.periodMs} ms`);
  if (channel.kind === "analog") checkAnalog(channel, here);
  if (
    (channel.kind === "register" || channel.kind === "counter" || channel.kind === "object") &&
    decimal(channel.scale).mantissa > 9999
  )
    here("scale", "at most four significant digits");
  if (channel.kind === "register") {
    const tap = node.taps[channel.tap];
    if (tap === undefined) here("tap", unknownTap(channel.tap, node.taps));
    else if (tap.protocol !== "modbus-rtu" && tap.protocol !== "modbus-ascii")
      here("tap", `"${channel.tap}" hears ${tap.protocol}; a register needs a tap of modbus-rtu`);
    checkRegister(channel, node.taps, here);
  }
  if (channel.kind === "field") {
    const tap = node.taps[channel.tap];
    if (tap === undefined) here("tap", unknownTap(channel.tap, node.taps));
    else checkField(channel, tap, here);
  }
  if (channel.kind === "object") {
    const tap = node.taps[channel.tap];
    if (tap === undefined) here("tap", unknownTap(channel.tap, node.taps));
    else checkObject(channel, tap.protocol, here);
  }
  if (channel.kind === "vibration" && node.accelerometers[channel.accelerometer] === undefined)
    here("accelerometer", `there is no accelerometer "${channel.accelerometer}"`);
  if (channel.kind === "state") checkConditions(key, channel, node.channels, complain);
}

/** What is wrong with the accelerometers as a whole. */
export function checkAccelerometers(
  { accelerometers, periodMs }: Pick<Surroundings, "accelerometers" | "periodMs">,
  complain: Complain,
): void {
  const taken = new Map<number, string>();
  for (const [key, { device, rateHz }] of Object.entries(accelerometers)) {
    const path = ["accelerometers", key];
    const other = taken.get(device);
    if (other !== undefined) complain([...path, "device"], `"${other}" reads this device`);
    taken.set(device, key);
    const most = Math.floor((BURST_SAMPLES_PER_TICK * 1000) / periodMs);
    if (rateHz > most)
      complain([...path, "rateHz"], `at most ${most} at a period of ${periodMs} ms`);
  }
}

function checkAnalog(
  { valid, lowpassHz, everyMs }: AnalogChannel,
  here: (field: string, message: string) => void,
): void {
  if (valid[0] >= valid[1]) here("valid", "the lower count comes first");
  const sampleHz = 1000 / everyMs;
  if (lowpassHz !== undefined && !isCutoffPossible(lowpassHz, sampleHz)) {
    const [least, most] = [LOWPASS_RATIO_MIN, LOWPASS_RATIO_MAX].map((r) => r * sampleHz);
    here("lowpassHz", `between ${least} and ${most} at ${sampleHz} samples a second`);
  }
}

function checkConditions(
  key: string,
  channel: StateChannel,
  channels: Surroundings["channels"],
  complain: Complain,
): void {
  for (const part of ["fault", "run", "idle"] as const) {
    const wanted = channel[part]?.channel;
    if (wanted === undefined) continue;
    const path = ["channels", key, part, "channel"];
    if (channels[wanted] === undefined) complain(path, `there is no channel "${wanted}"`);
    else if (channels[wanted].kind === "state")
      complain(path, `"${wanted}" is a state itself: name what it follows from`);
    else if (channels[wanted].type === "text")
      complain(path, `"${wanted}" is a text: a state follows from numbers`);
  }
}

/** The tap that is not there, and those that are. */
export function unknownTap(wanted: string, taps: Record<string, unknown>): string {
  const known = Object.keys(taps);
  return known.length === 0
    ? `there is no tap "${wanted}": add it to "taps"`
    : `there is no tap "${wanted}"; known: ${known.join(", ")}`;
}
