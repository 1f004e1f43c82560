// SPDX-License-Identifier: MIT
// What host.c and channel.c need of this board.

#ifndef HOOKS_H
#define HOOKS_H
#include "posix.h"
#include <string.h>

// A thread is in one module: both take the same way out (modules.c).
void enter_host(void);
uint32_t leave_host(uint32_t result);
static inline void enter_loop_host(void) { enter_host(); }
static inline uint32_t leave_loop_host(uint32_t result) { return leave_host(result); }
static inline void enter_link_host(void) { enter_host(); }
static inline uint32_t leave_link_host(uint32_t result) { return leave_host(result); }

static inline const char *node_id(void) { return options.id; }
static inline const uint8_t *node_eui64(void) { return options.eui64; }
static inline unsigned gateway_count(void) { return options.gateway_count; }
#define host_name "posix"
void count_dropped(void);
void read_counters(uint32_t counters[4]);
static inline unsigned read_host_state(uint32_t words[5]) { // a process has none
  (void)words;
  return 0;
}
unsigned take_entropy(uint8_t *target, unsigned length);

#endif
