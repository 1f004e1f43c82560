// SPDX-License-Identifier: MIT
// Ring and mailbox: records from one thread to the other, without a lock.
//
// One producer and one consumer each. head and tail only grow; their difference is how many wait. A full
// channel takes nothing: who puts counts what is dropped.

#include "posix.h"
#include <string.h>

struct channel ring = { .records = RING_RECORDS };
struct channel mailbox = { .records = MAILBOX_RECORDS };

bool channel_put(struct channel *channel, const uint8_t *octets, unsigned length) {
  const unsigned head = atomic_load_explicit(&channel->head, memory_order_relaxed);
  const unsigned tail = atomic_load_explicit(&channel->tail, memory_order_acquire);
  if (head - tail >= channel->records || length == 0 || length > RECORD_MAX) return false;
  const unsigned at = head % channel->records;
  channel->lengths[at] = (uint8_t)length;
  memcpy(channel->octets[at], octets, length);
  atomic_store_explicit(&channel->head, head + 1, memory_order_release);
  return true;
}

unsigned channel_next(struct channel *channel) {
  const unsigned tail = atomic_load_explicit(&channel->tail, memory_order_relaxed);
  if (atomic_load_explicit(&channel->head, memory_order_acquire) == tail) return 0;
  return channel->lengths[tail % channel->records];
}

unsigned channel_take(struct channel *channel, uint8_t *octets) {
  const unsigned length = channel_next(channel);
  if (length == 0) return 0;
  const unsigned tail = atomic_load_explicit(&channel->tail, memory_order_relaxed);
  memcpy(octets, channel->octets[tail % channel->records], length);
  channel_skip(channel);
  return length;
}

void channel_skip(struct channel *channel) {
  atomic_fetch_add_explicit(&channel->tail, 1, memory_order_release);
}
