// SPDX-License-Identifier: MIT
// Ring and mailbox: records from loop to link and back, without a lock.

#ifndef CHANNEL_H
#define CHANNEL_H
#include <stdbool.h>
#include <stdint.h>

enum {
  RECORD_MAX = 76,     // SPEC.md section 1.4
  MAILBOX_RECORDS = 8, // SPEC.md section 1.7
  MAILBOX_BYTES = 256, // a power of two that holds so many of 20 octets
};

struct channel {
  uint32_t head, tail; // octets written, octets taken
  uint32_t most;       // octets that ever waited
  uint32_t limit;      // octets that may wait
  uint32_t mask;       // of the room: a power of two, less one
  uint32_t *room;
};
extern struct channel ring, mailbox;
bool channel_put(struct channel *channel, const uint8_t *octets, unsigned length);
unsigned channel_next(const struct channel *channel); // length of the oldest, 0: none
unsigned channel_take(struct channel *channel, uint8_t *octets);
void channel_skip(struct channel *channel);

#endif
