// SPDX-License-Identifier: MIT
// Ring and mailbox: records from loop to link and back, without a lock.
//
// One producer and one consumer each, whatever their priorities. head and tail only grow; their difference is how
// many wait. A full channel takes nothing. Either side may be taken away before its last store: nothing happened.

#include "memory.h"
#include "rp2040.h"

static uint8_t ring_lengths[RING_RECORDS], ring_octets[RING_RECORDS][RECORD_MAX];
static uint8_t mailbox_lengths[MAILBOX_RECORDS], mailbox_octets[MAILBOX_RECORDS][RECORD_MAX];
struct channel ring = { 0, 0, RING_RECORDS - 1, ring_lengths, ring_octets };
struct channel mailbox = { 0, 0, MAILBOX_RECORDS - 1, mailbox_lengths, mailbox_octets };

bool channel_put(struct channel *channel, const uint8_t *octets, unsigned length) {
  const uint32_t head = channel->head;
  if (head - channel->tail > channel->mask || length == 0 || length > RECORD_MAX) return false;
  channel->lengths[head & channel->mask] = (uint8_t)length;
  memcpy(channel->octets[head & channel->mask], octets, length);
  barrier();
  channel->head = head + 1;
  return true;
}

// Length of the oldest record, 0: none.
unsigned channel_next(const struct channel *channel) {
  const uint32_t tail = channel->tail;
  if (channel->head == tail) return 0;
  barrier();
  return channel->lengths[tail & channel->mask];
}

unsigned channel_take(struct channel *channel, uint8_t *octets) {
  const unsigned length = channel_next(channel);
  const uint32_t tail = channel->tail;
  if (length == 0) return 0;
  memcpy(octets, channel->octets[tail & channel->mask], length);
  barrier();
  channel->tail = tail + 1;
  return length;
}
