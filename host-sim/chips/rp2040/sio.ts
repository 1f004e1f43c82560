// SPDX-License-Identifier: MIT
// SIO of core 0 (datasheet 2.3.1): CPUID, GPIO, divider, spinlocks, FIFO status.
//
// The divider needs 8 cycles; reading a result before is a failure, since silicon gives what it has then.
// Core 1 sleeps, so a word for it is a failure. Interpolators are not modelled.

import { unknownRegister, type Context } from "./context.ts";
import { ChipFailure, type Peripheral } from "./peripheral.ts";
import { FUNCTION_SIO, PIN_COUNT } from "./pins.ts";

const PIN_MASK = 2 ** PIN_COUNT - 1;
const DIVIDE_CYCLES = 8;
const FIFO_READY = 2;

/** `qspiInputs` are the six QSPI pins as GPIO_HI_IN sees them. */
export function createSio(context: Context, qspiInputs: () => number): Peripheral {
  const { pins } = context;
  const divider = createDivider(context);
  let [out, enable, locks] = [0, 0, 0];
  let fifoErrors = 0;

  function drive(nextOut: number, nextEnable: number): void {
    let changed = ((out ^ nextOut) | (enable ^ nextEnable)) & PIN_MASK;
    out = nextOut & PIN_MASK;
    enable = nextEnable & PIN_MASK;
    while (changed !== 0) {
      const pin = 31 - Math.clz32(changed & -changed);
      changed &= changed - 1;
      pins.drive(FUNCTION_SIO, pin, ((out >>> pin) & 1) === 1, ((enable >>> pin) & 1) === 1);
    }
  }

  function peek(offset: number): number {
    if (offset === 0x00) return 0; // core 0
    if (offset === 0x04) return pins.inputs();
    if (offset === 0x08) return qspiInputs();
    if (offset >= 0x10 && offset < 0x20) return out;
    if (offset >= 0x20 && offset < 0x30) return enable;
    if (offset === 0x50) return FIFO_READY | fifoErrors;
    if (offset === 0x5c) return locks >>> 0;
    if (offset >= 0x60 && offset < 0x7c) return divider.peek(offset);
    if (offset >= 0x100 && offset < 0x180) return (locks >>> ((offset - 0x100) >> 2)) & 1;
    return unknownRegister("SIO", offset);
  }

  function claim(lock: number): number {
    const bit = (1 << lock) >>> 0;
    if ((locks & bit) !== 0) return 0;
    locks |= bit;
    return bit;
  }

  return {
    peek,
    read(offset) {
      if (offset >= 0x100 && offset < 0x180) return claim((offset - 0x100) >> 2);
      if (offset === 0x58) {
        fifoErrors |= 8; // ROE: it is empty
        return 0;
      }
      return offset >= 0x60 && offset < 0x7c ? divider.read(offset) : peek(offset);
    },
    write(offset, value) {
      if (offset >= 0x10 && offset < 0x20) drive(change(out, value, offset), enable);
      else if (offset >= 0x20 && offset < 0x30) drive(out, change(enable, value, offset));
      else if (offset === 0x50) fifoErrors = 0;
      else if (offset === 0x54) throw new ChipFailure("SIO: core 1 is not modelled, nobody reads");
      else if (offset >= 0x60 && offset < 0x7c) divider.write(offset, value);
      else if (offset >= 0x100 && offset < 0x180) locks &= ~(1 << ((offset - 0x100) >> 2));
      else unknownRegister("SIO", offset);
    },
  };
}

// Plain, set, clear and xor at +0, 4, 8, C.
function change(old: number, value: number, offset: number): number {
  return [value, old | value, old & ~value, old ^ value][(offset >> 2) & 3]!;
}

interface Divider {
  peek(offset: number): number;
  read(offset: number): number;
  write(offset: number, value: number): void;
}

// UDIVIDEND 60, UDIVISOR 64, SDIVIDEND 68, SDIVISOR 6C, QUOTIENT 70, REMAINDER 74, CSR 78.
function createDivider({ clock }: Context): Divider {
  let [dividend, divisor, quotient, remainder] = [0, 0, 0, 0];
  let readyCycle = 0;
  let dirty = false;
  const ready = (): boolean => clock.now() >= readyCycle;

  function divide(signed: boolean): void {
    const [a, b] = signed ? [dividend | 0, divisor | 0] : [dividend, divisor];
    // Datasheet 2.3.1.5: by 0 the quotient is all ones, or 1 for a negative dividend.
    quotient = b === 0 ? (signed && a < 0 ? 1 : 0xffffffff) : Math.trunc(a / b) >>> 0;
    remainder = (b === 0 ? a : a % b) >>> 0;
    readyCycle = clock.now() + DIVIDE_CYCLES;
    dirty = true;
  }

  function peek(offset: number): number {
    if (offset === 0x70) return quotient;
    if (offset === 0x74) return remainder;
    if (offset === 0x78) return (ready() ? 1 : 0) | (dirty ? 2 : 0);
    return (offset & 4) === 0 ? dividend : divisor;
  }

  return {
    peek,
    read(offset) {
      if ((offset === 0x70 || offset === 0x74) && !ready())
        throw new ChipFailure("SIO: divider result read before it is ready");
      const value = peek(offset);
      if (offset === 0x70) dirty = false;
      return value;
    },
    write(offset, value) {
      if (offset < 0x70) {
        if ((offset & 4) === 0) dividend = value;
        else divisor = value;
        return divide(offset >= 0x68);
      }
      if (offset === 0x78) unknownRegister("SIO", offset);
      if (offset === 0x70) quotient = value;
      else remainder = value;
      readyCycle = 0;
      dirty = true;
    },
  };
}
