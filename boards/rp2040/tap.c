// SPDX-License-Identifier: MIT
// Taps: a UART that only listens, each character with its time and its errors.
//
// Spec: SPEC.md section 1.3; RP2040 datasheet 4.2. The FIFO asks at 4 characters or after 32 bits of silence; those
// taken together are stamped as sent without a gap, the last one now or 32 bits ago. A gap of 3.5 characters is
// longer than 32 bits, so it always shows. One producer (priority 2), one consumer (loop).

#include "../host.h"
#include "registers.h"
#include "rp2040.h"

enum { FLAG_OVERRUN = 8, DR_OVERRUN = 2048, SILENCE_BITS = 32, CHARACTERS_MAX = 64 };

struct entry { uint32_t time_us; uint8_t octet, flags; uint16_t none; };
struct tap {
  volatile uint32_t head, tail;
  uint32_t last_us; // end of the latest character
  uint32_t character_us, silence_us;
  uint8_t lost;     // FLAG_OVERRUN when characters were lost since the latest entry
  struct entry entries[BOARD_TAP_ENTRIES];
};
static struct tap taps[BOARD_TAPS > 0 ? BOARD_TAPS : 1];

// DR 8 framing, 9 parity, 10 break, 11 overrun: the flags of SPEC.md in the same order.
static void put(struct tap *tap, uint32_t end_us, uint32_t data) {
  const uint32_t head = tap->head;
  const uint8_t flags = (uint8_t)(data >> 8 & 15);
  if (head - tap->tail >= BOARD_TAP_ENTRIES) {
    tap->lost = FLAG_OVERRUN;
    return;
  }
  struct entry *entry = &tap->entries[head % BOARD_TAP_ENTRIES];
  entry->time_us = end_us;
  entry->octet = (uint8_t)data;
  entry->flags = flags | tap->lost;
  tap->lost = 0;
  barrier();
  tap->head = head + 1;
}

static void hear(struct tap *tap, uint32_t uart) {
  uint32_t data[CHARACTERS_MAX];
  unsigned count = 0;
  const uint32_t status = REG(UART(uart) + UARTMIS);
  uint32_t now = REG(TIMERAWL);
  while (count < CHARACTERS_MAX && !(REG(UART(uart) + UARTFR) & FR_RX_EMPTY))
    data[count++] = REG(UART(uart) + UARTDR);
  REG(UART(uart) + UARTICR) = UART_TIMEOUT | UART_RX;
  if (count == 0) return;
  if ((status & (UART_TIMEOUT | UART_RX)) == UART_TIMEOUT) now -= tap->silence_us;
  uint32_t end = now - (count - 1) * tap->character_us;
  for (unsigned i = 0; i < count; i++, end += tap->character_us) {
    if ((int32_t)(end - tap->last_us) > 0) tap->last_us = end; // never back
    put(tap, tap->last_us, data[i]);
  }
}

bool tap_interrupt(unsigned uart) {
  for (unsigned i = 0; i < BOARD_TAPS; i++) {
    if (board_taps[i].uart != uart) continue;
    hear(&taps[i], uart);
    return true;
  }
  return false;
}

void set_up_taps(void) {
  for (unsigned i = 0; i < BOARD_TAPS; i++) {
    const struct board_tap *line = &board_taps[i];
    taps[i].character_us = (line->character_bits * 1000000u + line->baud / 2) / line->baud;
    taps[i].silence_us = SILENCE_BITS * 1000000u / line->baud;
    taps[i].last_us = REG(TIMERAWL);
    REG(PAD(line->gpio)) = PAD_INPUT | PAD_SCHMITT | PAD_PULL_UP | PAD_NO_OUTPUT;
    REG(IO_CTRL(line->gpio)) = FUNCTION_UART;
    set_up_uart(line->uart, line->baud, line->line_control);
  }
}

unsigned take_tap(unsigned number, uint8_t *target, unsigned entries) {
  if (number >= BOARD_TAPS) return 0;
  struct tap *tap = &taps[number];
  const uint32_t tail = tap->tail;
  const uint32_t waiting = tap->head - tail;
  const unsigned count = waiting < entries ? waiting : entries;
  barrier();
  for (unsigned i = 0; i < count; i++) {
    const struct entry *entry = &tap->entries[(tail + i) % BOARD_TAP_ENTRIES];
    for (unsigned k = 0; k < 4; k++) target[8 * i + k] = (uint8_t)(entry->time_us >> (8 * k));
    target[8 * i + 4] = entry->octet;
    target[8 * i + 5] = entry->flags;
    target[8 * i + 6] = target[8 * i + 7] = 0;
  }
  barrier();
  tap->tail = tail + count;
  return count;
}
