// SPDX-License-Identifier: MIT
// Small system blocks: SYSINFO, SYSCFG, PSM, VREG_AND_CHIP_RESET, BUSCTRL.
//
// Spec: datasheet 2.20, 2.21, 2.13, 2.10, 2.12, 2.1.5. They keep what is written; what would need core 1,
// an NMI, powered-down memory or another core voltage is a failure.

import { createStore, unknownRegister, unknownValue } from "./context.ts";
import type { Peripheral } from "./peripheral.ts";

const CHIP_ID = 0x20002927; // revision B2
const PSM_ALL = 0x1ffff;
const PSM_PROC1 = 1 << 16;
const HAD_POR = 1 << 8;
const ALL = 0xffffffff;

/** SYSINFO: what chip this is. */
export function createSysinfo(): Peripheral {
  const peek = (offset: number): number => {
    if (offset === 0) return CHIP_ID;
    return offset === 4 ? 2 : unknownRegister("SYSINFO", offset); // an ASIC, not an FPGA
  };
  return { read: peek, peek, write: (offset) => unknownRegister("SYSINFO", offset) };
}

/** SYSCFG: only the input synchronisers' bypass can be moved. */
export function createSyscfg(): Peripheral {
  const store = createStore("SYSCFG", {
    0x0: { reset: 0, mask: ALL },
    0x4: { reset: 0, mask: ALL },
    0x8: { reset: 0x10000000, mask: 0 },
    0xc: { reset: 0, mask: 0x3fffffff },
    0x18: { reset: 0, mask: ALL },
  });
  return {
    ...store,
    write(offset, value) {
      if (offset !== 0xc && value !== store.peek(offset)) unknownValue("SYSCFG", offset, value);
      store.write(offset, value);
    },
  };
}

export interface Psm extends Peripheral {
  /** What a bite of the watchdog resets. */
  watchdogSelect(): number;
}

/** PSM: every block is powered but core 1, which sleeps. */
export function createPsm(): Psm {
  const store = createStore("PSM", {
    0x0: { reset: 0, mask: PSM_ALL },
    0x4: { reset: 0, mask: PSM_ALL },
    0x8: { reset: 0, mask: PSM_ALL },
    0xc: { reset: PSM_ALL, mask: 0 },
  });
  return {
    ...store,
    write(offset, value) {
      if (offset === 4 && (value & ~PSM_PROC1) !== 0) unknownValue("PSM", offset, value);
      store.write(offset, value);
    },
    watchdogSelect: () => store.peek(8),
  };
}

/** VREG_AND_CHIP_RESET: 1.1 V, in regulation; the last reset of the whole chip was power-on. */
export function createVreg(): Peripheral {
  const store = createStore("VREG_AND_CHIP_RESET", {
    0x0: { reset: 0x10b1, mask: 0 },
    0x4: { reset: 0x91, mask: 0xf1 },
    0x8: { reset: HAD_POR, mask: 0 },
  });
  return {
    ...store,
    write(offset, value) {
      if (offset !== 4 && value !== store.peek(offset))
        unknownValue("VREG_AND_CHIP_RESET", offset, value);
      store.write(offset, value);
    },
  };
}

/** BUSCTRL: priorities are kept, counters stay 0, since contention is not modelled. */
export function createBusctrl(): Peripheral {
  const perf = { reset: 0x1f, mask: 0x1f };
  const count = { reset: 0, mask: 0 };
  return createStore("BUSCTRL", {
    0x0: { reset: 0, mask: 0x1111 },
    0x4: { reset: 1, mask: 0 },
    ...{ 0x8: count, 0xc: perf, 0x10: count, 0x14: perf },
    ...{ 0x18: count, 0x1c: perf, 0x20: count, 0x24: perf },
  });
}
