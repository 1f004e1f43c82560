// SPDX-License-Identifier: MIT
// CRC-16 of Modbus with a table of 256 entries.

#include <stdint.h>

static uint8_t message[256];
static uint16_t table[256];

void native_prepare(void) {
  for (int i = 0; i < 256; i++) message[i] = (uint8_t)(i * 7 + 3);
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
    table[i] = crc;
  }
}

int32_t native_run(int32_t n) {
  uint32_t crc = 0xffff;
  for (int32_t i = 0; i < n; i++) crc = (crc >> 8) ^ table[(crc ^ message[i]) & 0xff];
  return crc;
}
