// SPDX-License-Identifier: MIT
// DHCP messages, to octets and back.
//
// Spec: RFC 2131 2, RFC 2132. Used by dhcp.c alone.

#ifndef DHCP_MESSAGE_H
#define DHCP_MESSAGE_H
#include "dhcp.h"

enum {
  DHCP_DISCOVER = 1, DHCP_OFFER = 2, DHCP_REQUEST = 3, DHCP_DECLINE = 4, DHCP_ACK = 5, DHCP_NAK = 6,
};
#define DHCP_FOR_EVER 0xffffffffu // lease time

struct dhcp_answer {
  uint8_t type;
  uint32_t address, server, mask, router;
  uint32_t lease_s, t1_s, t2_s; // 0: not said
};

enum reading { READ_WELL, READ_MALFORMED, READ_FOREIGN };

void write_message(struct dhcp_message *message, const struct dhcp *dhcp, uint8_t type,
                   uint16_t seconds);
// Every field that is given out was checked: an address that a host can have, a mask that is one.
enum reading read_message(struct dhcp_answer *answer, const struct dhcp *dhcp,
                          const uint8_t *octets, unsigned length);
bool is_host_address(uint32_t address);
bool is_mask(uint32_t mask);

#endif
