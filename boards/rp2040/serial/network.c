// SPDX-License-Identifier: MIT
// Datagrams over a serial line: 00, COBS of message and CRC-32C, 00.
//
// A damaged frame costs itself: the next 00 begins anew. Peer 0 (who listens for SEARCHGW) and peer 1 are both the
// other end of the line. The interrupt moves octets between FIFOs and two rings; link does the rest.

#include "memory.h"
#include "registers.h"
#include "rp2040.h"

enum { LINE_OCTETS = 1024, FRAME_MAX = DATAGRAM_MAX + 4, CRC_OCTETS = 4, BLOCK = 254 };

struct line { volatile uint32_t head, tail; uint8_t octets[LINE_OCTETS]; };
static struct line received, to_send;
static volatile uint32_t ends; // 00 octets received
static uint32_t ends_seen;

void set_up_network(void) {
  identity.gateway_count = 1; // the other end of the line
  REG(PAD(BOARD_TRANSPORT_RX)) = PAD_INPUT | PAD_SCHMITT | PAD_PULL_UP | PAD_NO_OUTPUT;
  REG(IO_CTRL(BOARD_TRANSPORT_RX)) = FUNCTION_UART;
  set_up_uart(BOARD_TRANSPORT_UART, BOARD_TRANSPORT_BAUD, 3u << 5 | BIT(4)); // 8N1, FIFOs
  REG(IO_CTRL(BOARD_TRANSPORT_TX)) = FUNCTION_UART;
}

void network_interrupt(void) {
  const uint32_t uart = UART(BOARD_TRANSPORT_UART);
  REG(uart + UARTICR) = UART_TIMEOUT | UART_RX | UART_TX;
  while (!(REG(uart + UARTFR) & FR_RX_EMPTY)) {
    const uint32_t head = received.head;
    const uint8_t octet = (uint8_t)REG(uart + UARTDR);
    if (head - received.tail >= LINE_OCTETS) continue; // the frame's CRC will tell
    received.octets[head % LINE_OCTETS] = octet;
    received.head = head + 1;
    if (octet == 0) ends++;
  }
  while (to_send.tail != to_send.head && !(REG(uart + UARTFR) & FR_TX_FULL)) {
    REG(uart + UARTDR) = to_send.octets[to_send.tail % LINE_OCTETS];
    to_send.tail++;
  }
}

// Octets of a COBS frame; false: there is no room.
static bool put_frame(const uint8_t *octets, unsigned length) {
  uint32_t head = to_send.head;
  uint32_t code_at = head + 1;
  if (LINE_OCTETS - (head - to_send.tail) < length + length / BLOCK + 3) return false;
  to_send.octets[head++ % LINE_OCTETS] = 0;
  head++;
  for (unsigned i = 0; i < length; i++) {
    if (octets[i] != 0) to_send.octets[head++ % LINE_OCTETS] = octets[i];
    const bool full = head - code_at == BLOCK + 1;
    if (octets[i] != 0 && !(full && i + 1 < length)) continue;
    to_send.octets[code_at % LINE_OCTETS] = (uint8_t)(head - code_at);
    code_at = head++;
  }
  to_send.octets[code_at % LINE_OCTETS] = (uint8_t)(head - code_at);
  to_send.octets[head++ % LINE_OCTETS] = 0;
  barrier();
  to_send.head = head;
  return true;
}

bool send_datagram(uint32_t peer, const uint8_t *octets, unsigned length) {
  static uint8_t frame[FRAME_MAX];
  if (peer > 1 || length == 0 || length > DATAGRAM_MAX) return false;
  memcpy(frame, octets, length);
  const uint32_t crc = crc32c(octets, length);
  for (unsigned i = 0; i < CRC_OCTETS; i++) frame[length + i] = (uint8_t)(crc >> (8 * i));
  if (!put_frame(frame, length + CRC_OCTETS)) return false;
  REG(NVIC_ISPR) = BIT(IRQ_UART0 + BOARD_TRANSPORT_UART); // the interrupt alone writes the FIFO
  return true;
}

// The frame that is being received: octets so far, and what is left of the block.
static struct {
  uint8_t octets[FRAME_MAX];
  unsigned length, left;
  bool zero_owed, bad, begun;
} frame;

static void begin_frame(void) {
  frame.length = frame.left = 0;
  frame.zero_owed = frame.bad = frame.begun = false;
}

static void add_octet(uint8_t octet) {
  if (frame.length < FRAME_MAX) frame.octets[frame.length++] = octet;
  else frame.bad = true;
}

static void take_octet(uint8_t octet) {
  if (frame.left > 0) {
    frame.left--;
    add_octet(octet);
    return;
  }
  if (frame.zero_owed) add_octet(0);
  frame.left = octet - 1u;
  frame.zero_owed = octet != BLOCK + 1;
  frame.begun = true;
}

// Length of the message when a whole frame ended, 0: nothing of use.
static unsigned end_frame(void) {
  const unsigned length = frame.length - CRC_OCTETS;
  uint32_t crc = 0;
  if (!frame.begun || frame.bad || frame.left > 0 || frame.length <= CRC_OCTETS) return 0;
  for (unsigned i = 0; i < CRC_OCTETS; i++) crc |= (uint32_t)frame.octets[length + i] << (8 * i);
  return crc == crc32c(frame.octets, length) ? length : 0;
}

unsigned receive_datagram(uint8_t *octets, unsigned capacity, uint32_t *peer) {
  while (received.tail != received.head) {
    const uint8_t octet = received.octets[received.tail % LINE_OCTETS];
    barrier();
    received.tail++;
    if (octet != 0) {
      take_octet(octet);
      continue;
    }
    ends_seen++;
    const unsigned length = end_frame();
    begin_frame();
    if (length == 0 || length > capacity) continue;
    memcpy(octets, frame.octets, length);
    *peer = 1;
    return length;
  }
  return 0;
}

bool datagram_waits(void) {
  return ends != ends_seen || received.head - received.tail > LINE_OCTETS / 2;
}

// The interrupt does what there is to do.
uint32_t work_network(void) { return NETWORK_RESTS; }
