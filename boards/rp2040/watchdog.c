// SPDX-License-Identifier: MIT
// The watchdog: fed by loop's interrupt. Link without progress is a crash.
//
// Spec: RP2040 datasheet 4.7; erratum E1: it counts two per microsecond. A bite resets all but the oscillators: every
// pin is an input then, so what must be safe without a driver needs a resistor.

#include "registers.h"
#include "rp2040.h"

enum {
  BITE_US = 8 * BOARD_PERIOD_US < 50000 ? 50000 : 8 * BOARD_PERIOD_US > 8000000
      ? 8000000 : 8 * BOARD_PERIOD_US,
  START_US = 8000000,    // until ticks begin: entropy, one erase
  SILENCE_US = 5000000,  // of link: a poll may take 2 s, a wait 1 s
  CTRL_ON = 1u << 30, CTRL_BITE = 1u << 31,
};
static volatile uint32_t link_lived_us;

void set_up_watchdog(void) {
  REG(PSM_WDSEL) = PSM_ALL_BUT_OSCILLATORS;
  REG(WATCHDOG_LOAD) = 2 * START_US;
  REG(WATCHDOG_CTRL) = CTRL_ON;
  link_lives();
}

void link_lives(void) { link_lived_us = REG(TIMERAWL); }

void feed_watchdog(void) {
  REG(WATCHDOG_LOAD) = 2 * BITE_US;
  if (REG(TIMERAWL) - link_lived_us < SILENCE_US) return;
  const uint32_t *frame; // what thread mode was doing
  __asm__("mrs %0, psp" : "=r"(frame));
  crash_at(RESTART_LINK, frame);
}

void bite(void) {
  for (;;) REG(WATCHDOG_CTRL) = CTRL_BITE;
}
