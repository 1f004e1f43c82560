// SPDX-License-Identifier: MIT
// What the bus of the chip asks of a peripheral, and what a peripheral is given.
//
// Registers are words at offsets that are multiples of four. An access to a register the model does not know
// throws ChipFailure: firmware that passes here touches nothing that is only hoped to work.

export { ChipFailure } from "../failure.ts";

/** A peripheral behind the bus. Aliases (xor, set, clear) are the bus's work: it combines `peek` and `write`. */
export interface Peripheral {
  /** A word read by the core or by DMA; may have effects (a FIFO gives its next entry). */
  read(offset: number): number;
  /** The same word without effects. */
  peek(offset: number): number;
  write(offset: number, value: number): void;
}

/** The clock of the chip, in cycles of clk_sys since power-on. */
export interface ChipClock {
  now(): number;
  /** Calls once when `cycle` is reached; what is due is called before the next instruction. */
  at(cycle: number, call: () => void): Alarm;
}

/** A pending call. */
export interface Alarm {
  cancel(): void;
}

/** Sets the level of an interrupt line of the processor, 0 to 31. */
export type Interrupt = (line: number, level: boolean) => void;
