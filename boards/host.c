// SPDX-License-Identifier: MIT
// Host functions that are the same on every board; pins and clock are the board's.
//
// Spec: SPEC.md section 1. What a module hands over is checked here, once: octets outside its memory trap it
// (kind 2). hooks.h is the board's: what is done on the way into and out of a host function, and what there is.

#include "host.h"
#include "hooks.h"
#include "link.h"
#include "loop.h"

enum { TRAP_MEMORY = 2, LINK_FLASH_BYTES = 2 * SECTOR_BYTES, ITEM_BYTES_MAX = 32,
       HOST_WORDS_MAX = 5 };

static uint8_t *reach_loop(uint32_t address, uint64_t length) {
  if (address + length > sizeof loop_memory) loop_trap(TRAP_MEMORY, ~0u, 0);
  return loop_memory + address;
}
static uint8_t *reach_link(uint32_t address, uint64_t length) {
  if (address + length > sizeof link_memory) link_trap(TRAP_MEMORY, ~0u, 0);
  return link_memory + address;
}

// A record that does not fit is dropped and counted, and the next one has its turn.
static uint32_t take_record(struct channel *channel, uint8_t *target, uint32_t capacity) {
  while (channel_next(channel) > capacity) {
    channel_skip(channel);
    count_dropped();
  }
  return channel_take(channel, target);
}

// ---- loop
uint32_t host_burst_take(uint32_t device, uint32_t address, uint32_t capacity) {
  enter_loop_host();
  return leave_loop_host(read_burst(device, reach_loop(address, 2 * (uint64_t)capacity), capacity));
}
uint32_t host_tap_take(uint32_t tap, uint32_t address, uint32_t capacity) {
  enter_loop_host();
  return leave_loop_host(take_tap(tap, reach_loop(address, 8 * (uint64_t)capacity), capacity));
}
uint32_t host_tap_put(uint32_t tap, uint32_t address, uint32_t length) {
  enter_loop_host();
  return leave_loop_host((uint32_t)put_tap(tap, reach_loop(address, length), length));
}
uint32_t host_edge_take(uint32_t tap, uint32_t address, uint32_t capacity) {
  enter_loop_host();
  uint8_t *target = reach_loop(address, 4 * (uint64_t)capacity);
  return leave_loop_host((uint32_t)take_tap_edges(tap, target, capacity));
}
uint32_t host_edge_unit_ps(uint32_t tap) {
  enter_loop_host();
  return leave_loop_host(tap_edge_unit_ps(tap));
}
uint32_t host_tap_open(uint32_t tap, uint32_t baud, uint32_t format) {
  enter_loop_host();
  return leave_loop_host(open_tap(tap, baud, format) ? 0 : ~0u);
}
uint32_t host_ring_put(uint32_t address, uint32_t length) {
  enter_loop_host();
  const bool taken = channel_put(&ring, reach_loop(address, length), length);
  if (taken) wake_link();
  else count_dropped();
  return leave_loop_host(taken);
}
uint32_t host_mailbox_take(uint32_t address, uint32_t capacity) {
  enter_loop_host();
  return leave_loop_host(take_record(&mailbox, reach_loop(address, capacity), capacity));
}

// ---- link
uint32_t host_ring_take(uint32_t address, uint32_t capacity) {
  enter_link_host();
  return leave_link_host(take_record(&ring, reach_link(address, capacity), capacity));
}
uint32_t host_mailbox_put(uint32_t address, uint32_t length) {
  enter_link_host();
  return leave_link_host(channel_put(&mailbox, reach_link(address, length), length));
}
uint32_t host_datagram_put(uint32_t peer, uint32_t address, uint32_t length) {
  enter_link_host();
  return leave_link_host(send_datagram(peer, reach_link(address, length), length));
}
uint32_t host_datagram_take(uint32_t address, uint32_t capacity) {
  enter_link_host();
  uint8_t *target = reach_link(address, capacity);
  uint32_t peer = 0;
  if (capacity < 4) return leave_link_host(0);
  const unsigned length = receive_datagram(target + 4, capacity - 4, &peer);
  for (unsigned i = 0; i < 4; i++) target[i] = (uint8_t)(peer >> (8 * i));
  return leave_link_host(length == 0 ? 0 : length + 4);
}

static bool is_of_link(uint32_t offset, uint32_t length) {
  return offset <= LINK_FLASH_BYTES && length <= LINK_FLASH_BYTES - offset;
}
uint32_t host_flash_read(uint32_t offset, uint32_t address, uint32_t length) {
  enter_link_host();
  uint8_t *target = reach_link(address, length);
  const bool done = is_of_link(offset, length) && read_link_flash(offset, target, length);
  return leave_link_host(done ? 0 : ~0u);
}
uint32_t host_flash_erase(uint32_t offset) {
  enter_link_host();
  const bool ours = offset % SECTOR_BYTES == 0 && is_of_link(offset, SECTOR_BYTES);
  return leave_link_host(ours && erase_link_flash(offset) ? 0 : ~0u);
}
uint32_t host_flash_program(uint32_t offset, uint32_t address, uint32_t length) {
  enter_link_host();
  const uint8_t *source = reach_link(address, length);
  const bool done = is_of_link(offset, length) && program_link_flash(offset, source, length);
  return leave_link_host(done ? 0 : ~0u);
}
uint32_t host_entropy(uint32_t address, uint32_t length) {
  enter_link_host();
  return leave_link_host(take_entropy(reach_link(address, length), length));
}

static unsigned put_item(uint8_t *item, const void *octets, size_t length) {
  memcpy(item, octets, length);
  return (unsigned)length;
}

static unsigned put_words(uint8_t *item, const uint32_t *words, unsigned count) {
  for (unsigned i = 0; i < 4 * count; i++) item[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
  return 4 * count;
}

// SPEC.md section 1.5; 0: there is no such item.
static unsigned info_item(uint32_t number, uint8_t item[ITEM_BYTES_MAX]) {
  uint32_t words[HOST_WORDS_MAX];
  switch (number) {
    case 1: return put_item(item, node_id(), strlen(node_id()));
    case 2: return put_item(item, node_eui64(), 8);
    case 3: return put_item(item, board_loop_hash, 32);
    case 4: return put_item(item, board_link_hash, 32);
    case 5: return put_item(item, host_name, strlen(host_name));
    case 6: item[0] = (uint8_t)gateway_count(); return 1;
    case 7: read_counters(words); return put_words(item, words, 4);
    case 8: return put_words(item, words, read_host_state(words));
    default: return 0;
  }
}

uint32_t host_info(uint32_t number, uint32_t address, uint32_t capacity) {
  enter_link_host();
  uint8_t *target = reach_link(address, capacity);
  uint8_t item[ITEM_BYTES_MAX];
  const unsigned length = info_item(number, item);
  if (length == 0 || length > capacity) return leave_link_host(~0u);
  memcpy(target, item, length);
  return leave_link_host(length);
}
