// SPDX-License-Identifier: MIT
// The table of blocks: base addresses, in the order they are made after a reset.
//
// CLOCKS comes first, so that clk_sys runs from the ring oscillator before PLLs and crystal are taken
// away. RESETS comes last: it says which of the others are held. SSI and XIP are the bus's own.

import type { Prng } from "../../prng.ts";
import { createAdc } from "./adc.ts";
import { createClocks } from "./clocks.ts";
import type { Context } from "./context.ts";
import { createDma, type DmaBus } from "./dma.ts";
import { createI2c } from "./i2c.ts";
import { createIoBank0, createPadsBank0 } from "./io-bank0.ts";
import { createPll, createRosc, createXosc } from "./oscillators.ts";
import type { InnerBlocks } from "./outside.ts";
import type { PinBank } from "./pin-bank.ts";
import { createPio } from "./pio.ts";
import { createPwm } from "./pwm.ts";
import { createResets } from "./resets.ts";
import type { UartLines } from "./serial.ts";
import type { Block } from "./slots.ts";
import { createSpi, SPI_LINES } from "./spi.ts";
import type { FlashPath } from "./ssi.ts";
import { createBusctrl, createPsm, createSyscfg, createSysinfo, createVreg } from "./system.ts";
import type { Psm } from "./system.ts";
import type { Ticker } from "./ticker.ts";
import { createTimer, type AlarmFired } from "./timer.ts";
import { createUart } from "./uart.ts";
import { createWatchdog, type WatchdogMemory } from "./watchdog.ts";

/** What blocks share and a reset of the chip does not take away. */
export interface BlockParts {
  readonly prng: Prng; // of the ring oscillator's random bit
  readonly roscHz: number;
  readonly roscDead: () => boolean;
  readonly ticker: Ticker;
  readonly bank: PinBank;
  readonly lines: UartLines;
  readonly outside: InnerBlocks;
  readonly dmaBus: DmaBus;
  readonly watchdog: WatchdogMemory;
  readonly flashPath: () => FlashPath;
  readonly fired: AlarmFired;
  /** The watchdog bites; `select` is what PSM gives it to reset. */
  readonly bite: (select: number) => void;
  /** RESETS holds these blocks from now on. */
  readonly held: (mask: number) => void;
}

/** All rows. */
export function createBlocks(parts: BlockParts): Block[] {
  const { bank, lines, outside, ticker } = parts;
  const spi =
    (index: 0 | 1): Block["make"] =>
    (c) =>
      createSpi(c, SPI_LINES[index]!, () => outside.spi(index));
  // What a block waits for ends with it: its clock is silent then.
  const lent = ({ clock }: Context): Ticker => ({
    ...ticker,
    at: (count, call) => ticker.at(count, () => void clock.at(clock.now(), call)),
  });
  let psm: Psm | undefined;
  const bite = (): void => parts.bite(psm!.watchdogSelect());
  return [
    apb("CLOCKS", 0x40008000, -1, createClocks),
    apb("ROSC", 0x40060000, -1, (c) => createRosc(c, parts.prng, parts.roscHz, parts.roscDead)),
    apb("XOSC", 0x40024000, -1, createXosc),
    apb("PLL_SYS", 0x40028000, 12, (c) => createPll(c, "pllSys")),
    apb("PLL_USB", 0x4002c000, 13, (c) => createPll(c, "pllUsb")),
    apb("PSM", 0x40010000, -1, () => (psm = createPsm())),
    apb("VREG_AND_CHIP_RESET", 0x40064000, -1, createVreg),
    apb("WATCHDOG", 0x40058000, -1, (c) => createWatchdog(c, parts.watchdog, lent(c), bite)),
    apb("SYSINFO", 0x40000000, 19, createSysinfo),
    apb("SYSCFG", 0x40004000, 18, createSyscfg),
    apb("BUSCTRL", 0x40030000, 1, createBusctrl),
    apb("IO_BANK0", 0x40014000, 5, (c) => createIoBank0(c, bank)),
    apb("PADS_BANK0", 0x4001c000, 8, () => createPadsBank0(bank)),
    apb("IO_QSPI", 0x40018000, 6, () => parts.flashPath().ioQspi),
    apb("PADS_QSPI", 0x40020000, 9, () => parts.flashPath().padsQspi),
    apb("UART0", 0x40034000, 22, (c) => createUart(c, 0, lines)),
    apb("UART1", 0x40038000, 23, (c) => createUart(c, 1, lines)),
    apb("SPI0", 0x4003c000, 16, spi(0)),
    apb("SPI1", 0x40040000, 17, spi(1)),
    apb("I2C0", 0x40044000, 3, (c) => createI2c(c, 0, () => outside.i2c(0))),
    apb("I2C1", 0x40048000, 4, (c) => createI2c(c, 1, () => outside.i2c(1))),
    apb("ADC", 0x4004c000, 0, (c) => createAdc(c, outside.adc)),
    apb("PWM", 0x40050000, 14, (c) => createPwm(c, outside.pwm, outside.pwmChanged)),
    apb("DMA", 0x50000000, 2, (c) => createDma(c, parts.dmaBus, outside.requests)),
    apb("PIO0", 0x50200000, 10, (c) => createPio(c, 0)),
    apb("PIO1", 0x50300000, 11, (c) => createPio(c, 1)),
    apb("TIMER", 0x40054000, 21, (c) => createTimer(c, lent(c), parts.fired)),
    apb("RESETS", 0x4000c000, -1, () => createResets(parts.held)),
  ];
}

// Blocks of the fast bus have the same aliases.
function apb(name: string, base: number, resetBit: number, make: Block["make"]): Block {
  return { name, base, resetBit, aliased: true, make };
}
