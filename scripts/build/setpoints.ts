// SPDX-License-Identifier: MIT
// The set-points and the transport of node.json: their schema and their checks.
//
// Spec: SPEC.md §1.7, §5, §8. A set-point is also a channel, appended after the declared ones: its readings
// are the effective value. Its mantissa crosses the mailbox as an i32, so limits must fit one.

import { z } from "zod";
import { CHANNELS_MAX, SETPOINTS_MAX } from "../../firmware/limits.ts";

const SETPOINT_HEARTBEAT_MS = 10_000; // the effective value shows at least this often
const LIFETIME_MS_MAX = 86_400_000; // a command that outlives a day is a default

/** One set-point, in engineering units. */
export const setpoint = z
  .strictObject({
    unit: z.string().optional(),
    decimals: z.number().int().min(0).max(6).default(2).describe("digits after the point, fixed"),
    min: z.number().describe("the least value that is taken"),
    max: z.number(),
    default: z.number().describe("holds from the start, and when a command went stale"),
    staleMs: z
      .number()
      .int()
      .min(1)
      .max(LIFETIME_MS_MAX)
      .optional()
      .describe("a command holds this long, then the default does; absent: for ever"),
  })
  .describe("a value that the hub may write");

/** How the node talks to its gateway. */
export const transport = z
  .strictObject({
    keepAliveS: z
      .number()
      .int()
      .min(2)
      .max(3600)
      .default(10)
      .describe("the gateway takes a silent node for lost after one and a half times this"),
    congestionWaitS: z
      .number()
      .int()
      .min(1)
      .max(300)
      .default(10)
      .describe(
        "how long the node waits after congestion; each time half as long again, up to 300 s",
      ),
    outboxSlots: z
      .number()
      .int()
      .min(128)
      .max(4096)
      .default(512)
      .describe("readings and events that wait for an acknowledgement; 24 octets each"),
  })
  .describe("how the node talks to its gateway");

export type Setpoint = z.output<typeof setpoint>;

/** A set-point seen as a channel: published on change and each heartbeat, acknowledged. */
export interface SetpointChannel extends Pick<Setpoint, "decimals" | "min" | "max" | "default"> {
  kind: "setpoint";
  unit?: string | undefined;
  staleMs: number; // 0: for ever
  qos: 1;
  deadband: 0;
  heartbeatMs: number;
  alarms: Record<string, never>;
}

/** The channel that a set-point stands for. */
export function setpointChannel(of: Setpoint): SetpointChannel {
  return {
    kind: "setpoint",
    ...of,
    staleMs: of.staleMs ?? 0,
    qos: 1,
    deadband: 0,
    heartbeatMs: SETPOINT_HEARTBEAT_MS,
    alarms: {},
  };
}

/** Steps of 10^-decimals in a value; not an integer when the value lies between two steps. */
export function setpointSteps(value: number, decimals: number): number {
  return Number(`${value}e${decimals}`);
}

/** What is wrong with the set-points as a whole. */
export function checkSetpoints(
  node: { channels: Record<string, unknown>; setpoints: Record<string, Setpoint> },
  complain: (path: (string | number)[], message: string) => void,
): void {
  const setpoints = Object.entries(node.setpoints);
  if (setpoints.length > SETPOINTS_MAX)
    complain(["setpoints"], `at most ${SETPOINTS_MAX} set-points`);
  const total = Object.keys(node.channels).length + setpoints.length;
  if (setpoints.length > 0 && total > CHANNELS_MAX)
    complain(["setpoints"], `channels and set-points are at most ${CHANNELS_MAX}`);
  for (const [key, one] of setpoints) {
    const path = ["setpoints", key];
    if (Object.hasOwn(node.channels, key))
      complain(path, "a channel has this name; a set-point is a channel too");
    for (const field of ["min", "max", "default"] as const) {
      const steps = setpointSteps(one[field], one.decimals);
      if (!Number.isInteger(steps))
        complain([...path, field], `a multiple of 1e-${one.decimals}, the decimals`);
      else if (steps !== (steps | 0)) complain([...path, field], "does not fit 32 bits");
    }
    if (one.min > one.max) complain([...path, "min"], '"min" is above "max"');
    else if (one.default < one.min || one.default > one.max)
      complain([...path, "default"], `between ${one.min} and ${one.max}`);
  }
}
