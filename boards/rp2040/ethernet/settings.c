// SPDX-License-Identifier: MIT
// The network record, and the MAC address that nobody has to give.
//
// Spec: SPEC.md section 15. "FRN1" | address 4 | mask 4 | router 4 | gateways u8, 0 x 3 | 4 x (address 4, port u16, 0 u16)
// | CRC-32C of the 52 octets before it. Numbers little-endian, addresses as they are written.

#include "dhcp-message.h"
#include "memory.h"
#include "settings.h"
#include "sha256.h"

enum {
  RECORD_AT = 256, COUNT_AT = 16, GATEWAYS_AT = 20, GATEWAY_BYTES = 8, CRC_AT = 52, BYTES = 56,
};

static uint32_t address_at(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool makes_sense(const struct settings *settings) {
  const struct addressing *fixed = &settings->fixed;
  for (unsigned i = 0; i < settings->gateway_count; i++)
    if (!is_host_address(settings->gateways[i].address) || settings->gateways[i].port == 0)
      return false;
  if (fixed->address == 0) return true;
  return is_host_address(fixed->address) && is_mask(fixed->mask);
}

static bool take_record(struct settings *settings, const uint8_t record[BYTES]) {
  const uint32_t crc = crc32c(record, CRC_AT);
  for (unsigned i = 0; i < 4; i++)
    if (record[CRC_AT + i] != (uint8_t)(crc >> (8 * i))) return false;
  if (memcmp(record, "FRN1", 4) != 0 || record[COUNT_AT] > GATEWAYS_MAX) return false;
  settings->fixed = (struct addressing){ address_at(record + 4), address_at(record + 8),
                                         address_at(record + 12) };
  settings->gateway_count = record[COUNT_AT];
  for (unsigned i = 0; i < settings->gateway_count; i++) {
    const uint8_t *at = record + GATEWAYS_AT + i * GATEWAY_BYTES;
    settings->gateways[i] = (struct endpoint){ address_at(at), (uint16_t)(at[4] | at[5] << 8) };
  }
  return makes_sense(settings);
}

void read_settings(struct settings *settings) {
  uint8_t record[BYTES];
  read_flash(FLASH_IDENTITY + RECORD_AT, record, sizeof record);
  if (!take_record(settings, record)) memset(settings, 0, sizeof *settings);
}

void make_mac(uint8_t mac[6]) {
  uint8_t unique[8], digest[32];
  struct sha256 hash;
  read_unique_id(unique);
  sha256_begin(&hash);
  sha256_add(&hash, (const uint8_t *)"mac", 3);
  sha256_add(&hash, unique, sizeof unique);
  sha256_end(&hash, digest);
  memcpy(mac, digest, 6);
  mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02); // locally administered, no group
}
