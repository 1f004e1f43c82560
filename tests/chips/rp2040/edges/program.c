// SPDX-License-Identifier: MIT
// What the test of edge capture runs: edges of GPIO 5 to a log.
//
// From 0x20010000: words of a mailbox, then the log. The test writes HUSH; it reads the rest.
#include "registers.h"
#include "rp2040.h"

#define COUNT REG(0x20010000) // edges in the log
#define HUSH REG(0x20010004)  // 1: nothing is taken
#define LOG ((struct edge *)0x20010100)
enum { LOG_MAX = 7000, AT_ONCE = 64, GPIO = 5, PAUSE_US = 20 };

void on_tick(void) {}
void on_uart(void) {}

__attribute__((section(".flash"))) void clocks_init(void) {
  REG(XOSC_CTRL) = 0xaa0;
  REG(XOSC_STARTUP) = 47;
  SET(XOSC_CTRL) = 0xfab000;
  while (!(REG(XOSC_STATUS) >> 31)) continue;
  REG(CLK_REF_CTRL) = 2;
  while (!(REG(CLK_REF_SELECTED) & 4)) continue;
  CLR(RESETS_RESET) = BIT(RESET_PLL_SYS);
  while (!(REG(RESETS_DONE) & BIT(RESET_PLL_SYS))) continue;
  REG(PLL_SYS) = 1;
  REG(PLL_SYS + 8) = 125;
  CLR(PLL_SYS + 4) = 0x21;
  while (!(REG(PLL_SYS) >> 31)) continue;
  REG(PLL_SYS + 12) = 6u << 16 | 2u << 12;
  CLR(PLL_SYS + 4) = 8;
  SET(CLK_SYS_CTRL) = 1;
  while (!(REG(CLK_SYS_SELECTED) & 2)) continue;
  REG(WATCHDOG_TICK) = 1u << 9 | 12;
}

uint64_t clock_us(void) { return REG(TIMERAWL); } // an hour is enough here

void *memset(void *target, int value, size_t length) {
  for (uint8_t *to = target; length > 0; length--) *to++ = (uint8_t)value;
  return target;
}

int main(void) {
  const uint32_t used = BIT(RESET_DMA) | BIT(RESET_IO_BANK0) | BIT(RESET_PADS_BANK0) |
      BIT(RESET_TIMER);
  CLR(RESETS_RESET) = used;
  while ((REG(RESETS_DONE) & used) != used) continue;
  COUNT = HUSH = 0;
  start_edges(0, GPIO);
  for (;;) {
    const uint32_t start = REG(TIMERAWL);
    while (REG(TIMERAWL) - start < PAUSE_US) continue;
    if (HUSH == 0 && COUNT < LOG_MAX) COUNT += take_edges(0, &LOG[COUNT], AT_ONCE);
  }
}
