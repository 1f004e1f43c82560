// SPDX-License-Identifier: MIT
// What the chip lends to a peripheral, and takes back when it resets it.
//
// Alarms made through `clock` and lines raised through `interrupt` and `request` end with the peripheral
// that made them, so a block in reset is silent.

import { ChipFailure, type ChipClock, type Interrupt, type Peripheral } from "./peripheral.ts";
import type { ClockTree } from "./clock-tree.ts";
import type { InnerPins } from "./pins.ts";
import type { ChipTime } from "./time.ts";

export interface Context {
  readonly clock: ChipClock;
  readonly time: ChipTime;
  readonly tree: ClockTree;
  readonly pins: InnerPins;
  readonly interrupt: Interrupt;
  /** Level of a DMA request line (datasheet 2.5.3.1): high while a transfer is wanted. */
  readonly request: (line: number, level: boolean) => void;
}

/** Makes a block as it is after its reset. */
export type MakePeripheral = (context: Context) => Peripheral;

/** Offset as messages show it. */
export function hexOffset(offset: number): string {
  return `+0x${offset.toString(16)}`;
}

/** Ends the run: nothing is known of this register. */
export function unknownRegister(block: string, offset: number): never {
  throw new ChipFailure(`${block}: register ${hexOffset(offset)} is not modelled`);
}

/** Ends the run: the value asks for what the model does not do. */
export function unknownValue(block: string, offset: number, value: number): never {
  const hex = (value >>> 0).toString(16);
  throw new ChipFailure(`${block}: 0x${hex} in register ${hexOffset(offset)} is not modelled`);
}

/** Registers that keep what is written and do nothing else: reset value and bits that can be written. */
export type StoredRegisters = Readonly<Record<number, { reset: number; mask: number }>>;

/** A block of such registers; `changed` hears of each write after it. */
export function createStore(
  block: string,
  registers: StoredRegisters,
  changed: (offset: number, value: number) => void = () => undefined,
): Peripheral {
  const values = new Map(Object.entries(registers).map(([key, { reset }]) => [Number(key), reset]));
  const peek = (offset: number): number => values.get(offset) ?? unknownRegister(block, offset);
  return {
    read: peek,
    peek,
    write(offset, value) {
      const old = peek(offset);
      const { mask } = registers[offset]!;
      const next = ((old & ~mask) | (value & mask)) >>> 0;
      values.set(offset, next);
      changed(offset, next);
    },
  };
}
