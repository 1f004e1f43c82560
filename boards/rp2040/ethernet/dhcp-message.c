// SPDX-License-Identifier: MIT
// DHCP messages: what a client writes, and what it believes of an answer.
//
// Spec: RFC 2131 2, 4.3.1, table 5; RFC 2132. An option of another length than its own is malformed, one that runs over
// the end too. Options in sname and file are read where option 52 says so.
//
//   0 op 1 htype 1 hlen 6 hops | 4 xid | 8 secs 2 flags 2 | 12 ciaddr | 16 yiaddr | 20 siaddr | 24 giaddr | 28 chaddr 16
//   44 sname 64 | 108 file 128 | 236 magic 63825363 | 240 options

#include "dhcp-message.h"
#include "memory.h"

enum {
  OP = 0, XID = 4, SECS = 8, FLAGS = 10, CIADDR = 12, YIADDR = 16, CHADDR = 28, SNAME = 44,
  FILE = 108, MAGIC = 236, OPTIONS = 240,
  MESSAGE_MIN = 300, BOOT_REQUEST = 1, BOOT_REPLY = 2, ETHERNET = 1,
};
enum {
  PAD = 0, MASK = 1, ROUTER = 3, HOST_NAME = 12, REQUESTED = 50, LEASE_TIME = 51, OVERLOAD = 52,
  TYPE = 53, SERVER = 54, PARAMETERS = 55, SIZE_MAX_OPTION = 57,
  T1 = 58, T2 = 59, CLIENT_ID = 61, END = 255,
};
static const uint8_t magic[4] = { 0x63, 0x82, 0x53, 0x63 };
#define BROADCAST 0xffffffffu

// ---- writing
static void put_number(uint8_t *at, uint32_t value, unsigned octets) {
  for (unsigned i = 0; i < octets; i++) at[i] = (uint8_t)(value >> (8 * (octets - 1 - i)));
}

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *octets, unsigned length) {
  *at++ = code;
  *at++ = (uint8_t)length;
  memcpy(at, octets, length);
  return at + length;
}

static uint8_t *put_address(uint8_t *at, uint8_t code, uint32_t address) {
  uint8_t octets[4];
  put_number(octets, address, 4);
  return put_option(at, code, octets, 4);
}

// Table 5: who has an address names it in ciaddr, who asks for one in an option.
void write_message(struct dhcp_message *message, const struct dhcp *dhcp, uint8_t type,
                   uint16_t seconds) {
  static const uint8_t wanted[] = { MASK, ROUTER, LEASE_TIME, SERVER, T1, T2 };
  const bool renews = dhcp->state == DHCP_RENEWING || dhcp->state == DHCP_REBINDING;
  const bool names_server = dhcp->state == DHCP_REQUESTING || type == DHCP_DECLINE;
  uint8_t *octets = message->octets, *at = octets + OPTIONS;
  uint8_t id[7] = { ETHERNET };
  memset(octets, 0, sizeof message->octets);
  octets[OP] = BOOT_REQUEST;
  octets[1] = ETHERNET;
  octets[2] = sizeof dhcp->mac;
  put_number(octets + XID, dhcp->xid, 4);
  put_number(octets + SECS, seconds, 2);
  if (!renews) put_number(octets + FLAGS, 0x8000, 2); // we cannot be reached otherwise yet
  if (renews) put_number(octets + CIADDR, dhcp->lease.address, 4);
  memcpy(octets + CHADDR, dhcp->mac, sizeof dhcp->mac);
  memcpy(octets + MAGIC, magic, sizeof magic);
  memcpy(id + 1, dhcp->mac, sizeof dhcp->mac);
  at = put_option(at, TYPE, &type, 1);
  at = put_option(at, CLIENT_ID, id, sizeof id);
  if (!renews && type != DHCP_DISCOVER) at = put_address(at, REQUESTED, dhcp->offer.address);
  if (names_server) at = put_address(at, SERVER, dhcp->offer.server);
  if (type != DHCP_DECLINE) {
    const uint8_t size[2] = { DHCP_MESSAGE_MAX >> 8, DHCP_MESSAGE_MAX & 0xff };
    unsigned name_length = 0;
    while (dhcp->name[name_length] != 0) name_length++;
    at = put_option(at, SIZE_MAX_OPTION, size, sizeof size);
    if (name_length > 0) at = put_option(at, HOST_NAME, dhcp->name, name_length);
    at = put_option(at, PARAMETERS, wanted, sizeof wanted);
  }
  *at++ = END;
  message->length = at - octets < MESSAGE_MIN ? MESSAGE_MIN : (unsigned)(at - octets);
  message->to = dhcp->state == DHCP_RENEWING ? dhcp->lease.server : BROADCAST;
}

// ---- reading
static uint32_t number(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// Not 0/8, 127/8, groups and above.
bool is_host_address(uint32_t address) {
  const uint32_t first = address >> 24;
  return first > 0 && first != 127 && first < 224;
}

// Ones, then zeros; room for two hosts at least.
bool is_mask(uint32_t mask) {
  return mask >> 31 && ((~mask + 1) & ~mask) == 0 && ~mask >= 3;
}

// Who says none means the one of the address's class (RFC 950).
static uint32_t mask_of_class(uint32_t address) {
  return address >> 31 == 0 ? 0xff000000u : address >> 30 == 2 ? 0xffff0000u : 0xffffff00u;
}

struct fields { struct dhcp_answer *answer; uint8_t overload; };

static bool take_option(struct fields *fields, uint8_t code, const uint8_t *octets,
                        unsigned length) {
  struct dhcp_answer *answer = fields->answer;
  switch (code) {
    case TYPE: answer->type = octets[0]; return length == 1;
    case OVERLOAD:
      fields->overload = octets[0];
      return length == 1 && octets[0] >= 1 && octets[0] <= 3;
    case MASK:
    case SERVER:
    case LEASE_TIME:
    case T1:
    case T2:
      if (length != 4) return false;
      *(code == MASK ? &answer->mask : code == SERVER ? &answer->server
          : code == LEASE_TIME ? &answer->lease_s : code == T1 ? &answer->t1_s : &answer->t2_s) =
          number(octets);
      return true;
    case ROUTER: // a list, the best first
      if (length < 4 || length % 4 != 0) return false;
      answer->router = number(octets);
      return true;
    default: return true;
  }
}

// False: an option runs over the end, or has a length that it cannot have.
static bool take_options(struct fields *fields, const uint8_t *octets, unsigned length) {
  for (unsigned at = 0; at < length;) {
    const uint8_t code = octets[at++];
    if (code == PAD) continue;
    if (code == END) return true;
    if (at >= length) return false;
    const unsigned size = octets[at++];
    if (size > length - at) return false;
    if (size > 0 && !take_option(fields, code, octets + at, size)) return false;
    at += size;
  }
  return true; // RFC 2131 4.1 wants END; some servers stop at the datagram's end
}

static bool makes_sense(struct dhcp_answer *answer) {
  if (!is_host_address(answer->server)) return false;
  if (answer->type == DHCP_NAK) return true;
  if (answer->mask == 0) answer->mask = mask_of_class(answer->address);
  if (!is_host_address(answer->address) || !is_mask(answer->mask)) return false;
  const uint32_t host = answer->address & ~answer->mask;
  if (host == 0 || host == ~answer->mask) return false; // the network itself, its broadcast
  if (((answer->router ^ answer->address) & answer->mask) != 0) answer->router = 0; // not reachable
  return answer->type != DHCP_ACK || answer->lease_s > 0;
}

enum reading read_message(struct dhcp_answer *answer, const struct dhcp *dhcp,
                          const uint8_t *octets, unsigned length) {
  struct fields fields = { answer, 0 };
  memset(answer, 0, sizeof *answer);
  if (length < OPTIONS || octets[OP] != BOOT_REPLY || octets[1] != ETHERNET ||
      octets[2] != sizeof dhcp->mac || memcmp(octets + MAGIC, magic, sizeof magic) != 0)
    return READ_MALFORMED;
  if (number(octets + XID) != dhcp->xid ||
      memcmp(octets + CHADDR, dhcp->mac, sizeof dhcp->mac) != 0)
    return READ_FOREIGN;
  answer->address = number(octets + YIADDR);
  if (!take_options(&fields, octets + OPTIONS, length - OPTIONS)) return READ_MALFORMED;
  const uint8_t overload = fields.overload;
  if (overload & 1 && !take_options(&fields, octets + FILE, MAGIC - FILE)) return READ_MALFORMED;
  if (overload & 2 && !take_options(&fields, octets + SNAME, FILE - SNAME)) return READ_MALFORMED;
  return makes_sense(answer) ? READ_WELL : READ_MALFORMED;
}
