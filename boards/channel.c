// SPDX-License-Identifier: MIT
// Ring and mailbox: records from loop to link and back, without a lock.
//
// One producer and one consumer each, threads or priorities. A record is a word with its length and then its octets,
// in whole words; what does not fit at the end of the room goes on at its start. head and tail only grow; their
// difference is how many octets wait. A full channel takes nothing: who puts counts what is dropped. Either side may be
// taken away before its last store: nothing happened. Only loads and stores are atomic: a Cortex-M0+ has nothing more.

#include "hooks.h"

enum { WORD = 4, MAILBOX_LIMIT = MAILBOX_RECORDS * (WORD + 16) }; // of SPEC.md section 1.7

static uint32_t ring_room[RING_BYTES / WORD], mailbox_room[MAILBOX_BYTES / WORD];
struct channel ring = { 0, 0, 0, RING_BYTES, RING_BYTES - 1, ring_room };
struct channel mailbox = { 0, 0, 0, MAILBOX_LIMIT, MAILBOX_BYTES - 1, mailbox_room };

static uint32_t mine(const uint32_t *place) { return __atomic_load_n(place, __ATOMIC_RELAXED); }
static uint32_t theirs(const uint32_t *place) { return __atomic_load_n(place, __ATOMIC_ACQUIRE); }

static uint32_t words(uint32_t octets) { return (octets + WORD - 1) / WORD * WORD; }
static uint8_t *place(const struct channel *channel, uint32_t at) {
  return (uint8_t *)channel->room + (at & channel->mask);
}

// How many of the octets from `at` on lie before the end of the room.
static uint32_t before_end(const struct channel *channel, uint32_t at, uint32_t octets) {
  const uint32_t left = channel->mask + 1 - (at & channel->mask);
  return left < octets ? left : octets;
}

bool channel_put(struct channel *channel, const uint8_t *octets, unsigned length) {
  const uint32_t head = mine(&channel->head);
  const uint32_t then = head + WORD + words(length);
  const uint32_t waiting = then - theirs(&channel->tail);
  if (length == 0 || length > RECORD_MAX || waiting > channel->limit) return false;
  if (waiting > channel->most) channel->most = waiting;
  const uint32_t part = before_end(channel, head + WORD, length);
  *(uint32_t *)place(channel, head) = length;
  memcpy(place(channel, head + WORD), octets, part);
  memcpy(channel->room, octets + part, length - part);
  __atomic_store_n(&channel->head, then, __ATOMIC_RELEASE);
  return true;
}

unsigned channel_next(const struct channel *channel) {
  const uint32_t tail = mine(&channel->tail);
  return theirs(&channel->head) == tail ? 0 : *(const uint32_t *)place(channel, tail);
}

unsigned channel_take(struct channel *channel, uint8_t *octets) {
  const unsigned length = channel_next(channel);
  if (length == 0) return 0;
  const uint32_t at = mine(&channel->tail) + WORD;
  const uint32_t part = before_end(channel, at, length);
  memcpy(octets, place(channel, at), part);
  memcpy(octets + part, channel->room, length - part);
  channel_skip(channel);
  return length;
}

void channel_skip(struct channel *channel) {
  const uint32_t then = mine(&channel->tail) + WORD + words(channel_next(channel));
  __atomic_store_n(&channel->tail, then, __ATOMIC_RELEASE);
}
