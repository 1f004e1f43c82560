// SPDX-License-Identifier: MIT
// The two modules: loop in its interrupt, link in thread mode.
//
// Spec: SPEC.md section 1. (P3) outputs are safe whenever loop is not there. Loop may be taken away anywhere: what its
// host functions do takes effect with one store. Link is taken away between host functions only, since the flash
// must not be left selected. A module that was taken away is instantiated anew.

#include "../host.h"
#include "link.h"
#include "loop.h"
#include "registers.h"
#include "rp2040.h"

enum {
  TRAP_HANG = 10,
  START_PERIODS = 1 + 50000 / BOARD_PERIOD_US, // to clear the memory and run init()
  LINK_US_MAX = 2000000,                       // of one poll: more is a loop without end
  LINK_RESTART_US = 100000,
  POLL_MS_MAX = 1000, // SPEC.md section 1.2
};

struct door loop_door, link_door;
static bool loop_alive;
static volatile uint32_t link_entered_us;

static _Noreturn void leave(struct door *door, int kind, unsigned function, unsigned offset) {
  door->kind = kind;
  door->function = function;
  door->offset = offset;
  leave_module(door);
}
_Noreturn void loop_trap(int kind, unsigned function, unsigned offset) {
  leave(&loop_door, kind, function, offset);
}
_Noreturn void link_trap(int kind, unsigned function, unsigned offset) {
  leave(&link_door, kind, function, offset);
}

// ---- loop
// Where the tick lets the interrupted handler go on when loop's time is over.
void loop_abandon(void) { leave(&loop_door, TRAP_HANG, ~0u, 0); }

static void init_loop(void) {
  loop_init();
  loop_init_2();
}

static void loop_failed(void) {
  outputs_to_safe(); // (P3)
  if (loop_door.kind == TRAP_HANG) host_counters.loop_overruns++;
  else host_counters.loop_traps++;
}

void start_loop(void) {
  loop_alive = enter_module(&loop_door, init_loop);
  if (!loop_alive) loop_failed();
}

// IRQ 26, made pending by each tick that finds loop at rest.
void on_loop(void) {
  count_pulses();
  feed_watchdog();
  const bool starts = !loop_alive;
  rhythm.periods_left = starts ? START_PERIODS : 1;
  loop_alive = enter_module(&loop_door, starts ? init_loop : loop_tick);
  rhythm.periods_left = 0;
  if (!loop_alive) loop_failed();
  keep_counters();
}

// ---- both
uint32_t host_now_us(void) { return REG(TIMERAWL); }

// ---- link
void link_abandon(void) { leave(&link_door, TRAP_HANG, ~0u, 0); }

// From the tick: the frame that thread mode left on its stack.
void check_link(uint32_t *thread_frame) {
  if (link_entered_us == 0 || REG(TIMERAWL) - link_entered_us < LINK_US_MAX) return;
  link_door.overdue = 1;
  if (link_door.inside) thread_frame[6] = (uint32_t)(uintptr_t)link_abandon & ~1u;
}

static uint32_t delay_ms;
static void init_link(void) {
  link_init();
  link_init_2();
}
static void poll_link(void) { delay_ms = link_poll(); }

static bool enter_link(void (*action)(void)) {
  const uint32_t now = REG(TIMERAWL);
  link_door.overdue = 0;
  link_entered_us = now == 0 ? 1 : now; // 0: link is not there
  const bool returned = enter_module(&link_door, action);
  link_entered_us = 0;
  return returned;
}

// Until then, or until a record or a datagram came when `wakes`.
static void rest(uint32_t us, bool wakes) {
  const uint32_t start = REG(TIMERAWL);
  for (uint32_t gone = 0; gone < us; gone = REG(TIMERAWL) - start) {
    const uint32_t network_us = work_network();
    if (wakes && (channel_next(&ring) > 0 || datagram_waits())) return;
    const uint32_t until = start + (network_us < us - gone ? gone + network_us : us);
    wake_at(until);
    if ((int32_t)(REG(TIMERAWL) - until) < 0) wait_for_event();
  }
}

void run_link(void) {
  bool alive = false;
  for (;;) {
    link_lives();
    if (!alive) alive = enter_link(init_link);
    if (alive) alive = enter_link(poll_link);
    if (alive) {
      rest(1000 * (delay_ms < 1 ? 1 : delay_ms < POLL_MS_MAX ? delay_ms : POLL_MS_MAX), true);
      continue;
    }
    host_counters.link_traps++;
    rest(LINK_RESTART_US, false);
  }
}
