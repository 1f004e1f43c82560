// SPDX-License-Identifier: MIT
// The 30 pins between functions, pads and wires.
//
// Spec: datasheet 2.19. Per pin: the selected function's output and enable, overrides, pad (output
// disable, input enable, pulls), and what a device drives. Both driving against each other is a failure.
// Input synchronisers (2 cycles), drive strength and slew are not modelled.
// (P1) a wire that nobody drives or pulls keeps its last level.

import { ChipFailure } from "./peripheral.ts";
import { PIN_COUNT, type InnerPins, type OuterPins } from "./pins.ts";

const FUNCTIONS = 32;
const PAD_RESET = 0x56;
const CTRL_RESET = 0x1f;
const NOBODY = 2; // in `outside`

export interface PinBank {
  readonly inner: InnerPins;
  readonly outer: OuterPins;
  ctrl(pin: number): number;
  setCtrl(pin: number, value: number): void;
  pad(pin: number): number;
  setPad(pin: number, value: number): void;
  /** STATUS of IO_BANK0 (datasheet 2.19.6.1). */
  status(pin: number): number;
  /** No pin has a function; what devices drive stays. */
  resetCtrl(): void;
  /** Every pad as after power-on. */
  resetPads(): void;
  /** What functions give out is gone. */
  resetOutputs(): void;
}

interface Bank {
  readonly outputs: Uint8Array; // by function * 32 + pin; bit 0 level, bit 1 enable
  readonly ctrl: Uint32Array;
  readonly pads: Uint8Array;
  readonly outside: Uint8Array; // 0, 1, NOBODY
  readonly wire: Uint8Array;
  readonly driven: Uint8Array;
  heard: number; // bit per pin
  readonly inputCalls: Set<(level: boolean) => void>[];
  readonly wireCalls: Set<(level: boolean, driven: boolean) => void>[];
}

const calls = <T>(): Set<T>[] => Array.from({ length: PIN_COUNT }, () => new Set<T>());

export function createPinBank(): PinBank {
  const bank: Bank = {
    outputs: new Uint8Array(FUNCTIONS * 32),
    ctrl: new Uint32Array(PIN_COUNT).fill(CTRL_RESET),
    pads: new Uint8Array(PIN_COUNT).fill(PAD_RESET),
    outside: new Uint8Array(PIN_COUNT).fill(NOBODY),
    wire: new Uint8Array(PIN_COUNT),
    driven: new Uint8Array(PIN_COUNT),
    heard: 0,
    inputCalls: calls(),
    wireCalls: calls(),
  };
  return {
    inner: createInner(bank),
    outer: createOuter(bank),
    ctrl: (pin) => bank.ctrl[pin]!,
    setCtrl(pin, value) {
      bank.ctrl[pin] = value & 0x3003331f;
      refresh(bank, pin);
    },
    pad: (pin) => bank.pads[pin]!,
    setPad(pin, value) {
      bank.pads[pin] = value;
      refresh(bank, pin);
    },
    status(pin) {
      const given = fromFunction(bank, pin);
      const pad = toPad(bank, pin);
      const wired = (bank.pads[pin]! & 0x40) !== 0 ? bank.wire[pin]! : 0;
      const heard = (bank.heard >>> pin) & 1;
      const low = ((given & 1) << 8) | ((pad & 1) << 9) | ((given & 2) << 11) | ((pad & 2) << 12);
      return low | (wired << 17) | (heard << 19) | (irqLevel(bank, pin) << 26);
    },
    resetCtrl: () => resetAll(bank, bank.ctrl, CTRL_RESET),
    resetPads: () => resetAll(bank, bank.pads, PAD_RESET),
    resetOutputs: () => resetAll(bank, bank.outputs, 0),
  };
}

function resetAll(bank: Bank, values: Uint8Array | Uint32Array, value: number): void {
  values.fill(value);
  for (let pin = 0; pin < PIN_COUNT; pin++) refresh(bank, pin);
}

function createInner(bank: Bank): InnerPins {
  return {
    drive(source, pin, output, enable) {
      const next = (output ? 1 : 0) | (enable ? 2 : 0);
      const at = source * 32 + pin;
      if (bank.outputs[at] === next) return;
      bank.outputs[at] = next;
      if ((bank.ctrl[pin]! & 31) === source) refresh(bank, pin);
    },
    selected: (pin) => bank.ctrl[pin]! & 31,
    input: (pin) => ((bank.heard >>> pin) & 1) === 1,
    inputs: () => bank.heard,
    onInput: (pin, call) => subscribe(bank.inputCalls[pin]!, call),
  };
}

function createOuter(bank: Bank): OuterPins {
  const volts: Parameters<OuterPins["setVolts"]>[1][] = Array.from({ length: PIN_COUNT });
  return {
    drive(pin, level) {
      bank.outside[pin] = level === undefined ? NOBODY : level ? 1 : 0;
      refresh(bank, pin);
    },
    setVolts: (pin, value) => void (volts[pin] = value),
    volts(pin) {
      const source = volts[pin];
      return typeof source === "function" ? source() : source;
    },
    level: (pin) => bank.wire[pin] === 1,
    driven: (pin) => bank.driven[pin] === 1,
    onChange: (pin, call) => subscribe(bank.wireCalls[pin]!, call),
  };
}

function subscribe<T>(set: Set<T>, call: T): () => void {
  set.add(call);
  return () => void set.delete(call);
}

function fromFunction(bank: Bank, pin: number): number {
  return bank.outputs[(bank.ctrl[pin]! & 31) * 32 + pin]!;
}

// Level and enable after the overrides: 0 as it is, 1 inverted, 2 low or off, 3 high or on.
function toPad(bank: Bank, pin: number): number {
  const given = fromFunction(bank, pin);
  const ctrl = bank.ctrl[pin]!;
  return override(given & 1, (ctrl >> 8) & 3) | (override(given >> 1, (ctrl >> 12) & 3) << 1);
}

function override(bit: number, mode: number): number {
  return mode < 2 ? bit ^ mode : mode & 1;
}

function irqLevel(bank: Bank, pin: number): number {
  return override((bank.heard >>> pin) & 1, (bank.ctrl[pin]! >> 28) & 3);
}

function refresh(bank: Bank, pin: number): void {
  const pad = bank.pads[pin]!;
  const given = toPad(bank, pin);
  const driven = (given & 2) !== 0 && (pad & 0x80) === 0 ? 1 : 0;
  const outside = bank.outside[pin]!;
  let wire = bank.wire[pin]!; // (P1)
  if (driven === 1) {
    wire = given & 1;
    if (outside !== NOBODY && outside !== wire)
      throw new ChipFailure(`pin ${pin} is driven ${wire} by the chip and ${outside} from outside`);
  } else if (outside !== NOBODY) wire = outside;
  else if ((pad & 0xc) === 8) wire = 1;
  else if ((pad & 0xc) === 4) wire = 0;
  hear(bank, pin, wire);
  if (wire === bank.wire[pin] && driven === bank.driven[pin]) return;
  bank.wire[pin] = wire;
  bank.driven[pin] = driven;
  for (const call of bank.wireCalls[pin]!) call(wire === 1, driven === 1);
}

function hear(bank: Bank, pin: number, wire: number): void {
  const enabled = (bank.pads[pin]! & 0x40) !== 0 ? wire : 0;
  const heard = override(enabled, (bank.ctrl[pin]! >> 16) & 3);
  if (heard === ((bank.heard >>> pin) & 1)) return;
  bank.heard = (bank.heard ^ (1 << pin)) >>> 0;
  for (const call of bank.inputCalls[pin]!) call(heard === 1);
}
