// SPDX-License-Identifier: MIT
// Ring and mailbox: records from loop to link and back, without a lock.
//
// One producer and one consumer each, threads or priorities. A record is a word with its length and then its octets,
// in whole words; what does not fit at the end of the room goes on at its start. head == tail: nothing waits, so one
// word stays free. A full channel takes nothing: who puts counts what is dropped. Either side may be taken away before
// its last store: nothing happened. Only loads and stores are atomic: a Cortex-M0+ has nothing more.

#include "hooks.h"

enum { WORD = 4 };

static uint32_t ring_room[RING_BYTES / WORD], mailbox_room[MAILBOX_BYTES / WORD];
struct channel ring = { 0, 0, 0, sizeof ring_room, ring_room };
struct channel mailbox = { 0, 0, 0, sizeof mailbox_room, mailbox_room };

static uint32_t mine(const uint32_t *place) { return __atomic_load_n(place, __ATOMIC_RELAXED); }
static uint32_t theirs(const uint32_t *place) { return __atomic_load_n(place, __ATOMIC_ACQUIRE); }

static uint32_t words(uint32_t octets) { return (octets + WORD - 1) / WORD * WORD; }
static uint32_t after(const struct channel *channel, uint32_t at, uint32_t octets) {
  return at + octets < channel->bytes ? at + octets : at + octets - channel->bytes;
}

// How many of the octets from `at` on lie before the end of the room.
static uint32_t before_end(const struct channel *channel, uint32_t at, uint32_t octets) {
  return channel->bytes - at < octets ? channel->bytes - at : octets;
}

bool channel_put(struct channel *channel, const uint8_t *octets, unsigned length) {
  const uint32_t head = mine(&channel->head), tail = theirs(&channel->tail);
  const uint32_t waiting = head >= tail ? head - tail : head + channel->bytes - tail;
  if (length == 0 || length > RECORD_MAX) return false;
  const uint32_t then = waiting + WORD + words(length);
  if (then >= channel->bytes) return false;
  if (then > channel->most) channel->most = then;
  const uint32_t at = after(channel, head, WORD);
  const uint32_t part = before_end(channel, at, length);
  channel->room[head / WORD] = length;
  memcpy((uint8_t *)channel->room + at, octets, part);
  memcpy(channel->room, octets + part, length - part);
  __atomic_store_n(&channel->head, after(channel, at, words(length)), __ATOMIC_RELEASE);
  return true;
}

unsigned channel_next(const struct channel *channel) {
  const uint32_t tail = mine(&channel->tail);
  return theirs(&channel->head) == tail ? 0 : channel->room[tail / WORD];
}

unsigned channel_take(struct channel *channel, uint8_t *octets) {
  const unsigned length = channel_next(channel);
  if (length == 0) return 0;
  const uint32_t at = after(channel, mine(&channel->tail), WORD);
  const uint32_t part = before_end(channel, at, length);
  memcpy(octets, (const uint8_t *)channel->room + at, part);
  memcpy(octets + part, channel->room, length - part);
  channel_skip(channel);
  return length;
}

void channel_skip(struct channel *channel) {
  const uint32_t taken = WORD + words(channel_next(channel));
  __atomic_store_n(&channel->tail, after(channel, mine(&channel->tail), taken), __ATOMIC_RELEASE);
}
