// SPDX-License-Identifier: MIT
// Who this node is: a record in flash, else made of the flash's unique id.
//
// DESIGN D9. "FRI1" | id 24, zeros after it | eui64 8 | CRC-32C of the 36 octets before it, little-endian.

#include "memory.h"
#include "rp2040.h"

enum { ID_AT = 4, EUI_AT = 28, CRC_AT = 36, RECORD_BYTES = 40 };
struct identity identity;

static bool is_name(const uint8_t *id) {
  unsigned length = 0;
  for (; length < 24 && id[length] != 0; length++) {
    const uint8_t c = id[length];
    const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') return false;
  }
  return length > 0 && length < 24;
}

static bool read_record(void) {
  uint8_t record[RECORD_BYTES];
  read_flash(FLASH_IDENTITY, record, sizeof record);
  const uint32_t crc = crc32c(record, CRC_AT);
  for (unsigned i = 0; i < 4; i++)
    if (record[CRC_AT + i] != (uint8_t)(crc >> (8 * i))) return false;
  if (memcmp(record, "FRI1", 4) != 0 || !is_name(record + ID_AT)) return false;
  memcpy(identity.id, record + ID_AT, 24);
  memcpy(identity.eui64, record + EUI_AT, 8);
  return true;
}

void read_identity(void) {
  static const char digits[] = "0123456789abcdef";
  uint8_t unique[8];
  if (read_record()) return;
  read_unique_id(unique);
  memcpy(identity.id, "pico-", 5);
  for (unsigned i = 0; i < 16; i++)
    identity.id[5 + i] = digits[unique[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
  memcpy(identity.eui64, unique, 8);
  identity.eui64[0] = (uint8_t)((unique[0] & 0xfc) | 0x02); // locally administered, no group
}
