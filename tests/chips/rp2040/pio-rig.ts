// SPDX-License-Identifier: MIT
// A PIO alone: words of instructions, registers of a machine, cycles that pass.

import type { Peripheral } from "../../../host-sim/chips/rp2040/peripheral.ts";
import { createPio } from "../../../host-sim/chips/rp2040/pio.ts";
import { createBlock, type Block } from "./block.ts";

export const CYCLE_NS = 8;
export const [CTRL, FSTAT, FDEBUG, FLEVEL, TXF, RXF, IRQ, FORCE] = [
  0x00, 0x04, 0x08, 0x0c, 0x10, 0x20, 0x30, 0x34,
] as const;
const REGISTERS = {
  divider: 0xc8,
  exec: 0xcc,
  shift: 0xd0,
  at: 0xd4,
  instruction: 0xd8,
  pins: 0xdc,
};

/** Instructions as datasheet 3.4 lays them out: opcode, bits 7:5, bits 4:0, bits 12:8. */
const word = (opcode: number, middle: number, low: number, delay = 0): number =>
  (opcode << 13) | (delay << 8) | (middle << 5) | low;
const CONDITIONS = ["always", "!x", "x--", "!y", "y--", "x!=y", "pin", "!osre"] as const;
const SOURCES = ["pins", "x", "y", "null", "", "status", "isr", "osr"] as const;
const OUTS = ["pins", "x", "y", "null", "dirs", "pc", "isr", "exec"] as const;
const MOVES = ["pins", "x", "y", "", "exec", "pc", "isr", "osr"] as const;
const at = (list: readonly string[], name: string): number => list.indexOf(name);

export const jmp = (condition: (typeof CONDITIONS)[number], to: number, delay = 0): number =>
  word(0, at(CONDITIONS, condition), to, delay);
export const wait = (level: 0 | 1, source: "gpio" | "pin" | "irq", index: number): number =>
  word(1, (level << 2) | ["gpio", "pin", "irq"].indexOf(source), index);
export const inn = (source: (typeof SOURCES)[number], count: number): number =>
  word(2, at(SOURCES, source), count & 31);
export const out = (to: (typeof OUTS)[number], count: number, delay = 0): number =>
  word(3, at(OUTS, to), count & 31, delay);
export const push = (block = true, ifFull = false): number =>
  word(4, (ifFull ? 2 : 0) | (block ? 1 : 0), 0);
export const pull = (block = true, ifEmpty = false): number =>
  word(4, 4 | (ifEmpty ? 2 : 0) | (block ? 1 : 0), 0);
export const mov = (to: (typeof MOVES)[number], from: (typeof SOURCES)[number], op = 0): number =>
  word(5, at(MOVES, to), (op << 3) | at(SOURCES, from));
export const irq = (index: number, mode: "set" | "wait" | "clear" = "set"): number =>
  word(6, { set: 0, wait: 1, clear: 2 }[mode], index);
export const set = (to: "pins" | "x" | "y" | "dirs", value: number, delay = 0): number =>
  word(7, ["pins", "x", "y", "", "dirs"].indexOf(to), value, delay);
export const side = (value: number, bits: number, instruction: number): number =>
  instruction | (value << (13 - bits));

export interface Machines {
  readonly block: Block;
  readonly pio: Peripheral;
  /** A program at this place, all of it one round for ever. */
  load(program: readonly number[], place?: number): void;
  set(machine: number, register: keyof typeof REGISTERS, value: number): void;
  get(machine: number, register: keyof typeof REGISTERS): number;
  /** An instruction at once. */
  force(machine: number, instruction: number): void;
  cycles(count: number): void;
  /** What the RX FIFO of a machine holds. */
  take(machine: number): number[];
}

/** PIO `index` after reset; wrap of machine 0 is set by `load`. */
export function createMachines(index = 0): Machines {
  const block = createBlock();
  const pio = createPio(block.context, index);
  const address = (machine: number, register: keyof typeof REGISTERS): number =>
    REGISTERS[register] + 0x18 * machine;
  const machines: Machines = {
    ...{ block, pio },
    load(program, place = 0) {
      program.forEach((instruction, i) => pio.write(0x48 + 4 * (place + i), instruction));
      machines.set(0, "exec", ((place + program.length - 1) << 12) | (place << 7));
      machines.force(0, jmp("always", place));
    },
    set: (machine, register, value) => pio.write(address(machine, register), value),
    get: (machine, register) => pio.read(address(machine, register)),
    force: (machine, instruction) => pio.write(address(machine, "instruction"), instruction),
    cycles: (count) => block.run(count * CYCLE_NS),
    take(machine) {
      const values: number[] = [];
      while (((pio.read(FSTAT) >> (8 + machine)) & 1) === 0)
        values.push(pio.read(RXF + 4 * machine));
      return values;
    },
  };
  return machines;
}
