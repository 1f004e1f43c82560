// SPDX-License-Identifier: MIT
// One state machine of a PIO: its registers, what it sees and what it does.
//
// Spec: RP2040 datasheet 3.4, 3.5. A step (pio-step.ts) changes the machine's own registers and says in `Effects`
// what it does to the rest of the block; nothing else is touched, so that a machine can be run ahead of time.

/** What instructions do not change. */
export interface Setup {
  divider: number; // CLKDIV in 1/256
  execctrl: number;
  shiftctrl: number;
  pinctrl: number;
}

/** What an instruction sees of the block. */
export interface View {
  readonly memory: Uint16Array;
  readonly inputs: number; // after the synchroniser
  readonly flags: number; // IRQ
  readonly outputs: number;
  readonly enables: number;
  /** FIFOs of the machine that runs. */
  readonly sent: readonly number[]; // TX
  readonly received: readonly number[]; // RX
  readonly receivedMax: number;
}

/** What a step does to the block, and what it looked at. */
export interface Effects {
  any: boolean;
  stalls: boolean;
  push: number; // -1: none
  pull: boolean;
  raise: number; // flags
  clear: number;
  outputMask: number;
  outputs: number;
  enableMask: number;
  enables: number;
  debug: number; // of FDEBUG, machine 0: 1 RX stalls, 1 << 24 TX stalls
  sawPins: number;
  sawFlags: number;
  sawFifos: boolean;
  sawOutputs: boolean;
}

export interface Machine {
  readonly index: number;
  tick: number; // the next one, since the divider's start
  pc: number;
  x: number;
  y: number;
  isr: number;
  osr: number;
  isrCount: number;
  osrCount: number; // bits shifted out
  delay: number;
  exec: number; // an instruction to be taken before that at pc, -1: none
  waits: boolean; // in IRQ WAIT: the flag is raised
}

export function createMachine(index: number): Machine {
  return {
    ...{ index, tick: 0, pc: 0, x: 0, y: 0, isr: 0, osr: 0, isrCount: 0, osrCount: 32 },
    ...{ delay: 0, exec: -1, waits: false },
  };
}

export function createEffects(): Effects {
  return {
    ...{ any: false, stalls: false, push: -1, pull: false, raise: 0, clear: 0 },
    ...{ outputMask: 0, outputs: 0, enableMask: 0, enables: 0, debug: 0 },
    ...{ sawPins: 0, sawFlags: 0, sawFifos: false, sawOutputs: false },
  };
}

/** Forgets what was done; what was seen and FDEBUG stay until `all`. */
export function clearEffects(fx: Effects, all: boolean): void {
  fx.any = fx.stalls = fx.pull = false;
  fx.push = -1;
  fx.raise = fx.clear = fx.outputMask = fx.outputs = fx.enableMask = fx.enables = 0;
  if (!all) return;
  fx.debug = fx.sawPins = fx.sawFlags = 0;
  fx.sawFifos = fx.sawOutputs = false;
}
