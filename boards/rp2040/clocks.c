// SPDX-License-Identifier: MIT
// Clocks: the crystal, both PLLs, the microsecond; peripherals out of reset.
//
// Spec: RP2040 datasheet 2.15, 2.16, 2.18, 4.7.2. clk_sys 125 MHz, clk_ref 12 MHz, clk_adc 48 MHz, clk_peri is
// clk_sys. Runs in flash before the copy: it may call nothing outside section .flash. Each wait is for hardware
// without which nothing here can run.

#include "registers.h"
#include "rp2040.h"

enum { FEEDBACK_SYS = 125, FEEDBACK_USB = 100 }; // 12 MHz x: 1500 and 1200 MHz, of 750..1600

__attribute__((section(".flash.pll"), noinline)) static void start_pll(
    uint32_t pll, uint32_t reset, uint32_t feedback, uint32_t dividers) {
  SET(RESETS_RESET) = BIT(reset);
  CLR(RESETS_RESET) = BIT(reset);
  while (!(REG(RESETS_DONE) & BIT(reset))) continue;
  REG(pll + 0) = 1; // reference divided by 1
  REG(pll + 8) = feedback;
  CLR(pll + 4) = BIT(5) | BIT(0); // oscillator and PLL on
  while (!(REG(pll + 0) & BIT(31))) continue;
  REG(pll + 12) = dividers;
  CLR(pll + 4) = BIT(3); // dividers on
}

__attribute__((section(".flash.clocks"), noinline)) void set_up_clocks(void) {
  REG(XOSC_CTRL) = 0xaa0;  // 1-15 MHz
  REG(XOSC_STARTUP) = 47;  // x 256 periods: 1 ms
  SET(XOSC_CTRL) = 0xfab000;
  while (!(REG(XOSC_STATUS) & BIT(31))) continue;
  REG(CLK_REF_CTRL) = 2;
  while (!(REG(CLK_REF_SELECTED) & BIT(2))) continue;
  CLR(CLK_SYS_CTRL) = 1; // from clk_ref while the PLL changes
  while (!(REG(CLK_SYS_SELECTED) & BIT(0))) continue;
  start_pll(PLL_SYS, RESET_PLL_SYS, FEEDBACK_SYS, 6u << 16 | 2u << 12);
  CLR(CLK_SYS_CTRL) = 7u << 5;
  SET(CLK_SYS_CTRL) = 1;
  while (!(REG(CLK_SYS_SELECTED) & BIT(1))) continue;
  REG(CLK_PERI_CTRL) = BIT(11);
  if (BOARD_ADC_COUNT > 0) {
    start_pll(PLL_USB, RESET_PLL_USB, FEEDBACK_USB, 5u << 16 | 5u << 12);
    REG(CLK_ADC_CTRL) = BIT(11);
    REG(CLK_ADC_DIV) = 1u << 8;
  }
  REG(WATCHDOG_TICK) = BIT(9) | 12; // of clk_ref: TIMER and watchdog count microseconds
}

void release_peripherals(void) {
  const uint32_t wanted = BIT(RESET_DMA) | BIT(RESET_IO_BANK0) | BIT(RESET_PADS_BANK0) |
      BIT(RESET_TIMER) | BIT(RESET_PWM) | (BOARD_ADC_COUNT > 0 ? BIT(RESET_ADC) : 0) |
      BOARD_UART_RESETS | BOARD_SPI_RESETS;
  SET(RESETS_RESET) = wanted & ~BIT(RESET_TIMER); // the timer goes on: time never steps back
  CLR(RESETS_RESET) = wanted;
  while ((REG(RESETS_DONE) & wanted) != wanted) continue;
}
