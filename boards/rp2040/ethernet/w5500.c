// SPDX-License-Identifier: MIT
// The W5500: frames, registers, two UDP sockets.
//
// Spec: data sheet 1.0.9, 2.2 (frames), 4.1, 4.2 (registers). A command is given only when CR reads 0. Sizes change while
// they are read: two equal readings hold. Pointers have 16 bits and wrap. What the chip says of lengths is checked.

#include "memory.h"
#include "registers.h"
#include "rp2040.h"
#include "ethernet.h"

enum { // common registers
  GAR = 0x01, SUBR = 0x05, SHAR = 0x09, SIPR = 0x0f, IR = 0x15, SIMR = 0x18, RTR = 0x19, RCR = 0x1b,
  PHYCFGR = 0x2e, VERSIONR = 0x39, VERSION = 4, IR_CONFLICT = 0x80, PHY_LINK = 1,
};
enum { // socket registers
  S_MR = 0x00, S_CR = 0x01, S_IR = 0x02, S_SR = 0x03, S_PORT = 0x04, S_DHAR = 0x06, S_DIPR = 0x0c,
  S_DPORT = 0x10, S_RXBUF = 0x1e, S_TXBUF = 0x1f, S_TX_FSR = 0x20, S_TX_WR = 0x24, S_RX_RSR = 0x26,
  S_RX_RD = 0x28, S_IMR = 0x2c,
  OPEN = 0x01, SEND = 0x20, SEND_MAC = 0x21, RECV = 0x40, MODE_UDP = 2, STATUS_UDP = 0x22,
  SENT = 0x10, TIMED_OUT = 0x08, RECEIVED = 0x04,
};
enum {
  SOCKETS = 8, HEADER = 8, READS_MAX = 8,
  ARP_PERIOD = 1000,    // RTR, in 100 us: who is there answers within 1 ms
  ARP_REPEATS = 2,      // RCR: nobody is there after 300 ms
  STUCK_US = 2000000,   // a SEND that neither ends nor times out
};
static const uint8_t kib_rx[SOCKETS] = { 8, 2 }, kib_tx[SOCKETS] = { 4, 2 };
static struct { bool sending; uint32_t since_us; } sockets[SOCKETS_USED];

// ---- frames (2.2): address, control, data with increment
enum block { BLOCK_COMMON, BLOCK_SOCKET, BLOCK_TX, BLOCK_RX };

static void frame(unsigned block, unsigned address, bool writes, const uint8_t *out, uint8_t *in,
                  unsigned length) {
  const uint8_t head[3] = { (uint8_t)(address >> 8), (uint8_t)address,
                            (uint8_t)(block << 3 | (writes ? 4 : 0)) };
  select_chip(true);
  exchange_octets(head, NULL, sizeof head);
  exchange_octets(out, in, length);
  select_chip(false);
}
static unsigned block_of(unsigned socket, enum block part) { return 4 * socket + part; }

static uint32_t read_number(unsigned block, unsigned address, unsigned octets) {
  uint8_t in[4];
  uint32_t value = 0;
  frame(block, address, false, NULL, in, octets);
  for (unsigned i = 0; i < octets; i++) value = value << 8 | in[i];
  return value;
}
static void write_number(unsigned block, unsigned address, unsigned octets, uint32_t value) {
  uint8_t out[4];
  for (unsigned i = 0; i < octets; i++) out[i] = (uint8_t)(value >> (8 * (octets - 1 - i)));
  frame(block, address, true, out, NULL, octets);
}
static uint32_t read_socket(unsigned socket, unsigned address, unsigned octets) {
  return read_number(block_of(socket, BLOCK_SOCKET), address, octets);
}
static void write_socket(unsigned socket, unsigned address, unsigned octets, uint32_t value) {
  write_number(block_of(socket, BLOCK_SOCKET), address, octets, value);
}

// A size of two octets; the last reading when no two agree, which the next call mends.
static uint32_t read_size(unsigned socket, unsigned address) {
  uint32_t last = read_socket(socket, address, 2);
  for (unsigned i = 0; i < READS_MAX; i++) {
    const uint32_t now = read_socket(socket, address, 2);
    if (now == last) break;
    last = now;
  }
  return last;
}

// ---- the chip
void hold_reset(bool held) {
  REG(held ? SIO_OUT_CLR : SIO_OUT_SET) = BIT(BOARD_W5500_RESET);
  REG(SIO_OE_SET) = BIT(BOARD_W5500_RESET);
  REG(IO_CTRL(BOARD_W5500_RESET)) = FUNCTION_SIO;
}

bool chip_answers(void) { return read_number(BLOCK_COMMON, VERSIONR, 1) == VERSION; }

bool chip_wants_us(void) { return !(REG(SIO_GPIO_IN) & BIT(BOARD_W5500_INTERRUPT)); }

// Buffers that shrink come first: the sum may never be more than 16 KiB.
void set_up_chip(const uint8_t mac[6]) {
  for (unsigned socket = SOCKETS; socket-- > 0;) {
    write_socket(socket, S_RXBUF, 1, kib_rx[socket]);
    write_socket(socket, S_TXBUF, 1, kib_tx[socket]);
  }
  frame(BLOCK_COMMON, SHAR, true, mac, NULL, 6);
  write_number(BLOCK_COMMON, RTR, 2, ARP_PERIOD);
  write_number(BLOCK_COMMON, RCR, 1, ARP_REPEATS);
  write_number(BLOCK_COMMON, SIMR, 1, BIT(SOCKETS_USED) - 1);
  memset(sockets, 0, sizeof sockets);
}

// Without an address every destination counts as near: the gateway is asked for nothing.
void set_addressing(const struct addressing *addressing) {
  const bool none = addressing->address == 0;
  write_number(BLOCK_COMMON, GAR, 4, none ? 0 : addressing->router);
  write_number(BLOCK_COMMON, SUBR, 4, none ? 0 : addressing->mask);
  write_number(BLOCK_COMMON, SIPR, 4, addressing->address);
}

bool cable_is_up(void) { return read_number(BLOCK_COMMON, PHYCFGR, 1) & PHY_LINK; }

bool address_conflicts(void) {
  if (!(read_number(BLOCK_COMMON, IR, 1) & IR_CONFLICT)) return false;
  write_number(BLOCK_COMMON, IR, 1, IR_CONFLICT);
  return true;
}

// ---- sockets
static bool is_free(unsigned socket) { return read_socket(socket, S_CR, 1) == 0; }

bool open_socket(unsigned socket, uint16_t port) {
  if (!is_free(socket)) return false;
  write_socket(socket, S_MR, 1, MODE_UDP);
  write_socket(socket, S_PORT, 2, port);
  write_socket(socket, S_IMR, 1, SENT | TIMED_OUT | RECEIVED);
  write_socket(socket, S_CR, 1, OPEN);
  sockets[socket].sending = false;
  return true;
}

bool sockets_are_open(void) {
  for (unsigned socket = 0; socket < SOCKETS_USED; socket++)
    if (read_socket(socket, S_SR, 1) != STATUS_UDP) return false;
  return true;
}

static bool is_group(uint32_t address) { return address >> 28 == 14; }

bool start_sending(unsigned socket, struct endpoint to, const uint8_t *octets, unsigned length) {
  if (sockets[socket].sending || !is_free(socket)) return false;
  if (read_size(socket, S_TX_FSR) < length) return false;
  const uint32_t at = read_socket(socket, S_TX_WR, 2);
  if (is_group(to.address)) { // RFC 1112, 6.4
    const uint32_t low = to.address & 0x7fffff;
    write_socket(socket, S_DHAR, 2, 0x0100);
    write_socket(socket, S_DHAR + 2, 4, 0x5e000000u | low);
  }
  write_socket(socket, S_DIPR, 4, to.address);
  write_socket(socket, S_DPORT, 2, to.port);
  frame(block_of(socket, BLOCK_TX), at, true, octets, NULL, length);
  write_socket(socket, S_TX_WR, 2, at + length);
  write_socket(socket, S_CR, 1, is_group(to.address) ? SEND_MAC : SEND);
  sockets[socket].sending = true;
  sockets[socket].since_us = REG(TIMERAWL);
  return true;
}

enum sending look_at_sending(unsigned socket) {
  if (!sockets[socket].sending) return SENDING_NOTHING;
  const uint32_t bits = read_socket(socket, S_IR, 1) & (SENT | TIMED_OUT);
  if (bits == 0)
    return REG(TIMERAWL) - sockets[socket].since_us < STUCK_US ? SENDING_GOES_ON : SENDING_STUCK;
  write_socket(socket, S_IR, 1, bits);
  sockets[socket].sending = false;
  return bits & SENT ? SENDING_DONE : SENDING_NOBODY;
}

// The bit is cleared first: RECV sets it again when there is more.
enum taking take_from_chip(unsigned socket, struct endpoint *from, uint8_t *octets,
                           unsigned *length) {
  uint8_t head[HEADER];
  const unsigned buffer = block_of(socket, BLOCK_RX);
  if (!is_free(socket)) return TAKEN_NOT_YET;
  write_socket(socket, S_IR, 1, RECEIVED);
  const uint32_t waiting = read_size(socket, S_RX_RSR);
  if (waiting == 0) return TAKEN_NOTHING;
  if (waiting < HEADER || waiting > kib_rx[socket] * 1024u) return TAKEN_BROKEN;
  const uint32_t at = read_socket(socket, S_RX_RD, 2);
  frame(buffer, at, false, NULL, head, HEADER);
  const unsigned octets_there = (unsigned)head[6] << 8 | head[7];
  if (octets_there > waiting - HEADER) return TAKEN_BROKEN;
  const bool fits = octets_there <= *length;
  if (fits) frame(buffer, at + HEADER, false, NULL, octets, octets_there);
  from->address = (uint32_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
  from->port = (uint16_t)(head[4] << 8 | head[5]);
  *length = octets_there;
  write_socket(socket, S_RX_RD, 2, at + HEADER + octets_there);
  write_socket(socket, S_CR, 1, RECV);
  return fits ? TAKEN_WHOLE : TAKEN_TOO_LONG;
}
