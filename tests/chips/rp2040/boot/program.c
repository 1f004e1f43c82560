// SPDX-License-Identifier: MIT
// What the boot test runs: clocks, a tick by alarm, UART by interrupt.
//
// FAULT, where given, is what it does after ten ticks: a line of C that a chip must refuse.
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SET(address) REG((address) + 0x2000)
#define CLR(address) REG((address) + 0x3000)
#define UART0 0x40034000u
#define TIMER 0x40054000u
#define PERIOD_US 1000u

static uint32_t next;
static volatile uint32_t ticks;

__attribute__((section(".flash"))) void clocks_init(void) {
  REG(0x40024000) = 0xaa0; // crystal
  REG(0x4002400c) = 47;
  SET(0x40024000) = 0xfab000;
  while (!(REG(0x40024004) >> 31)) {
  }
  REG(0x40008030) = 2; // clk_ref from it
  while (!(REG(0x40008038) & 4)) {
  }
  CLR(0x4000c000) = 1u << 12; // PLL_SYS: 12 MHz x 125 / 6 / 2
  while (!(REG(0x4000c008) & (1u << 12))) {
  }
  REG(0x40028000) = 1;
  REG(0x40028008) = 125;
  CLR(0x40028004) = 0x21;
  while (!(REG(0x40028000) >> 31)) {
  }
  REG(0x4002800c) = 6u << 16 | 2u << 12;
  CLR(0x40028004) = 8;
  SET(0x4000803c) = 1; // clk_sys from it
  while (!(REG(0x40008044) & 2)) {
  }
  REG(0x40008048) = 1u << 11;            // clk_peri
  REG(0x4005802c) = 1u << 9 | 12;        // a tick each microsecond
}

void on_tick(void) {
  REG(TIMER + 0x34) = 1;
  next += PERIOD_US;
  REG(TIMER + 0x10) = next;
  REG(0xd000001c) = 1u << 15;
  ticks++;
}

void on_uart(void) { // echoes letters one further in the alphabet
  while (!(REG(UART0 + 0x18) & 0x10)) REG(UART0) = (REG(UART0) & 0xff) + 1;
}

static void say(const char *text) {
  for (; *text; text++) {
    while (REG(UART0 + 0x18) & 0x20) {
    }
    REG(UART0) = (uint8_t)*text;
  }
}

int main(void) {
  uint32_t used = 1u << 5 | 1u << 8 | 1u << 21 | 1u << 22;
  CLR(0x4000c000) = used;
  while ((REG(0x4000c008) & used) != used) {
  }
  REG(UART0 + 0x24) = 67; // 125 MHz / 16 / 115,200 = 67 + 52/64
  REG(UART0 + 0x28) = 52;
  REG(UART0 + 0x2c) = 0x70;
  REG(UART0 + 0x30) = 0x301;
  REG(UART0 + 0x38) = 1u << 4 | 1u << 6;
  REG(0x40014004) = 2;
  REG(0x4001400c) = 2;
  REG(0x40014004 + 8 * 15) = 5;
  REG(0xd0000024) = 1u << 15;
  say("up\n");
  next = REG(TIMER + 0x28) + PERIOD_US;
  REG(TIMER + 0x10) = next;
  REG(TIMER + 0x38) = 1;
  REG(0xe000e100) = 1u << 0 | 1u << 20;
  while (ticks < 10) __asm__ volatile("wfi");
  say("ten\n");
#ifdef FAULT
  FAULT;
#endif
  for (;;) __asm__ volatile("wfi");
}
