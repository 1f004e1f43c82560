// SPDX-License-Identifier: MIT
// Datagrams of an MQTT-SN gateway, decoded as the firmware's parser does.

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

enum { CONNACK = 5, REGISTER = 0x0a, REGACK, PUBLISH, PUBACK, SUBACK = 0x13, DISCONNECT = 0x18 };
enum { WILLMSGRESP = 0x1d, EXACT = 0x80, RESERVED = 0x7f };

typedef struct {
  int type;
  uint32_t flags, topic_id, msg_id, return_code;
  const uint8_t *data;
  uint32_t data_bytes;
} packet_t;

// Least octets of the body of each type; EXACT: not one more; RESERVED: no such type.
static const uint8_t body_rules[] = {
    0x83, 0x81, 0x01, 0x7f, 0x05, 0x81, 0x80, 0x00, 0x80, 0x00, 0x05, 0x85, 0x05, 0x85, 0x82,
    0x82, 0x82, 0x7f, 0x04, 0x86, 0x04, 0x82, 0x00, 0x80, 0x00, 0x7f, 0x00, 0x81, 0x00, 0x81,
};
static packet_t packet;

static uint32_t load16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static void decode_fields(int type, const uint8_t *body) {
  if (type == CONNACK) packet.return_code = body[0];
  bool flagged = type == PUBLISH || type == SUBACK;
  if (!flagged && type != REGISTER && type != REGACK && type != PUBACK) return;
  if (flagged) packet.flags = *body++;
  packet.topic_id = load16(body);
  packet.msg_id = load16(body + 2);
  if (type == PUBLISH || type == REGISTER) {
    packet.data_bytes -= body + 4 - packet.data;
    packet.data = body + 4;
  } else {
    packet.return_code = body[4];
  }
}

static bool decode_packet(const uint8_t *at, uint32_t bytes) {
  if (bytes < 2) return false;
  uint32_t length = at[0], header = 2;
  if (length == 1) {
    if (bytes < 4) return false;
    length = load16(at + 1);
    header = 4;
  }
  if (length != bytes) return false;
  int type = at[header - 1];
  if (type > WILLMSGRESP) return false;
  uint32_t rule = body_rules[type], body_bytes = bytes - header;
  if (body_bytes < (rule & RESERVED)) return false;
  if (rule & EXACT && body_bytes != (rule & RESERVED)) return false;
  if (type == DISCONNECT && body_bytes != 0 && body_bytes != 2) return false;
  packet.type = type;
  packet.data = at + header;
  packet.data_bytes = body_bytes;
  decode_fields(type, at + header);
  return rule != RESERVED;
}

static const uint8_t sent[68] = {
    12,   0x0c, 0x20, 0,    1,    0,    7,    0x68, 0x65, 0x6c, 0x6c, 0x6f, 3,    0x05,
    0,    7,    0x0b, 0,    5,    0,    2,    0,    8,    0x13, 0x20, 0,    3,    0,
    4,    0,    7,    0x0d, 0,    1,    0,    7,    2,    10,   0x0a, 0,    9,    0,
    3,    0x61, 0x2f, 0x62, 0x63, 5,    0x0c, 0x20, 0,    1,    1,    0,    14,   0x0c,
    0x60, 0,    4,    0,    8,    0x77, 0x78, 0x79, 0x7a, 2,    0x17,
};
static const uint8_t lengths[9] = {12, 3, 7, 8, 7, 10, 5, 14, 2};
static uint8_t received[68];

void native_prepare(void) {
  for (size_t i = 0; i < sizeof received; i++) received[i] = sent[i];
}

int32_t native_run(int32_t n) {
  uint32_t sum = 0;
  for (int32_t round = 0; round < n; round++) {
    received[6] = (uint8_t)round;
    const uint8_t *at = received;
    for (int i = 0; i < 9; i++) {
      if (decode_packet(at, lengths[i])) {
        sum = sum * 31 + packet.type + packet.topic_id + packet.msg_id + packet.return_code;
        sum ^= packet.flags;
        for (uint32_t k = 0; k < packet.data_bytes; k++) sum = sum * 31 + packet.data[k];
      } else {
        sum++;
      }
      at += lengths[i];
    }
  }
  return (int32_t)sum;
}
