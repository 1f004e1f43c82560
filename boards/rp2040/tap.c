// SPDX-License-Identifier: MIT
// Taps: a UART that only listens, each character with its time and its errors.
//
// Spec: SPEC.md section 1.3; RP2040 datasheet 2.5, 4.2. No interrupt: one DMA channel moves each character with its
// error bits to a ring and chains to a second one, which puts the microsecond beside it and chains back. So a tap
// loses nothing however long loop, link or other handlers take. The stamp is when the UART has sampled the stop
// bit. One producer (DMA), one consumer (loop); (T1) what the consumer has not taken when GUARD entries are left
// of the ring is lost: the next entry says so.

#include "../host.h"
#include "registers.h"
#include "rp2040.h"

enum { ENTRIES = BOARD_TAP_ENTRIES, TAPS = BOARD_TAPS > 0 ? BOARD_TAPS : 1 };
enum { GUARD = 64, KEPT = ENTRIES - GUARD }; // 0.7 ms at 921,600 baud, more than a copy takes
enum { FLAG_OVERRUN = 8, FLAGS = 15, RX_BY_DMA = 1 };
enum { LAP_SHARE = 900000 }; // of 1,000,000: a sender may be faster than its speed

struct tap {
  uint32_t seen, tail;  // entries that came, entries that were taken; modulo ENTRIES their places
  uint32_t looked_us;   // when `seen` was counted
  uint32_t lap_us;      // KEPT characters do not come in less
  uint32_t lost;        // FLAG_OVERRUN: entries were lost before the one at tail
};
static struct tap taps[TAPS];
__attribute__((aligned(2 * ENTRIES))) static volatile uint16_t characters[TAPS][ENTRIES];
__attribute__((aligned(4 * ENTRIES))) static volatile uint32_t stamps[TAPS][ENTRIES];

// A line that rests low: a pin without a wire rests as the line would.
static bool is_inverted(unsigned tap) { return BOARD_TAPS_INVERTED >> tap & 1; }

static uint32_t address(const volatile void *at) { return (uint32_t)(uintptr_t)at; }

static void start_rings(unsigned tap, unsigned uart) {
  const uint32_t bits = (uint32_t)__builtin_ctz(ENTRIES);
  const uint32_t request = uart == 0 ? DREQ_UART0_RX : DREQ_UART1_RX;
  const uint32_t first = DMA_TAPS + 2 * tap;
  const uint32_t both = DMA_ON | DMA_HIGH_PRIORITY | DMA_INC_WRITE | DMA_QUIET;
  REG(DMA(first + 1) + DMA_READ) = TIMERAWL;
  REG(DMA(first + 1) + DMA_WRITE) = address(stamps[tap]);
  REG(DMA(first + 1) + DMA_COUNT) = 1;
  REG(DMA(first + 1) + DMA_CTRL) = both | DMA_WORD | DMA_WRITE_RING(bits + 2) | DMA_CHAIN(first) |
      DMA_REQUEST(DREQ_NONE);
  REG(DMA(first) + DMA_READ) = UART(uart) + UARTDR;
  REG(DMA(first) + DMA_WRITE) = address(characters[tap]);
  REG(DMA(first) + DMA_COUNT) = 1;
  REG(DMA(first) + DMA_CTRL_TRIG) = both | DMA_HALF | DMA_WRITE_RING(bits + 1) |
      DMA_CHAIN(first + 1) | DMA_REQUEST(request);
}

void set_up_taps(void) {
  for (unsigned i = 0; i < BOARD_TAPS; i++) {
    const struct board_tap *line = &board_taps[i];
    taps[i].lap_us = KEPT * (line->character_bits * (uint32_t)LAP_SHARE / line->baud);
    taps[i].looked_us = REG(TIMERAWL);
    const uint32_t pull = is_inverted(i) ? PAD_PULL_DOWN : PAD_PULL_UP;
    REG(PAD(line->gpio)) = PAD_INPUT | PAD_SCHMITT | pull | PAD_NO_OUTPUT;
    REG(IO_CTRL(line->gpio)) = FUNCTION_UART | (is_inverted(i) ? INPUT_INVERTED : 0);
    start_rings(i, line->uart);
    set_up_uart(line->uart, line->baud, line->line_control);
    REG(UART(line->uart) + UARTDMACR) = RX_BY_DMA;
  }
}

// Counts what came. Loop may be taken away after any store: the worst of it is one overrun more.
static void look(unsigned number) {
  struct tap *tap = &taps[number];
  const uint32_t written = REG(DMA(DMA_TAPS + 2 * number + 1) + DMA_WRITE);
  const uint32_t head = (written - address(stamps[number])) / 4;
  const uint32_t now = REG(TIMERAWL);
  const uint32_t since = now - tap->looked_us;
  uint32_t came = (head - tap->seen) % ENTRIES;
  // The DMA may have gone round unseen: then a place that was to be written late is newer than the latest look.
  if (since >= tap->lap_us && now - stamps[number][(head + GUARD) % ENTRIES] < since)
    came += ENTRIES;
  tap->seen += came;
  tap->looked_us = now;
  if (tap->seen - tap->tail <= KEPT) return;
  tap->lost = FLAG_OVERRUN; // (T1)
  tap->tail = tap->seen - KEPT;
}

// The bits of LCR_H and the length of a character, 0: the UART cannot.
static unsigned shape_of(uint32_t format, uint32_t *control) {
  enum { FIFO_ON = 1 << 4, EVEN = 6, ODD = 2, TWO_STOPS = 8, BITS_7 = 2 << 5, BITS_8 = 3 << 5 };
  static const struct { uint8_t control, bits; } shapes[] = {
    { 0, 0 }, { BITS_7 | EVEN, 10 }, { BITS_7 | ODD, 10 }, { BITS_8, 10 },
    { BITS_8 | EVEN, 11 }, { BITS_8 | ODD, 11 }, { 0, 0 }, { BITS_8 | TWO_STOPS, 11 },
  };
  if (format >= sizeof shapes / sizeof shapes[0]) return 0;
  *control = shapes[format].control | FIFO_ON;
  return shapes[format].bits;
}

// Called by loop, the only consumer. What came at the old rate is dropped.
bool open_tap(unsigned number, uint32_t baud, uint32_t format) {
  enum { INVERTED = 128, RX_EMPTY = 1 << 4, DRAIN_READS = 1000, BAUD_MAX = 921600, BAUD_MIN = 300 };
  if (number >= BOARD_TAPS) return false;
  struct tap *tap = &taps[number];
  const struct board_tap *line = &board_taps[number];
  uint32_t control = 0;
  const unsigned bits = shape_of(format & ~(uint32_t)INVERTED, &control);
  if (baud != 0 && (bits == 0 || baud < BAUD_MIN || baud > BAUD_MAX)) return false;
  REG(UART(line->uart) + UARTCR) = 0;
  // The DMA empties the FIFO within some hundred cycles.
  for (unsigned i = 0; i < DRAIN_READS; i++)
    if (REG(UART(line->uart) + UARTFR) & RX_EMPTY) break;
  const bool turned = baud != 0 && ((format & INVERTED) != 0) != is_inverted(number);
  REG(IO_CTRL(line->gpio)) = FUNCTION_UART | (turned ? INPUT_INVERTED : 0);
  const uint32_t written = REG(DMA(DMA_TAPS + 2 * number + 1) + DMA_WRITE);
  tap->seen = tap->tail = (written - address(stamps[number])) / 4;
  tap->looked_us = REG(TIMERAWL);
  tap->lost = 0;
  if (baud == 0) return true;
  tap->lap_us = KEPT * (bits * (uint32_t)LAP_SHARE / baud);
  set_up_uart(line->uart, baud, control);
  return true;
}

unsigned take_tap(unsigned number, uint8_t *target, unsigned entries) {
  if (number >= BOARD_TAPS) return 0;
  struct tap *tap = &taps[number];
  look(number);
  const uint32_t waiting = tap->seen - tap->tail;
  const unsigned count = waiting < entries ? waiting : entries;
  if (count == 0) return 0;
  for (unsigned i = 0; i < count; i++) {
    const uint32_t place = (tap->tail + i) % ENTRIES;
    const uint32_t stamp = stamps[number][place], data = characters[number][place];
    for (unsigned k = 0; k < 4; k++) target[8 * i + k] = (uint8_t)(stamp >> (8 * k));
    target[8 * i + 4] = (uint8_t)data;
    target[8 * i + 5] = (uint8_t)(data >> 8 & FLAGS); // framing, parity, break, overrun: as SPEC.md has them
    target[8 * i + 6] = target[8 * i + 7] = 0;
  }
  target[5] |= (uint8_t)tap->lost;
  barrier();
  tap->tail += count;
  tap->lost = 0;
  return count;
}
