// SPDX-License-Identifier: MIT
// PWM (datasheet 4.5): eight slices, each a 16-bit counter with two outputs.
//
// A free-running counter is a line of the clock, so it is computed when it is read and costs nothing in
// between. Devices take duty and frequency; of the edges only constant levels reach the pin. CC, TOP of a
// running slice take effect at the wrap. Phase-correct and level-gated counting are not modelled.

import { unknownRegister, unknownValue, type Context } from "./context.ts";
import type { Alarm, Peripheral } from "./peripheral.ts";
import { FUNCTION_PWM, PIN_COUNT } from "./pins.ts";

export const PWM_SLICES = 8;
const INTERRUPT = 4;
const REQUEST = 24; // of slice 0
const SLICE_BYTES = 0x14;
const FREE = 0;
const RISING = 2;
const FALLING = 3;

/** What the sixteen outputs give, two a slice; outlives resets of the block. */
export interface PwmOutput {
  duty: number; // 0 to 1, after inversion
  hz: number; // 0: constant
}

interface Slice {
  control: number;
  divider: number; // 8.4 fixed point
  top: number;
  compare: number;
  nextTop: number;
  nextCompare: number;
  count: number; // at `since`
  since: number; // cycle
  wrap: Alarm | undefined;
  edges: number; // counted towards the divider, modes 2 and 3
}

const newSlice = (): Slice => ({
  ...{ control: 0, divider: 0x10, top: 0xffff, compare: 0, nextTop: 0xffff, nextCompare: 0 },
  ...{ count: 0, since: 0, wrap: undefined, edges: 0 },
});

const isOn = ({ control }: Slice): boolean => (control & 1) !== 0;
const mode = ({ control }: Slice): number => (control >> 4) & 3;
// A whole part of 0 is 256.
const cyclesPerCount = ({ divider }: Slice): number => (divider >> 4 || 256) + (divider & 15) / 16;

interface Pwm {
  context: Context;
  outputs: readonly PwmOutput[];
  changed: (output: number) => void;
  slices: Slice[];
  raw: number;
  enabled: number;
  forced: number;
}

/** The block after reset; `outputs` are written, and `changed` hears of the output that changed. */
export function createPwm(
  context: Context,
  outputs: readonly PwmOutput[],
  changed: (output: number) => void,
): Peripheral {
  const s: Pwm = {
    context,
    outputs,
    changed,
    slices: Array.from({ length: PWM_SLICES }, newSlice),
    raw: 0,
    enabled: 0,
    forced: 0,
  };
  for (let slice = 0; slice < PWM_SLICES; slice++) show(s, slice);
  const { pins } = context;
  for (let pin = 1; pin < PIN_COUNT; pin += 2)
    pins.onInput(pin, (level) => {
      if (pins.selected(pin) === FUNCTION_PWM) countEdge(s, (pin >> 1) % PWM_SLICES, level);
    });
  return {
    read: (offset) => peek(s, offset),
    peek: (offset) => peek(s, offset),
    write(offset, value) {
      const index = Math.floor(offset / SLICE_BYTES);
      if (index < PWM_SLICES) writeSlice(s, index, offset % SLICE_BYTES, value >>> 0);
      else if (offset === 0xa0) {
        for (const [at, { control }] of s.slices.entries())
          writeSlice(s, at, 0, (control & ~1) | ((value >> at) & 1));
      } else if (offset === 0xa4) s.raw &= ~value;
      else if (offset === 0xa8) {
        s.enabled = value & 0xff;
        for (const [at, slice] of s.slices.entries()) {
          settle(s, slice);
          watchWrap(s, at);
        }
      } else if (offset === 0xac) s.forced = value & 0xff;
      else unknownRegister("PWM", offset);
      update(s);
    },
  };
}

function countsNow(s: Pwm, slice: Slice): number {
  if (!isOn(slice) || mode(slice) !== FREE) return slice.count;
  const passed = Math.floor((s.context.clock.now() - slice.since) / cyclesPerCount(slice));
  return (slice.count + passed) % (slice.top + 1);
}

// Before anything that the line depends on changes.
function settle(s: Pwm, slice: Slice): void {
  if (isOn(slice) && mode(slice) === FREE) {
    const passed = Math.floor((s.context.clock.now() - slice.since) / cyclesPerCount(slice));
    slice.count = (slice.count + passed) % (slice.top + 1);
    slice.since += passed * cyclesPerCount(slice);
  } else slice.since = s.context.clock.now();
}

// A running slice needs an alarm at its wrap while somebody waits for it.
function watchWrap(s: Pwm, index: number): void {
  const slice = s.slices[index]!;
  slice.wrap?.cancel();
  slice.wrap = undefined;
  const waits = slice.nextTop !== slice.top || slice.nextCompare !== slice.compare;
  const heard = ((s.enabled >> index) & 1) === 1;
  if (!isOn(slice) || mode(slice) !== FREE || !(waits || heard)) return;
  const counts = slice.top + 1 - slice.count;
  const due = Math.ceil(slice.since + counts * cyclesPerCount(slice));
  slice.wrap = s.context.clock.at(due, () => {
    settle(s, slice);
    wrapped(s, index);
    watchWrap(s, index);
  });
}

function wrapped(s: Pwm, index: number): void {
  takeOver(s, index);
  s.raw |= 1 << index;
  s.context.request(REQUEST + index, true);
  s.context.request(REQUEST + index, false);
  update(s);
}

function takeOver(s: Pwm, index: number): void {
  const slice = s.slices[index]!;
  slice.top = slice.nextTop;
  slice.compare = slice.nextCompare;
  if (slice.count > slice.top) slice.count = 0;
  show(s, index);
}

function countEdge(s: Pwm, index: number, level: boolean): void {
  const slice = s.slices[index]!;
  if (!isOn(slice) || mode(slice) !== (level ? RISING : FALLING)) return;
  if (++slice.edges < cyclesPerCount(slice)) return;
  slice.edges = 0;
  slice.count++;
  if (slice.count <= slice.top) return;
  slice.count = 0;
  wrapped(s, index);
}

function update(s: Pwm): void {
  s.context.interrupt(INTERRUPT, ((s.raw & s.enabled) | s.forced) !== 0);
}

function show(s: Pwm, index: number): void {
  const slice = s.slices[index]!;
  for (const half of [0, 1]) {
    const compare = (slice.compare >>> (16 * half)) & 0xffff;
    const plain = Math.min(1, compare / (slice.top + 1));
    const inverted = ((slice.control >> (2 + half)) & 1) === 1;
    const duty = inverted ? 1 - plain : plain;
    const moving = isOn(slice) && duty > 0 && duty < 1;
    const hz = moving ? s.context.time.sysHz() / (cyclesPerCount(slice) * (slice.top + 1)) : 0;
    const level = isOn(slice) ? duty === 1 : inverted !== slice.count < compare;
    const output = 2 * index + half;
    const shown = s.outputs[output]!;
    const next = isOn(slice) ? duty : Number(level);
    for (let pin = output; pin < PIN_COUNT; pin += 2 * PWM_SLICES)
      s.context.pins.drive(FUNCTION_PWM, pin, level, half === 0 || mode(slice) === FREE);
    if (shown.duty === next && shown.hz === hz) continue;
    Object.assign(shown, { duty: next, hz });
    s.changed(output);
  }
}

function writeSlice(s: Pwm, index: number, register: number, value: number): void {
  const slice = s.slices[index]!;
  settle(s, slice);
  if (register === 0x00) {
    if ((value & 2) !== 0 || (value & 0x30) === 0x10) unknownValue("PWM", register, value);
    if ((value & 0xc0) !== 0) unknownValue("PWM", register, value); // phase advance and retard
    slice.control = value & 0x3f;
    slice.since = s.context.clock.now();
  } else if (register === 0x04) slice.divider = value & 0xfff;
  else if (register === 0x08) slice.count = value & 0xffff;
  else if (register === 0x0c) slice.nextCompare = value;
  else slice.nextTop = value & 0xffff;
  if (!isOn(slice)) takeOver(s, index);
  show(s, index);
  watchWrap(s, index);
}

function peek(s: Pwm, offset: number): number {
  const [index, register] = [Math.floor(offset / SLICE_BYTES), offset % SLICE_BYTES];
  const slice = s.slices[index];
  if (slice !== undefined) {
    if (register === 0x08) return countsNow(s, slice);
    return [slice.control, slice.divider, 0, slice.nextCompare, slice.nextTop][register >> 2]!;
  }
  if (offset === 0xa0) return s.slices.reduce((bits, one, i) => bits | (isOn(one) ? 1 << i : 0), 0);
  if (offset === 0xa4) return s.raw;
  if (offset === 0xa8) return s.enabled;
  if (offset === 0xac) return s.forced;
  return offset === 0xb0 ? (s.raw & s.enabled) | s.forced : unknownRegister("PWM", offset);
}
