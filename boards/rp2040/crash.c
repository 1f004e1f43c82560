// SPDX-License-Identifier: MIT
// What is kept over a reset: the host's counters, and where it failed.
//
// It lies at the start of SRAM5, which neither the boot ROM's stack nor the start-up touches. Valid by its mark and
// check; after power-on it is neither. A fault of the host is no fault of a module: outputs safe, record, reset.

#include "registers.h"
#include "rp2040.h"

enum { MARK = 0x4b505443, CRASH_FAULT = 1 };

struct kept {
  uint32_t mark, kind, value, lr, crashes;
  struct host_counters counters;
  uint32_t check;
};
__attribute__((section(".crash"))) static struct kept kept;
struct host_counters host_counters;

static uint32_t check(void) {
  return crc32c((const uint8_t *)&kept, offsetof(struct kept, check));
}

// Counters go on where they were, "since power-on".
void restore_counters(void) {
  if (kept.mark == MARK && kept.check == check()) host_counters = kept.counters;
  else kept = (struct kept){ .mark = MARK };
}

// Each time one changes: a bite comes without a call.
void keep_counters(void) {
  kept.counters = host_counters;
  kept.check = check();
}

void crash(uint32_t kind, uint32_t value) {
  outputs_to_safe();
  kept.kind = kind;
  kept.value = value;
  kept.crashes++;
  keep_counters();
  bite();
}

// From on_fault: the stacked frame has pc at word 6 and lr at word 5.
void record_fault(const uint32_t *frame) {
  const uint32_t at = (uint32_t)(uintptr_t)frame;
  const bool readable = at >= 0x20000000 && at < 0x20042000 - 32 && (at & 3) == 0;
  kept.lr = readable ? frame[5] : 0;
  crash(CRASH_FAULT, readable ? frame[6] : at);
}
