// SPDX-License-Identifier: MIT
// Datagrams: one UDP socket, peers by number, and what wakes link.
//
// Spec: SPEC.md §1.2, peers; §7, group 239.255.77.78:10000. Link's thread alone sends and receives; others
// only wake it.

#include "posix.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

atomic_uint datagrams_dropped;
static int network = -1;
static int bell = -1;
static struct sockaddr_in others[PEERS_MAX];
static uint64_t heard[PEERS_MAX];  // order in which they were last heard, 0: free
static uint64_t hearing;

int open_network(void) {
  const struct sockaddr_in any = { .sin_family = AF_INET };
  network = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (network < 0 || bell < 0 || bind(network, (const struct sockaddr *)&any, sizeof any) != 0)
    refuse(1, "no UDP socket: %s", strerror(errno));
  return network;
}

static const struct sockaddr_in *address_of(uint32_t peer) {
  static struct sockaddr_in group = { .sin_family = AF_INET };
  group.sin_port = htons(10000);
  group.sin_addr.s_addr = inet_addr("239.255.77.78");
  if (peer == 0) return &group;
  if (peer <= options.gateway_count) return &options.gateways[peer - 1];
  const uint32_t slot = peer - options.gateway_count - 1;
  return slot < PEERS_MAX && heard[slot] != 0 ? &others[slot] : NULL;
}

static bool same(const struct sockaddr_in *a, const struct sockaddr_in *b) {
  return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

// The number of an address; a new one takes the place of the one that was silent for longest.
static uint32_t number_of(const struct sockaddr_in *from) {
  for (unsigned i = 0; i < options.gateway_count; i++)
    if (same(&options.gateways[i], from)) return i + 1;
  unsigned slot = 0;
  for (unsigned i = 0; i < PEERS_MAX; i++) {
    if (heard[i] != 0 && same(&others[i], from)) { slot = i; break; }
    if (heard[i] < heard[slot]) slot = i;
  }
  others[slot] = *from;
  heard[slot] = ++hearing;
  return options.gateway_count + 1 + slot;
}

bool send_datagram(uint32_t peer, const uint8_t *octets, unsigned length) {
  const struct sockaddr_in *to = address_of(peer);
  if (to == NULL || length == 0 || length > DATAGRAM_MAX) return false;
  const ssize_t sent =
      sendto(network, octets, length, MSG_NOSIGNAL, (const struct sockaddr *)to, sizeof *to);
  return sent == (ssize_t)length;
}

unsigned receive_datagram(uint8_t *octets, unsigned capacity, uint32_t *peer) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    const ssize_t length =
        recvfrom(network, octets, capacity, MSG_TRUNC, (struct sockaddr *)&from, &size);
    if (length < 0) {
      if (errno == ECONNREFUSED || errno == EINTR) continue;  // of an earlier datagram
      return 0;
    }
    if (length == 0) continue;
    if ((size_t)length > capacity) {
      atomic_fetch_add(&datagrams_dropped, 1);
      continue;
    }
    *peer = number_of(&from);
    return (unsigned)length;
  }
}

void wake_link(void) {
  const uint64_t one = 1;
  if (write(bell, &one, sizeof one) < 0) return;  // full: it is awake anyway
}

void wait_for_link(uint32_t milliseconds) {
  struct pollfd waits[2] = {
    { .fd = network, .events = POLLIN },
    { .fd = bell, .events = POLLIN },
  };
  uint64_t rung;
  poll(waits, 2, (int)milliseconds);
  if (read(bell, &rung, sizeof rung) < 0) return;
}
