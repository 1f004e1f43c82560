// SPDX-License-Identifier: MIT
// Time in microseconds since the chip started, and waiting without polling.
//
// Spec: RP2040 datasheet 4.6; ARMv6-M B1.5.18. Entry to and return from an exception set the event register, so
// that WFE returns at once when an interrupt came between a check and the wait: no mask is needed.

#include "registers.h"
#include "rp2040.h"

uint64_t clock_us(void) {
  for (;;) {
    const uint32_t high = REG(TIMERAWH);
    const uint32_t low = REG(TIMERAWL);
    if (REG(TIMERAWH) == high) return (uint64_t)high << 32 | low;
  }
}

void wait_for_event(void) { __asm__ volatile("wfe" ::: "memory"); }

// A time in the past fires after 71 minutes: who waits looks at the clock after this call.
void wake_at(uint32_t us) { REG(TIMER_ALARM1) = us; }

void sleep_us(uint32_t us) {
  const uint32_t until = REG(TIMERAWL) + us;
  wake_at(until);
  while ((int32_t)(REG(TIMERAWL) - until) < 0) wait_for_event();
}

void on_wake(void) { REG(TIMER_INTR) = BIT(1); }
