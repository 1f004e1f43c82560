// SPDX-License-Identifier: MIT
// WATCHDOG (datasheet 4.7): counter, reason, scratch registers, tick.
//
// RP2040-E1: the counter goes down by two a tick. REASON and SCRATCH live through a bite. Debug pauses
// are never active here.

import { unknownRegister } from "./context.ts";
import type { Context } from "./context.ts";
import type { Alarm, Peripheral } from "./peripheral.ts";
import type { Ticker } from "./ticker.ts";

const ENABLE = 1 << 30;
const PAUSES = 7 << 24;
const TIME = 0xffffff;
const STEP = 2; // E1
const TICK_RESET = 0x200;

/** What of the watchdog no reset but power-on clears. */
export interface WatchdogMemory {
  reason: number; // bit 0 timer, bit 1 forced
  readonly scratch: Uint32Array;
}

/** As after power-on. */
export function createWatchdogMemory(): WatchdogMemory {
  return { reason: 0, scratch: new Uint32Array(8) };
}

/** `bite` resets the chip. */
export function createWatchdog(
  { clock }: Context,
  memory: WatchdogMemory,
  ticker: Ticker,
  bite: () => void,
): Peripheral {
  let ctrl = PAUSES;
  let tick = TICK_RESET; // enabled, but no cycles: it does not run
  let load = 0; // the counter when `loadCount` was counted
  let loadCount = 0;
  let alarm: Alarm | undefined;
  ticker.set(0);

  const left = (): number =>
    (ctrl & ENABLE) === 0 ? load : Math.max(0, load - STEP * (ticker.count() - loadCount));

  function arm(counter: number): void {
    alarm?.cancel();
    alarm = undefined;
    load = counter;
    loadCount = ticker.count();
    if ((ctrl & ENABLE) === 0) return;
    alarm = ticker.at(loadCount + Math.ceil(counter / STEP), () => end(1));
  }

  function end(reason: number): void {
    alarm?.cancel();
    memory.reason = reason;
    clock.at(clock.now(), bite); // after the access that asked for it
  }

  function peek(offset: number): number {
    if (offset === 0) return ctrl | left();
    if (offset === 4) return 0; // write only
    if (offset === 8) return memory.reason;
    if (offset >= 0xc && offset <= 0x28) return memory.scratch[(offset - 0xc) >> 2]!;
    if (offset === 0x2c) return tick | (ticker.running() ? 1 << 10 : 0);
    return unknownRegister("WATCHDOG", offset);
  }

  return {
    read: peek,
    peek,
    write(offset, value) {
      if (offset === 0) {
        const counter = left();
        ctrl = value & (ENABLE | PAUSES);
        arm(counter);
        if (value >>> 31 === 1) end(2);
      } else if (offset === 4) arm(value & TIME);
      else if (offset >= 0xc && offset <= 0x28) memory.scratch[(offset - 0xc) >> 2] = value;
      else if (offset === 0x2c) {
        tick = value & 0x3ff;
        ticker.set((tick & 0x200) === 0 ? 0 : tick & 0x1ff);
      } else unknownRegister("WATCHDOG", offset);
    },
  };
}
