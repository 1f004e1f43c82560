// SPDX-License-Identifier: MIT
// A DHCP client without I/O: messages in, messages out, deadlines.
//
// Spec: RFC 2131, 2132, RFC 5227 2.1 (the address is asked for before it is used). Times are microseconds since the
// chip started. Whatever the wire says stays within the message; what is not for us changes nothing and is counted.

#ifndef DHCP_H
#define DHCP_H
#include <stdbool.h>
#include <stdint.h>

enum { DHCP_MESSAGE_MAX = 590, DHCP_SERVER_PORT = 67, DHCP_CLIENT_PORT = 68, DHCP_NAME_MAX = 24 };

enum dhcp_state {
  DHCP_HALTED,     // no cable
  DHCP_INIT,       // waits a moment before it asks
  DHCP_SELECTING,  // DISCOVER sent
  DHCP_REQUESTING, // REQUEST of an offer sent
  DHCP_CHECKING,   // does somebody have that address?
  DHCP_BOUND,
  DHCP_RENEWING,   // from T1 on: the server is asked
  DHCP_REBINDING,  // from T2 on: anybody is asked
  DHCP_REBOOTING,  // the cable was away: is the lease still good here?
};

struct dhcp_counters {
  uint32_t malformed;  // too short, wrong lengths, options that run over the end
  uint32_t foreign;    // of others: another transaction, another client
  uint32_t unexpected; // not in this state, not of this server
  uint32_t refusals;   // NAKs that were obeyed
  uint32_t conflicts;  // addresses that somebody had
  uint32_t leases;
};

struct dhcp_lease { uint32_t address, mask, router, server; uint64_t t1_us, t2_us, end_us; };

struct dhcp {
  enum dhcp_state state;
  uint8_t mac[6];
  char name[DHCP_NAME_MAX]; // for the server's lists
  uint32_t xid;
  unsigned tries;            // in this state
  uint64_t due_us;           // when dhcp_poll has something to do
  uint64_t began_us, asked_us;
  struct dhcp_lease offer, lease; // offered or asked for; in use: address 0: none
  uint32_t conflict;         // an address to be declined, 0: none
  struct dhcp_counters counters;
};

struct dhcp_message {
  uint32_t to; // BROADCAST or a server's address
  unsigned length;
  uint8_t octets[DHCP_MESSAGE_MAX];
};

void dhcp_start(struct dhcp *dhcp, const uint8_t mac[6], const char *name);
void dhcp_cable(struct dhcp *dhcp, bool up, uint64_t now_us);
// Does what is due; true: the message is to be sent.
bool dhcp_poll(struct dhcp *dhcp, uint64_t now_us, struct dhcp_message *message);
void dhcp_take(struct dhcp *dhcp, uint64_t now_us, const uint8_t *octets, unsigned length);
// In DHCP_CHECKING: whether somebody answers for offer.address.
void dhcp_checked(struct dhcp *dhcp, uint64_t now_us, bool taken);

uint32_t dhcp_random(void); // of the host

#endif
