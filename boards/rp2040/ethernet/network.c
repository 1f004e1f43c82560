// SPDX-License-Identifier: MIT
// Datagrams through the W5500: the chip's life, the address, peers by number.
//
// Spec: SPEC.md section 1.2, peers; section 7, group 239.255.77.78, port 10000. Link's context only, the interrupt but
// wakes it. Nothing waits: work_network() does what is due and says when it wants to be called again. A chip that does
// not answer, or whose SEND does not end, is reset. Every datagram that is lost here is counted.
//
//   HELD (reset low) -1 ms-> STARTS -version 4-> RUNS -stuck, nonsense-> HELD

#include "dhcp.h"
#include "ethernet.h"
#include "memory.h"
#include "registers.h"
#include "rp2040.h"
#include "settings.h"

#define GROUP_ADDRESS 0xefff4d4eu // 239.255.77.78
enum {
  GROUP_PORT = 10000, DISCARD_PORT = 9, PORT_MIN = 49152, PORTS = 16384, // RFC 6335: dynamic
  PEERS_MAX = 8, QUEUE = 4,        // datagrams that wait for the chip; link asks again after 20 ms
  HELD_US = 1000,                  // the data sheet wants 500
  STARTS_US = 2000,                // and 1 ms for the PLL
  OPENS_US = 1000,                 // sockets: some microseconds
  ABSENT_US = 100000,              // without an answer: reset anew
  LOOK_US = 100000,                // at the cable, and for what was missed
  BUSY_US = 50,                    // a command is under way: some microseconds
};

struct ethernet_counters {
  uint32_t resets, cable_losses, conflicts; // of the chip, of the cable, of the address
  uint32_t unanswered;                      // nobody said he had the address (ARP)
  uint32_t dropped;                         // without cable or address, queue full
  uint32_t too_long, broken;                // received, of no use
};
struct ethernet_counters ethernet_counters;
struct dhcp dhcp;

static enum { HELD, STARTS, RUNS } phase;
static uint64_t due_us; // of HELD and STARTS, of the next look in RUNS
static bool cable, probing, message_waits, busy;
static struct settings settings;
static struct addressing addressing; // as the chip has it
static uint8_t mac[6];
static struct dhcp_message message;
static struct { struct endpoint from; uint32_t heard; } others[PEERS_MAX];
static uint32_t hearing;

struct datagram { struct endpoint peer; unsigned length; uint8_t octets[DATAGRAM_MAX]; };
static struct { unsigned head, tail; struct datagram datagrams[QUEUE]; } queue;
static struct datagram received; // length 0: none

uint32_t dhcp_random(void) {
  uint32_t number;
  if (take_entropy((uint8_t *)&number, sizeof number) == sizeof number) return number;
  const uint64_t now_us = clock_us(); // the source failed: at least not what others have
  return crc32c((const uint8_t *)&now_us, sizeof now_us) ^ crc32c(mac, sizeof mac);
}

void set_up_network(void) {
  const unsigned word = BOARD_W5500_INTERRUPT / 8, shift = BOARD_W5500_INTERRUPT % 8 * 4;
  read_settings(&settings);
  identity.gateway_count = settings.gateway_count;
  make_mac(mac);
  dhcp_start(&dhcp, mac, identity.id);
  open_spi();
  hold_reset(true);
  due_us = clock_us() + HELD_US;
  REG(PAD(BOARD_W5500_INTERRUPT)) = PAD_INPUT | PAD_SCHMITT | PAD_PULL_UP | PAD_NO_OUTPUT;
  REG(IO_CTRL(BOARD_W5500_INTERRUPT)) = FUNCTION_SIO;
  REG(PIN_INTE(word)) = (uint32_t)PIN_FELL << shift;
  REG(NVIC_IPR(IRQ_PINS)) |= 3u << 14; // lowest: it only ends a wait
  REG(NVIC_ISER) = BIT(IRQ_PINS);
}

void network_interrupt(void) {
  const unsigned word = BOARD_W5500_INTERRUPT / 8, shift = BOARD_W5500_INTERRUPT % 8 * 4;
  REG(PIN_INTR(word)) = (uint32_t)PIN_FELL << shift;
}
void on_pins(void) { network_interrupt(); }

// ---- the chip's life
static void drop_queue(void) {
  ethernet_counters.dropped += queue.head - queue.tail;
  queue.tail = queue.head;
}

static void restart_chip(uint64_t now_us) {
  ethernet_counters.resets++;
  hold_reset(true);
  phase = HELD;
  due_us = now_us + HELD_US;
  cable = probing = message_waits = false;
  dhcp_cable(&dhcp, false, now_us);
  drop_queue();
}

static void start_chip(uint64_t now_us) {
  if (now_us < due_us) return;
  if (phase == HELD) {
    hold_reset(false);
    phase = STARTS;
    due_us = now_us + STARTS_US;
    return;
  }
  if (!chip_answers()) {
    restart_chip(now_us);
    due_us = now_us + ABSENT_US;
    return;
  }
  set_up_chip(mac);
  addressing = (struct addressing){ 0 };
  if (settings.fixed.address != 0) addressing = settings.fixed;
  set_addressing(&addressing);
  open_socket(SOCKET_NODE, (uint16_t)(PORT_MIN + dhcp_random() % PORTS));
  open_socket(SOCKET_DHCP, DHCP_CLIENT_PORT);
  phase = RUNS;
  due_us = now_us + OPENS_US;
}

static void look_at_cable(uint64_t now_us) {
  const bool up = cable_is_up();
  if (up == cable) return;
  cable = up;
  if (!up) {
    ethernet_counters.cable_losses++;
    drop_queue(); // link repeats what matters, with what it knows then
  }
  if (settings.fixed.address == 0) dhcp_cable(&dhcp, up, now_us);
}

// Also at the chip itself: after a dip of the supply it answers, but knows nothing any more.
static void look(uint64_t now_us) {
  due_us = now_us + LOOK_US;
  if (!sockets_are_open()) {
    restart_chip(now_us);
    return;
  }
  if (address_conflicts()) ethernet_counters.conflicts++;
  look_at_cable(now_us);
}

// ---- sending: false: the chip is stuck
static bool look_at_socket(unsigned socket, uint64_t now_us) {
  const enum sending sending = look_at_sending(socket);
  if (sending == SENDING_STUCK) return false;
  if (sending != SENDING_DONE && sending != SENDING_NOBODY) return true;
  if (socket == SOCKET_DHCP && probing) {
    probing = false;
    dhcp_checked(&dhcp, now_us, sending == SENDING_DONE);
  } else if (sending == SENDING_NOBODY) {
    ethernet_counters.unanswered++;
  }
  return true;
}

static void send_next(void) {
  if (queue.tail == queue.head) return;
  const struct datagram *next = &queue.datagrams[queue.tail % QUEUE];
  if (start_sending(SOCKET_NODE, next->peer, next->octets, next->length)) queue.tail++;
}

static void work_dhcp(uint64_t now_us) {
  const struct dhcp_lease *lease = &dhcp.lease;
  if (!message_waits) message_waits = dhcp_poll(&dhcp, now_us, &message);
  if (lease->address != addressing.address || lease->mask != addressing.mask ||
      lease->router != addressing.router) {
    addressing = (struct addressing){ lease->address, lease->mask, lease->router };
    set_addressing(&addressing);
  }
  const struct endpoint server = { message.to, DHCP_SERVER_PORT };
  if (message_waits && start_sending(SOCKET_DHCP, server, message.octets, message.length))
    message_waits = false;
  const struct endpoint probed = { dhcp.offer.address, DISCARD_PORT };
  if (dhcp.state == DHCP_CHECKING && !probing)
    probing = start_sending(SOCKET_DHCP, probed, (const uint8_t *)"?", 1);
}

// ---- receiving
// Octets of a datagram for us, 0: none.
static unsigned take(unsigned socket, struct endpoint *from, uint8_t *octets, unsigned capacity) {
  unsigned length = capacity;
  switch (take_from_chip(socket, from, octets, &length)) {
    case TAKEN_WHOLE: return length;
    case TAKEN_TOO_LONG: ethernet_counters.too_long++; return 0;
    case TAKEN_NOT_YET: busy = true; return 0;
    case TAKEN_BROKEN:
      ethernet_counters.broken++;
      restart_chip(clock_us());
      return 0;
    default: return 0;
  }
}

static void receive_dhcp(uint64_t now_us) {
  static uint8_t octets[DHCP_MESSAGE_MAX];
  struct endpoint from;
  const unsigned length = take(SOCKET_DHCP, &from, octets, sizeof octets);
  if (length > 0 && from.port == DHCP_SERVER_PORT) dhcp_take(&dhcp, now_us, octets, length);
}

static void receive_next(void) {
  if (received.length > 0) return;
  received.length = take(SOCKET_NODE, &received.peer, received.octets, DATAGRAM_MAX);
}

static void work_sockets(uint64_t now_us) {
  for (unsigned socket = 0; socket < SOCKETS_USED && phase == RUNS; socket++)
    if (!look_at_socket(socket, now_us)) restart_chip(now_us);
  if (phase == RUNS) receive_dhcp(now_us);
  if (phase == RUNS) receive_next();
}

uint32_t work_network(void) {
  const uint64_t now_us = clock_us();
  busy = false;
  if (phase != RUNS) start_chip(now_us);
  if (phase == RUNS) {
    const bool looks = now_us >= due_us;
    if (looks) look(now_us);
    if (phase == RUNS && (looks || chip_wants_us())) work_sockets(now_us);
  }
  if (phase == RUNS && cable) {
    if (settings.fixed.address == 0) work_dhcp(now_us);
    if (addressing.address != 0) send_next();
  }
  const bool asks = phase == RUNS && dhcp.due_us < due_us;
  const uint64_t next_us = asks ? dhcp.due_us : due_us;
  return busy || next_us <= now_us + BUSY_US ? BUSY_US : (uint32_t)(next_us - now_us);
}

// ---- peers by number
static bool same(struct endpoint a, struct endpoint b) {
  return a.address == b.address && a.port == b.port;
}

static bool endpoint_of(uint32_t peer, struct endpoint *to) {
  *to = (struct endpoint){ GROUP_ADDRESS, GROUP_PORT };
  if (peer == 0) return true;
  const uint32_t slot = peer - settings.gateway_count - 1;
  if (peer <= settings.gateway_count) *to = settings.gateways[peer - 1];
  else if (slot < PEERS_MAX && others[slot].heard != 0) *to = others[slot].from;
  else return false;
  return true;
}

// A new address takes the place of the one that was silent for longest.
static uint32_t number_of(struct endpoint from) {
  unsigned slot = 0;
  for (unsigned i = 0; i < settings.gateway_count; i++)
    if (same(settings.gateways[i], from)) return i + 1;
  for (unsigned i = 0; i < PEERS_MAX; i++) {
    if (others[i].heard != 0 && same(others[i].from, from)) { slot = i; break; }
    if (others[i].heard < others[slot].heard) slot = i;
  }
  others[slot].from = from;
  others[slot].heard = ++hearing;
  return settings.gateway_count + 1 + slot;
}

static bool put(struct endpoint to, const uint8_t *octets, unsigned length) {
  if (queue.head - queue.tail == QUEUE) return false;
  struct datagram *last = &queue.datagrams[queue.head++ % QUEUE];
  last->peer = to;
  last->length = length;
  memcpy(last->octets, octets, length);
  return true;
}

// Before there is an address the newest waits for it, though link is told that it was not taken: a first SEARCHGW
// that is lost would cost 5 s.
bool send_datagram(uint32_t peer, const uint8_t *octets, unsigned length) {
  struct endpoint to;
  if (length == 0 || length > DATAGRAM_MAX || !endpoint_of(peer, &to)) return false;
  if (addressing.address == 0) {
    drop_queue();
    put(to, octets, length);
    return false;
  }
  const bool taken = phase == RUNS && cable && put(to, octets, length);
  if (taken) send_next();
  else ethernet_counters.dropped++;
  return taken;
}

unsigned receive_datagram(uint8_t *octets, unsigned capacity, uint32_t *peer) {
  if (received.length == 0) work_network();
  const unsigned length = received.length;
  if (length == 0) return 0;
  received.length = 0;
  if (length > capacity) {
    ethernet_counters.too_long++;
    return 0;
  }
  memcpy(octets, received.octets, length);
  *peer = number_of(received.peer);
  return length;
}

bool datagram_waits(void) { return received.length > 0; }
