// SPDX-License-Identifier: MIT
// Calls functions of a program on the chip emulator's Cortex-M0+, in cycles.
//
// Memory without wait states. BKPT stands where a call returns to, and where a trap ends; it ends the run, as do
// an instruction that Armv6-M does not have and an access that it faults on.

import { type Bus, createCore, type Core } from "../../../host-sim/chips/armv6m/core.ts";
import { ChipFailure } from "../../../host-sim/chips/failure.ts";
import {
  type FunctionCall,
  hex,
  RAM_BASE,
  type Ram,
  RETURN_ADDRESS,
  STACK_TOP,
  trapOf,
} from "./image.ts";

const BKPT = 0xbe00;

/** Calls a function: its result and the cycles until it returns. */
export function callThumb(
  ram: Ram,
  { address, operand }: FunctionCall,
  cyclesMax: number,
): { result: number; count: number } {
  ram.setUint16(RETURN_ADDRESS - RAM_BASE, BKPT, true);
  const bytes = new Uint8Array(ram.buffer, ram.byteOffset, ram.byteLength);
  const regions = [{ base: RAM_BASE, bytes, writable: true }];
  const core = createCore(regions, busOf([STACK_TOP, address | 1]), { failOnFault: true });
  core.registers[0] = operand;
  core.registers[14] = RETURN_ADDRESS | 1;
  runToReturn(core, ram, cyclesMax);
  return { result: core.registers[0]!, count: core.cycle };
}

// Nothing but what a reset reads, once: SP and PC.
function busOf(vectors: number[]): Bus {
  const refuse = (address: number): never => {
    throw new ChipFailure(`access at ${hex(address)}: no RAM`);
  };
  return { read: (address) => vectors.shift() ?? refuse(address), write: refuse, waits: () => 0 };
}

function runToReturn(core: Core, ram: Ram, cyclesMax: number): void {
  try {
    core.run(cyclesMax);
  } catch (error) {
    const pc = core.registers[15]!;
    if (pc === RETURN_ADDRESS) return;
    const [kind, functionIndex, offset] = core.registers;
    const isTrap = error instanceof ChipFailure && ram.getUint16(pc - RAM_BASE, true) >> 8 === 0xbe;
    throw isTrap ? trapOf(kind!, functionIndex!, offset!) : error;
  }
  throw new Error(`no end after ${cyclesMax} cycles`);
}
