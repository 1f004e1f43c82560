// SPDX-License-Identifier: MIT
// Edges of a tap that finds its line, as loop wants them.
//
// Spec: SPEC.md section 1.1 (edge_take). The capture of edges.c begins with the first call and is that of the tap's
// own pin, which keeps its function. (F1) a distance that is not known, as the first one, or after a loss, or after
// a silence that the counts may have wrapped in, is as long as can be.

#include "rp2040.h"

enum { TAPS = BOARD_TAPS > 0 ? BOARD_TAPS : 1, PART = 32 };
enum { SILENCE_US = 30000000 }; // counts of 16 ns fit 31 bits for 34 s
static const uint32_t unknown = 0x7fffffff, level_bit = 0x80000000;

struct finder {
  uint32_t counts;  // of the latest edge
  uint32_t seen_us; // when it was taken
  bool runs;
};
static struct finder finders[TAPS];

static uint32_t distance(const struct finder *finder, const struct edge *edge, uint32_t now_us) {
  if ((edge->flags & EDGE_LOST) != 0 || now_us - finder->seen_us > SILENCE_US) return unknown;
  const uint32_t counts = edge->counts - finder->counts;
  return counts < unknown ? counts : unknown;
}

int32_t take_tap_edges(unsigned number, uint8_t *target, unsigned capacity) {
  if (number >= BOARD_TAPS || number >= EDGE_INPUTS) return -1;
  struct finder *finder = &finders[number];
  const uint32_t now_us = (uint32_t)clock_us();
  if (!finder->runs) {
    start_edges(number, board_taps[number].gpio);
    *finder = (struct finder){ .runs = true, .seen_us = now_us - SILENCE_US - 1 };
  }
  unsigned taken = 0;
  for (unsigned count = PART; taken < capacity && count == PART;) {
    struct edge edges[PART];
    const unsigned wanted = capacity - taken < PART ? capacity - taken : PART;
    count = take_edges(number, edges, wanted);
    for (unsigned i = 0; i < count; i++) {
      const uint32_t before = edges[i].level ? 0 : level_bit;
      const uint32_t entry = before | distance(finder, &edges[i], now_us);
      for (unsigned k = 0; k < 4; k++) target[4 * (taken + i) + k] = (uint8_t)(entry >> (8 * k));
      finder->counts = edges[i].counts;
      finder->seen_us = now_us;
    }
    taken += count;
  }
  return (int32_t)taken;
}
