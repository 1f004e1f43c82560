// SPDX-License-Identifier: MIT
// Ring and mailbox: records from loop to link and back, without a lock.
//
// One producer and one consumer each, threads or priorities. head and tail only grow; their difference is how many
// wait. A full channel takes nothing: who puts counts what is dropped. Either side may be taken away before its last
// store: nothing happened. Only loads and stores are atomic: a Cortex-M0+ has nothing more.

#include "hooks.h"

static uint8_t ring_lengths[RING_RECORDS], ring_octets[RING_RECORDS][RECORD_MAX];
static uint8_t mailbox_lengths[MAILBOX_RECORDS], mailbox_octets[MAILBOX_RECORDS][RECORD_MAX];
struct channel ring = { 0, 0, RING_RECORDS - 1, ring_lengths, ring_octets };
struct channel mailbox = { 0, 0, MAILBOX_RECORDS - 1, mailbox_lengths, mailbox_octets };

static uint32_t mine(const uint32_t *count) { return __atomic_load_n(count, __ATOMIC_RELAXED); }
static uint32_t theirs(const uint32_t *count) { return __atomic_load_n(count, __ATOMIC_ACQUIRE); }
static void move_on(uint32_t *count) {
  __atomic_store_n(count, mine(count) + 1, __ATOMIC_RELEASE);
}

bool channel_put(struct channel *channel, const uint8_t *octets, unsigned length) {
  const uint32_t head = mine(&channel->head);
  const uint32_t waiting = head - theirs(&channel->tail);
  if (waiting > channel->mask || length == 0 || length > RECORD_MAX) return false;
  channel->lengths[head & channel->mask] = (uint8_t)length;
  memcpy(channel->octets[head & channel->mask], octets, length);
  move_on(&channel->head);
  return true;
}

unsigned channel_next(const struct channel *channel) {
  const uint32_t tail = mine(&channel->tail);
  return theirs(&channel->head) == tail ? 0 : channel->lengths[tail & channel->mask];
}

unsigned channel_take(struct channel *channel, uint8_t *octets) {
  const unsigned length = channel_next(channel);
  if (length == 0) return 0;
  memcpy(octets, channel->octets[mine(&channel->tail) & channel->mask], length);
  channel_skip(channel);
  return length;
}

void channel_skip(struct channel *channel) { move_on(&channel->tail); }
