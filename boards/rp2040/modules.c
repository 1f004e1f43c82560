// SPDX-License-Identifier: MIT
// The two modules: loop in its interrupt, link in thread mode.
//
// Spec: SPEC.md section 1. (P3) outputs are safe whenever loop is not there. Loop may be taken away anywhere: what its
// host functions do takes effect with one store. Link is taken away between host functions only, since the flash
// must not be left selected. A module that was taken away is instantiated anew.

#include "../host.h"
#include "link.h"
#include "loop.h"
#include "memory.h"
#include "registers.h"
#include "rp2040.h"

enum {
  TRAP_MEMORY = 2,
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
  keep_counters();
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
}

static uint8_t *reach_loop(uint32_t address, uint64_t length) {
  if (address + length > sizeof loop_memory) leave(&loop_door, TRAP_MEMORY, ~0u, 0);
  return loop_memory + address;
}

uint32_t host_tap_take(uint32_t tap, uint32_t address, uint32_t capacity) {
  return take_tap(tap, reach_loop(address, 8 * (uint64_t)capacity), capacity);
}
uint32_t host_burst_take(uint32_t device, uint32_t address, uint32_t capacity) {
  (void)device;
  reach_loop(address, 2 * (uint64_t)capacity);
  return 0; // no accelerometer is wired to a board yet
}
uint32_t host_ring_put(uint32_t address, uint32_t length) {
  const bool taken = channel_put(&ring, reach_loop(address, length), length);
  if (!taken) host_counters.ring_dropped++;
  return taken;
}

// Mailbox records have 16 octets, ring records 76 at most: one that does not fit is the caller's mistake.
uint32_t host_mailbox_take(uint32_t address, uint32_t capacity) {
  uint8_t *target = reach_loop(address, capacity);
  return channel_next(&mailbox) > capacity ? 0 : channel_take(&mailbox, target);
}

// ---- both
uint32_t host_now_us(void) { return REG(TIMERAWL); }

// ---- link
static _Noreturn void link_abandon(void) { leave(&link_door, TRAP_HANG, ~0u, 0); }

// From the tick: the frame that thread mode left on its stack.
void check_link(uint32_t *thread_frame) {
  if (link_entered_us == 0 || REG(TIMERAWL) - link_entered_us < LINK_US_MAX) return;
  link_door.overdue = 1;
  if (link_door.inside) thread_frame[6] = (uint32_t)(uintptr_t)link_abandon & ~1u;
}

static void enter_host(void) { link_door.inside = 0; }
static uint32_t leave_host(uint32_t result) {
  if (link_door.overdue) link_abandon();
  link_door.inside = 1;
  return result;
}
static uint8_t *reach_link(uint32_t address, uint64_t length) {
  if (address + length > sizeof link_memory) leave(&link_door, TRAP_MEMORY, ~0u, 0);
  return link_memory + address;
}

uint32_t host_ring_take(uint32_t address, uint32_t capacity) {
  enter_host();
  uint8_t *target = reach_link(address, capacity);
  return leave_host(channel_next(&ring) > capacity ? 0 : channel_take(&ring, target));
}
uint32_t host_mailbox_put(uint32_t address, uint32_t length) {
  enter_host();
  return leave_host(channel_put(&mailbox, reach_link(address, length), length));
}
uint32_t host_datagram_put(uint32_t peer, uint32_t address, uint32_t length) {
  enter_host();
  return leave_host(send_datagram(peer, reach_link(address, length), length));
}
uint32_t host_datagram_take(uint32_t address, uint32_t capacity) {
  enter_host();
  uint8_t *target = reach_link(address, capacity);
  uint32_t peer = 0;
  if (capacity < 4) return leave_host(0);
  const unsigned length = receive_datagram(target + 4, capacity - 4, &peer);
  for (unsigned i = 0; i < 4; i++) target[i] = (uint8_t)(peer >> (8 * i));
  return leave_host(length == 0 ? 0 : length + 4);
}

static bool is_ours(uint32_t offset, uint32_t length) {
  return offset <= 2 * SECTOR_BYTES && length <= 2 * SECTOR_BYTES - offset;
}
uint32_t host_flash_read(uint32_t offset, uint32_t address, uint32_t length) {
  enter_host();
  uint8_t *target = reach_link(address, length);
  if (!is_ours(offset, length)) return leave_host(~0u);
  read_flash(FLASH_LINK + offset, target, length);
  return leave_host(0);
}
uint32_t host_flash_erase(uint32_t offset) {
  enter_host();
  if (offset % SECTOR_BYTES != 0 || !is_ours(offset, SECTOR_BYTES)) return leave_host(~0u);
  return leave_host(erase_sector(FLASH_LINK + offset) ? 0 : ~0u);
}
uint32_t host_flash_program(uint32_t offset, uint32_t address, uint32_t length) {
  enter_host();
  const uint8_t *source = reach_link(address, length);
  if (!is_ours(offset, length)) return leave_host(~0u);
  return leave_host(program_flash(FLASH_LINK + offset, source, length) ? 0 : ~0u);
}
uint32_t host_entropy(uint32_t address, uint32_t length) {
  enter_host();
  return leave_host(take_entropy(reach_link(address, length), length));
}

// SPEC.md section 1.5.
static unsigned info_item(uint32_t number, uint8_t item[32]) {
  switch (number) {
    case 1: {
      unsigned length = 0;
      while (identity.id[length] != 0) length++;
      memcpy(item, identity.id, length);
      return length;
    }
    case 2: memcpy(item, identity.eui64, 8); return 8;
    case 3: memcpy(item, board_loop_hash, 32); return 32;
    case 4: memcpy(item, board_link_hash, 32); return 32;
    case 5: memcpy(item, BOARD_NAME, sizeof BOARD_NAME - 1); return sizeof BOARD_NAME - 1;
    case 6: item[0] = (uint8_t)identity.gateway_count; return 1;
    case 7: memcpy(item, (const void *)&host_counters, 16); return 16;
    default: return 0;
  }
}

uint32_t host_info(uint32_t number, uint32_t address, uint32_t capacity) {
  enter_host();
  uint8_t *target = reach_link(address, capacity);
  uint8_t item[32];
  const unsigned length = info_item(number, item);
  if (length == 0 || length > capacity) return leave_host(~0u);
  memcpy(target, item, length);
  return leave_host(length);
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
  const uint32_t until = REG(TIMERAWL) + us;
  wake_at(until);
  while ((int32_t)(REG(TIMERAWL) - until) < 0) {
    if (wakes && (channel_next(&ring) > 0 || datagram_waits())) return;
    wait_for_event();
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
    keep_counters();
    rest(LINK_RESTART_US, false);
  }
}
