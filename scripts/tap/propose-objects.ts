// SPDX-License-Identifier: MIT
// Channels for the objects of meters that were heard.
//
// Spec: SPEC.md §17. A channel for each object that is a number with a unit, or that moved; where there is none, for each number. What
// a meter keeps of the past (F of its code) comes last. Units are those of SenML, by a scale of the channel.

import { NAME_BYTES_MAX } from "../../firmware/limits.ts";
import { hasPlace, staleMsOf } from "../../hub/propose.ts";
import { meterOf } from "./event.ts";
import type { Reading } from "./inventory.ts";
import { nameOf } from "./pattern.ts";

const ADDRESSES_MAX = 250; // those above are of all meters, or of none
const DECIMALS_MIN = -3;
const DECIMALS_MAX = 6;
const HEADROOM = 8; // a counter may grow so many times
const I32_MAX = 2_147_483_647;

/** The quantity of a unit, and the unit of SenML with what 1 is in it; where it has none, the value stays as it is. */
const MEASURES: Readonly<Record<string, readonly [name: string, unit?: string, scale?: number]>> = {
  ...{ Wh: ["energy", "J", 3600], VAh: ["apparent-energy", "VAs", 3600] },
  ...{ varh: ["reactive-energy", "vars", 3600], J: ["energy", "J"], "J/h": ["heat-flow"] },
  ...{ W: ["power", "W"], VA: ["apparent-power", "VA"], var: ["reactive-power", "var"] },
  ...{ V: ["voltage", "V"], A: ["current", "A"], Hz: ["frequency", "Hz"], s: ["time", "s"] },
  ...{ m3: ["volume", "m3"], "m3/h": ["flow-per-h"], kg: ["mass", "kg"] },
  ...{ "°C": ["temperature", "Cel"], K: ["difference", "K"], bar: ["pressure", "Pa", 100_000] },
};

/** The channels, and how many objects found no place. */
export function proposeObjects(
  readings: Iterable<Reading>,
  tap: string,
): { channels: Record<string, unknown>; left: number } {
  const numbers = [...readings].filter(({ value }) => value !== undefined);
  const said = numbers.filter(({ unitName, changes }) => unitName !== "" || changes > 1);
  const wanted = (said.length > 0 ? said : numbers).sort((a, b) => keptRank(a) - keptRank(b));
  const channels: Record<string, unknown> = {};
  let left = 0;
  for (const reading of wanted) {
    if (!hasPlace(channels)) left++;
    else channels[freeName(channels, reading)] = channelOf(reading, tap, wanted);
  }
  return { channels, left };
}

function keptRank({ name }: Reading): number {
  return name.includes("*") ? 1 : 0;
}

function channelOf(reading: Reading, tap: string, all: readonly Reading[]): object {
  const { name, unitName, times, firstUs, lastUs } = reading;
  const [, unit, scale] = MEASURES[unitName] ?? [];
  const decimals = decimalsOf(reading);
  const periodMs = times < 2 ? 0 : (lastUs - firstUs) / (times - 1) / 1000;
  return {
    ...{ kind: "object", tap, object: name, ...whose(reading, all) },
    ...(unit !== undefined && { unit }),
    ...(scale !== undefined && { scale }),
    ...(decimals !== 0 && { decimals }),
    ...(periodMs > 0 && { staleMs: staleMsOf(periodMs) }),
    deadband: 0,
  };
}

// A counter of 32 bits has to last.
function decimalsOf({ decimals, min, max }: Reading): number {
  const largest = Math.max(Math.abs(min), Math.abs(max)) * HEADROOM;
  let kept = Math.min(DECIMALS_MAX, Math.max(DECIMALS_MIN, decimals));
  while (kept > DECIMALS_MIN && largest * 10 ** kept > I32_MAX) kept--;
  return kept;
}

// The address, and the number where the address does not tell the meter.
function whose(reading: Reading, all: readonly Reading[]): { unitId?: number; meterId?: string } {
  const { unit, meter } = reading;
  if (unit < 0) return {};
  const isAlone = all.every((one) => one.unit !== unit || one.meter === meter);
  if (unit > ADDRESSES_MAX && meter !== 0) return meterOf(reading);
  return { unitId: unit, ...(isAlone ? {} : meterOf(reading)) };
}

function freeName(channels: Record<string, unknown>, { name, unit, unitName }: Reading): string {
  const quantity = MEASURES[unitName]?.[0] ?? "value";
  const meter = unit < 0 ? "" : `unit${unit}-`;
  const whole = `${meter}${quantity}-${nameOf(name)}`.slice(0, NAME_BYTES_MAX);
  for (let n = 2, free = whole; ; n++) {
    if (channels[free] === undefined) return free;
    free = `${whole.slice(0, NAME_BYTES_MAX - 4)}-${n}`;
  }
}
