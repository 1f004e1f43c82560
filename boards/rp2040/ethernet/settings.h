// SPDX-License-Identifier: MIT
// Addresses that differ from node to node: the network record in flash.
//
// Spec: SPEC.md section 15.

#ifndef SETTINGS_H
#define SETTINGS_H
#include "ethernet.h"
#include "rp2040.h"

struct settings {
  struct addressing fixed; // address 0: by DHCP
  unsigned gateway_count;  // 0: the group is searched
  struct endpoint gateways[GATEWAYS_MAX];
};
// Without a whole record, or with one that makes no sense: DHCP, and a search for the gateway.
void read_settings(struct settings *settings);
// The same for ever: locally administered, of the flash's unique id.
void make_mac(uint8_t mac[6]);

#endif
