// SPDX-License-Identifier: MIT
// What host.c and channel.c need of this board.

#ifndef HOOKS_H
#define HOOKS_H
#include "memory.h"
#include "rp2040.h"

// Loop may be taken away anywhere; link only outside its host functions (modules.c).
static inline void enter_loop_host(void) {}
static inline uint32_t leave_loop_host(uint32_t result) { return result; }
static inline void enter_link_host(void) { link_door.inside = 0; }
static inline uint32_t leave_link_host(uint32_t result) {
  if (link_door.overdue) link_abandon();
  link_door.inside = 1;
  return result;
}

static inline const char *node_id(void) { return identity.id; }
static inline const uint8_t *node_eui64(void) { return identity.eui64; }
static inline unsigned gateway_count(void) { return identity.gateway_count; }
#define host_name BOARD_NAME
static inline void read_counters(uint32_t counters[4]) {
  counters[0] = host_counters.ring_dropped;
  counters[1] = host_counters.loop_traps;
  counters[2] = host_counters.loop_overruns;
  counters[3] = host_counters.link_traps;
}
static inline unsigned read_host_state(uint32_t words[5]) {
  words[0] = restart.count;
  words[1] = restart.cause;
  words[2] = restart.pc;
  words[3] = restart.lr;
  words[4] = entropy_failed() ? 1 : 0;
  return 5;
}
// Loop's count, but for a record that link has no room for: link's own buffer is larger than any.
static inline void count_dropped(void) { host_counters.ring_dropped++; }
static inline void wake_link(void) {} // the return from loop's interrupt does

static inline bool read_link_flash(uint32_t offset, uint8_t *target, uint32_t length) {
  read_flash(FLASH_LINK + offset, target, length);
  return true;
}
static inline bool erase_link_flash(uint32_t offset) { return erase_sector(FLASH_LINK + offset); }
static inline bool program_link_flash(uint32_t offset, const uint8_t *source, uint32_t length) {
  return program_flash(FLASH_LINK + offset, source, length);
}

#endif
