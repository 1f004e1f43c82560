// SPDX-License-Identifier: MIT
// The tick: TIMER alarm 0 at priority 0, alone there.
//
// Spec: RP2040 datasheet 4.6; DESIGN D1. (P1) ticks stand at start + k x period: the alarm is set again from the time
// that was due. (P2) a loop that is still there when its periods are over is taken away: the frame of its handler is
// made to return to loop_abandon(). Loop itself is IRQ 26 at priority 1, so that the tick can interrupt it.

#include "registers.h"
#include "rp2040.h"

struct rhythm rhythm;
volatile uint32_t pins_latched;
static uint32_t due_us;

enum { FRAME_PC = 6, FRAME_PSR = 7 }; // words of a stacked frame

// A target in the past would wait for 71 minutes: what was missed is counted and passed over.
static void arm(void) {
  due_us += BOARD_PERIOD_US;
  REG(TIMER_ALARM0) = due_us;
  while ((int32_t)(REG(TIMERAWL) - due_us) >= 0) {
    rhythm.missed++;
    due_us += BOARD_PERIOD_US;
    REG(TIMER_ALARM0) = due_us;
  }
}

// From on_tick: the pins as they were, and the frame of the handler that was interrupted, if one was.
void take_tick(uint32_t pins, uint32_t *frame) {
  uint32_t *thread_frame;
  pins_latched = pins;
  REG(TIMER_INTR) = BIT(0);
  arm();
  rhythm.ticks++;
  if (rhythm.periods_left == 0) {
    REG(NVIC_ISPR) = BIT(IRQ_LOOP);
  } else if (--rhythm.periods_left == 0 && loop_door.inside) {
    frame[FRAME_PC] = (uint32_t)(uintptr_t)loop_abandon & ~1u;
    rhythm.overruns++;
  }
  __asm__("mrs %0, psp" : "=r"(thread_frame));
  check_link(thread_frame);
}

void set_up_priorities(void) {
  REG(NVIC_IPR(IRQ_TICK)) = 0u << 6 | 3u << 14 | 2u << 22; // alarms: tick, wake, sensor
  REG(NVIC_IPR(IRQ_DMA0)) = 2u << 30;
  REG(NVIC_IPR(IRQ_UART0)) = 2u << 6 | 2u << 14;
  REG(NVIC_IPR(IRQ_LOOP)) = 1u << 22;
  REG(NVIC_ISER) = BIT(IRQ_WAKE);
  REG(TIMER_INTE) = BIT(1); // who waits for the flash sleeps, also before ticks begin
}

void start_ticks(void) {
  REG(NVIC_ISER) = BIT(IRQ_LOOP) | BIT(IRQ_TICK);
  due_us = REG(TIMERAWL);
  SET(TIMER_INTE) = BIT(0) | BIT(1);
  arm();
}
