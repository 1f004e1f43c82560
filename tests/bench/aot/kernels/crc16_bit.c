// SPDX-License-Identifier: MIT
// CRC-16 of Modbus, bit by bit.

#include <stdint.h>

static uint8_t message[256];

void native_prepare(void) {
  for (int i = 0; i < 256; i++) message[i] = (uint8_t)(i * 7 + 3);
}

int32_t native_run(int32_t n) {
  uint32_t crc = 0xffff;
  for (int32_t i = 0; i < n; i++) {
    crc ^= message[i];
    for (int bit = 0; bit < 8; bit++) {
      if (crc & 1)
        crc = (crc >> 1) ^ 0xa001;
      else
        crc >>= 1;
    }
  }
  return crc;
}
