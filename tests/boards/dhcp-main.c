// SPDX-License-Identifier: MIT
// The DHCP client as a process, for tests: one command a line.
//
// "cable ms 0|1", "poll ms", "take ms HEX", "checked ms 0|1". After each: state, deadline in ms (-1: none), address, mask,
// router, the six counters, and after a poll the message.

#include "dhcp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 12345;
uint32_t dhcp_random(void) { return seed = seed * 1664525u + 1013904223u; }

static struct dhcp dhcp;

static void say(const struct dhcp_message *message) {
  const struct dhcp_counters *c = &dhcp.counters;
  const long long due = dhcp.due_us == ~0ull ? -1 : (long long)((dhcp.due_us + 999) / 1000);
  printf("%d %lld %u %u %u %u %u %u %u %u %u ", (int)dhcp.state, due, dhcp.lease.address,
         dhcp.lease.mask, dhcp.lease.router, c->malformed, c->foreign, c->unexpected, c->refusals,
         c->conflicts, c->leases);
  const unsigned length = message != NULL ? message->length : 0;
  if (message != NULL) printf("%u:", message->to);
  for (unsigned i = 0; i < length; i++) printf("%02x", message->octets[i]);
  printf("\n");
  fflush(stdout);
}

// An allocation of its own: a read beyond its end is seen.
static void take(uint64_t now_us, const char *hex) {
  const unsigned length = (unsigned)strspn(hex, "0123456789abcdef") / 2;
  uint8_t *octets = malloc(length == 0 ? 1 : length);
  for (unsigned i = 0; i < length; i++) {
    unsigned octet;
    sscanf(hex + 2 * i, "%2x", &octet);
    octets[i] = (uint8_t)octet;
  }
  dhcp_take(&dhcp, now_us, octets, length);
  free(octets);
}

int main(void) {
  static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 7 };
  static char line[8192];
  static struct dhcp_message message;
  dhcp_start(&dhcp, mac, "oven-1");
  while (fgets(line, sizeof line, stdin) != NULL) {
    char word[16];
    unsigned long long ms = 0;
    int at = 0;
    if (sscanf(line, "%15s %llu %n", word, &ms, &at) < 2) return 1;
    const char *rest = line + at;
    bool sends = false;
    if (strcmp(word, "cable") == 0) dhcp_cable(&dhcp, *rest == '1', ms * 1000);
    if (strcmp(word, "poll") == 0) sends = dhcp_poll(&dhcp, ms * 1000, &message);
    if (strcmp(word, "take") == 0) take(ms * 1000, rest);
    if (strcmp(word, "checked") == 0) dhcp_checked(&dhcp, ms * 1000, *rest == '1');
    say(sends ? &message : NULL);
  }
  return 0;
}
