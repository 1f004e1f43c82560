// SPDX-License-Identifier: MIT
// A run-time for the C of wabt's wasm2c: memory and table of one instance.
//
// Memory grows within a static pool. Nothing is ever given back.

#include "wasm-rt.h"

#define POOL_BYTES (2 * 65536)
#define SLOTS_MAX 64

static uint8_t pool[POOL_BYTES] __attribute__((aligned(16)));
static wasm_rt_funcref_t slots_pool[SLOTS_MAX];
uint32_t wasm_rt_call_stack_depth;

_Noreturn void ours_trap(int kind, unsigned function, unsigned offset); // runtime.c ends the run

_Noreturn void wasm_rt_trap(wasm_rt_trap_t kind) {
  ours_trap((int)kind, 0, 0);
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t max_pages,
                             bool is64, uint32_t page_size) {
  const uint64_t bytes = pages * page_size;
  if (bytes > POOL_BYTES) wasm_rt_trap(WASM_RT_TRAP_OOB);
  memset(pool, 0, POOL_BYTES);
  *memory = (wasm_rt_memory_t){pool, pages, max_pages, bytes, page_size, is64};
}

uint64_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint64_t pages) {
  const uint64_t before = memory->pages;
  if (pages > POOL_BYTES / memory->page_size - before || pages > memory->max_pages - before)
    return (uint64_t)-1;
  memory->pages += pages;
  memory->size += pages * memory->page_size;
  return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
  memory->data = 0;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t slots,
                                    uint32_t max_slots) {
  if (slots > SLOTS_MAX) wasm_rt_trap(WASM_RT_TRAP_OOB);
  memset(slots_pool, 0, sizeof(slots_pool));
  *table = (wasm_rt_funcref_table_t){slots_pool, max_slots, slots};
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) {
  table->data = 0;
}
