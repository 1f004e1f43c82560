// SPDX-License-Identifier: MIT
// Four state machines of a PIO beside each other in time.
//
// Spec: RP2040 datasheet chapter 3. Each machine is run ahead to its next effect on anything else (pio-run.ts), and one alarm stands at the earliest;
// what changes before that (an input, a FIFO, a register) takes back the machines that looked at it.
// (I1) an input is seen two cycles after it changed (3.5.6.3); the bypass is not modelled.
// (I2) the instruction of cycle c acts at the end of it; of machines in one cycle the highest number wins a pin.
// (I3) tick n of a machine is cycle floor(n x CLKDIV) after its divider started.

import type { Context } from "./context.ts";
import type { Alarm } from "./peripheral.ts";
import { clearEffects, createEffects, createMachine } from "./pio-machine.ts";
import type { Effects, Machine, Setup, View } from "./pio-machine.ts";
import { run } from "./pio-run.ts";
import { FUNCTION_PIO0, PIN_COUNT } from "./pins.ts";

export const MACHINES = 4;
export const FIFO = 4;
const SYNCHRONISER = 2; // cycles
const STEPS_AHEAD = 512; // then a stop without an effect

export interface Sm {
  readonly machine: Machine;
  readonly ahead: Machine;
  readonly fx: Effects; // of `ahead`
  readonly setup: Setup;
  readonly view: View;
  readonly sent: number[];
  readonly received: number[];
  sentMax: number;
  receivedMax: number;
  enabled: boolean;
  base: number; // the cycle of tick 0
  due: number; // the cycle of the next effect, Infinity: none
}

export interface Pio {
  readonly context: Context;
  readonly index: number;
  readonly memory: Uint16Array;
  readonly sms: Sm[];
  readonly spare: Effects;
  readonly changes: { cycle: number; inputs: number }[]; // on their way through the synchroniser
  inputs: number;
  flags: number;
  outputs: number;
  enables: number;
  debug: number;
  readonly enabled: number[]; // INTE of both lines
  readonly forced: number[];
  alarm: Alarm | undefined;
  alarmCycle: number;
}

export function createSm(s: Pio, index: number): Sm {
  const sm: Omit<Sm, "view"> = {
    ...{ machine: createMachine(index), ahead: createMachine(index), fx: createEffects() },
    setup: { divider: 0x100, execctrl: 0x1f000, shiftctrl: 0xc0000, pinctrl: 0x14000000 },
    ...{ sent: [], received: [], sentMax: FIFO, receivedMax: FIFO },
    ...{ enabled: false, base: 0, due: Infinity },
  };
  const view: View = {
    memory: s.memory,
    sent: sm.sent,
    received: sm.received,
    get inputs() {
      return s.inputs;
    },
    get flags() {
      return s.flags;
    },
    get outputs() {
      return s.outputs;
    },
    get enables() {
      return s.enables;
    },
    get receivedMax() {
      return sm.receivedMax;
    },
  };
  return Object.assign(sm, { view });
}

// ---- time

export const cycleOf = (sm: Sm, tick: number): number =>
  sm.base + Math.floor((tick * sm.setup.divider) / 256); // (I3)

// The first tick that is not before the cycle.
function tickAt(sm: Sm, cycle: number): number {
  let tick = Math.max(0, Math.ceil(((cycle - sm.base) * 256) / sm.setup.divider));
  while (tick > 0 && cycleOf(sm, tick - 1) >= cycle) tick--;
  while (cycleOf(sm, tick) < cycle) tick++;
  return tick;
}

// Runs to the start of a cycle. There is no effect until then.
export function sync(s: Pio, sm: Sm, cycle: number): void {
  if (!sm.enabled) return;
  clearEffects(s.spare, true);
  const bounds = { tick: tickAt(sm, cycle), steps: Infinity, ahead: false };
  if (run(sm.machine, sm.setup, sm.view, s.spare, bounds) === "effect")
    throw new Error(`PIO${s.index}: machine ${sm.machine.index} was not run ahead`);
  s.debug |= s.spare.debug << sm.machine.index;
}

function plan(sm: Sm): void {
  sm.due = Infinity;
  if (!sm.enabled) return;
  Object.assign(sm.ahead, sm.machine);
  clearEffects(sm.fx, true);
  const bounds = { tick: sm.ahead.tick + 2 ** 36, steps: STEPS_AHEAD, ahead: true };
  const ended = run(sm.ahead, sm.setup, sm.view, sm.fx, bounds);
  if (ended !== "rests") sm.due = cycleOf(sm, sm.ahead.tick - 1);
}

// Changes something that these machines have looked at.
export function change(s: Pio, sms: readonly Sm[], cycle: number, act: () => void): void {
  for (const sm of sms) sync(s, sm, cycle);
  act();
  for (const sm of sms) plan(sm);
}

// Everything of the cycles before this one.
export function advance(s: Pio): void {
  const now = s.context.clock.now();
  for (;;) {
    const due = Math.min(...s.sms.map((sm) => sm.due));
    const arrives = s.changes[0]?.cycle ?? Infinity;
    if (arrives <= due && arrives <= now) arrive(s);
    else if (due < now) act(s, due);
    else break;
  }
  arm(s);
}

export function arm(s: Pio): void {
  let cycle = s.changes[0]?.cycle ?? Infinity;
  for (const { due } of s.sms) cycle = Math.min(cycle, due + 1); // (I2)
  if (cycle === s.alarmCycle) return;
  s.alarm?.cancel();
  s.alarmCycle = cycle;
  s.alarm = cycle === Infinity ? undefined : s.context.clock.at(cycle, () => ring(s));
}

function ring(s: Pio): void {
  s.alarmCycle = Infinity;
  s.alarm = undefined;
  advance(s);
}

// (I1)
export function hear(s: Pio): void {
  const inputs = s.context.pins.inputs();
  if (s.sms.every(({ enabled }) => !enabled)) {
    s.inputs = inputs;
    s.changes.length = 0;
    return;
  }
  const cycle = s.context.clock.now() + SYNCHRONISER;
  const last = s.changes.at(-1);
  if (last?.cycle === cycle) last.inputs = inputs;
  else s.changes.push({ cycle, inputs });
  arm(s);
}

function arrive(s: Pio): void {
  const { cycle, inputs } = s.changes.shift()!;
  const changed = inputs ^ s.inputs;
  const sms = s.sms.filter(({ enabled, fx }) => enabled && (fx.sawPins & changed) !== 0);
  change(s, sms, cycle, () => void (s.inputs = inputs));
}

// The instructions of one cycle, of all machines that have an effect in it.
function act(s: Pio, cycle: number): void {
  const acting = s.sms.filter(({ due }) => due === cycle);
  let [flags, drives] = [0, false];
  for (const { fx } of acting) {
    flags |= fx.raise | fx.clear;
    drives ||= (fx.outputMask | fx.enableMask) !== 0;
  }
  const looking = s.sms.filter(
    ({ enabled, due, fx }) =>
      enabled && due !== cycle && ((fx.sawFlags & flags) !== 0 || (drives && fx.sawOutputs)),
  );
  change(s, looking, cycle + 1, () => {
    for (const sm of acting) commit(s, sm);
    for (const sm of acting) plan(sm);
  });
  drivePins(s);
  refreshLines(s);
}

export function commit(s: Pio, sm: Sm): void {
  const { fx, machine } = sm;
  Object.assign(machine, sm.ahead);
  s.debug |= fx.debug << machine.index;
  if (!fx.any) return;
  if (fx.pull) sm.sent.shift();
  if (fx.push >= 0) sm.received.push(fx.push);
  s.flags = (s.flags & ~fx.clear) | fx.raise;
  s.outputs = ((s.outputs & ~fx.outputMask) | fx.outputs) >>> 0;
  s.enables = ((s.enables & ~fx.enableMask) | fx.enables) >>> 0;
}

export function drivePins({ context, index, outputs, enables }: Pio): void {
  for (let pin = 0; pin < PIN_COUNT; pin++)
    context.pins.drive(FUNCTION_PIO0 + index, pin, bit(outputs, pin), bit(enables, pin));
}

export const bit = (value: number, at: number): boolean => ((value >>> at) & 1) === 1;

// ---- lines

export function raw(s: Pio): number {
  let bits = (s.flags & 15) << 8;
  s.sms.forEach(({ sent, received, sentMax }, i) => {
    if (received.length > 0) bits |= 1 << i;
    if (sent.length < sentMax) bits |= 16 << i;
  });
  return bits;
}

export const asserted = (s: Pio, line: number): number =>
  (raw(s) & s.enabled[line]!) | s.forced[line]!;

export function refreshLines(s: Pio): void {
  for (const line of [0, 1]) s.context.interrupt(7 + 2 * s.index + line, asserted(s, line) !== 0);
  s.sms.forEach(({ sent, received, sentMax }, i) => {
    s.context.request(8 * s.index + i, sent.length < sentMax);
    s.context.request(8 * s.index + 4 + i, received.length > 0);
  });
}
