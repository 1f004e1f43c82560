// SPDX-License-Identifier: MIT
// What is kept over a reset: the host's counters, and why it restarted.
//
// It lies at the start of SRAM5, which neither the boot ROM's stack nor the start-up touches; after power-on its check
// fails. (K1) two copies are written in turn, so that a reset in the middle of one leaves the other. (K2) loop's
// interrupt writes, or HardFault, which never returns. A fault of the host is none of a module: outputs safe, record,
// reset.

#include "registers.h"
#include "rp2040.h"

enum { MARK = 0x4b505443, WORDS = 10, REASON_TIMER = 1 };

struct kept {
  uint32_t mark, sequence;
  struct restart restart;
  uint32_t counters[COUNTERS];
  uint32_t check;
};
_Static_assert(sizeof(struct kept) == 4 * (WORDS + 1), "the check is the last word");
__attribute__((section(".crash"))) static struct kept copies[2];
static struct kept kept; // of the newest copy
struct host_counters host_counters;
struct restart restart;

static uint32_t check(const struct kept *copy) {
  const uint32_t *word = (const uint32_t *)copy;
  uint32_t sum = 1;
  for (unsigned i = 0; i < WORDS; i++) sum = (sum << 5 | sum >> 27) + (word[i] ^ 0x9e3779b9u);
  return sum;
}

static bool is_whole(const struct kept *copy) {
  return copy->mark == MARK && copy->check == check(copy);
}

static void read_counters_of(uint32_t counters[COUNTERS]) {
  counters[0] = host_counters.ring_dropped;
  counters[1] = host_counters.loop_traps;
  counters[2] = host_counters.loop_overruns;
  counters[3] = host_counters.link_traps;
}

// Takes effect with its last word: until then the other copy is the newest.
static void keep(void) {
  const uint32_t sequence = kept.sequence + 1;
  struct kept *copy = &copies[sequence & 1];
  copy->check = 0;
  barrier();
  copy->mark = MARK;
  copy->sequence = sequence;
  copy->restart = kept.restart;
  for (unsigned i = 0; i < COUNTERS; i++) copy->counters[i] = kept.counters[i];
  const uint32_t sum = check(copy);
  barrier();
  copy->check = sum;
  kept.sequence = sequence;
}

// Counters go on where they were, "since power-on". A bite of the timer left no record: it is made here.
void restore_kept(void) {
  const bool whole[2] = { is_whole(&copies[0]), is_whole(&copies[1]) };
  const bool second = whole[1] && (!whole[0] || copies[1].sequence - copies[0].sequence == 1);
  if (whole[second]) kept = copies[second];
  if (REG(WATCHDOG_REASON) & REASON_TIMER)
    kept.restart = (struct restart){ kept.restart.count + 1, RESTART_WATCHDOG, 0, 0 };
  host_counters.ring_dropped = kept.counters[0];
  host_counters.loop_traps = kept.counters[1];
  host_counters.loop_overruns = kept.counters[2];
  host_counters.link_traps = kept.counters[3];
  restart = kept.restart;
  keep();
}

// From loop's interrupt, once a period; a bite comes without a call. Only what changed is written.
void keep_counters(void) {
  uint32_t now[COUNTERS];
  bool same = true;
  read_counters_of(now);
  for (unsigned i = 0; i < COUNTERS; i++) {
    same = same && now[i] == kept.counters[i];
    kept.counters[i] = now[i];
  }
  if (!same) keep();
}

void crash(uint32_t cause, uint32_t pc, uint32_t lr) {
  outputs_to_safe();
  kept.restart = (struct restart){ restart.count + 1, cause, pc, lr };
  read_counters_of(kept.counters);
  keep();
  bite();
}

// What was stacked when the frame's owner was interrupted: lr at word 5, pc at word 6.
void crash_at(uint32_t cause, const uint32_t *frame) {
  const uint32_t at = (uint32_t)(uintptr_t)frame;
  const bool readable = at >= LINK_STACK && at <= HANDLER_STACK_END - 32 && (at & 3) == 0;
  crash(cause, readable ? frame[6] : at, readable ? frame[5] : 0);
}

// From on_fault.
void record_fault(const uint32_t *frame) { crash_at(RESTART_FAULT, frame); }
