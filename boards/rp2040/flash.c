// SPDX-License-Identifier: MIT
// The flash as a store: read, erased and programmed while ticks go on.
//
// Spec: RP2040 datasheet 4.10; commands of W25Q and its like. After start-up nobody uses the flash window. Frames of
// 8 bits, at most 8 under way, so that an interrupt may hold us up anywhere; the chip select is ours. Link's context
// only. Each wait has an end: a sector that is not erased in a second is told as failed.

#include "registers.h"
#include "rp2040.h"

enum {
  WRITE_ENABLE = 0x06, READ_STATUS = 0x05, READ = 0x03, PAGE_PROGRAM = 0x02, SECTOR_ERASE = 0x20,
  UNIQUE_ID = 0x4b, STATUS_BUSY = 1, PAGE_BYTES = 256, IN_FLIGHT_MAX = 8, BUSY_US_MAX = 1000000,
  POLL_US = 100, // a page takes 400, a sector 45,000
  SELECT = 2u << 8, DESELECT = 3u << 8,
};

void open_flash(void) {
  REG(QSPI_SS_CTRL) = DESELECT;
  REG(SSI + SSI_SSIENR) = 0;
  REG(SSI + SSI_BAUDR) = 6;        // 20.8 MHz
  REG(SSI + SSI_CTRLR0) = 7u << 16; // 8 bits, both ways
  REG(SSI + SSI_SER) = 1;
  REG(SSI + SSI_SSIENR) = 1;
}

// Sends `out` (NULL: zeros) and keeps what comes back in `in` (NULL: nowhere).
static void exchange(const uint8_t *out, uint8_t *in, uint32_t length) {
  uint32_t sent = 0, got = 0;
  while (got < length) {
    if (sent < length && sent - got < IN_FLIGHT_MAX) {
      REG(SSI + SSI_DR0) = out != NULL ? out[sent] : 0;
      sent++;
    }
    if (!(REG(SSI + SSI_SR) & SR_RX_NOT_EMPTY)) continue;
    const uint8_t octet = (uint8_t)REG(SSI + SSI_DR0);
    if (in != NULL) in[got] = octet;
    got++;
  }
}

struct data { const uint8_t *out; uint8_t *in; uint32_t length; };

// One command: code, address where `head` says so, then data.
static void command(uint8_t code, uint32_t address, uint32_t head, struct data data) {
  const uint8_t octets[5] = { code, (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                              (uint8_t)address, 0 };
  REG(QSPI_SS_CTRL) = SELECT;
  exchange(octets, NULL, head);
  exchange(data.out, data.in, data.length);
  REG(QSPI_SS_CTRL) = DESELECT;
}
static const struct data no_data;

static bool wait_idle(void) {
  const uint32_t start = REG(TIMERAWL);
  for (;;) {
    uint8_t status;
    command(READ_STATUS, 0, 1, (struct data){ NULL, &status, 1 });
    link_lives();
    if (!(status & STATUS_BUSY)) return true;
    if (REG(TIMERAWL) - start >= BUSY_US_MAX) return false;
    sleep_us(POLL_US);
  }
}

void read_flash(uint32_t offset, uint8_t *target, uint32_t length) {
  command(READ, offset, 4, (struct data){ NULL, target, length });
}

bool erase_sector(uint32_t offset) {
  command(WRITE_ENABLE, 0, 1, no_data);
  command(SECTOR_ERASE, offset, 4, no_data);
  return wait_idle();
}

bool program_flash(uint32_t offset, const uint8_t *source, uint32_t length) {
  while (length > 0) {
    const uint32_t room = PAGE_BYTES - offset % PAGE_BYTES; // a page wraps
    const uint32_t part = length < room ? length : room;
    command(WRITE_ENABLE, 0, 1, no_data);
    command(PAGE_PROGRAM, offset, 4, (struct data){ source, NULL, part });
    if (!wait_idle()) return false;
    offset += part;
    source += part;
    length -= part;
  }
  return true;
}

void read_unique_id(uint8_t id[8]) { command(UNIQUE_ID, 0, 5, (struct data){ NULL, id, 8 }); }
