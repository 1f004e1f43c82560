// SPDX-License-Identifier: MIT
// Octets to and from the W5500 on SPI 0, by polling.
//
// Spec: RP2040 datasheet 4.4 (PL022). 31.25 MHz, the W5500 guarantees 33.3. At most 8 octets are under way, as many as a
// FIFO holds: an interrupt may hold us up anywhere. Each wait is for octets under way: 256 ns.

#include "ethernet.h"
#include "rp2040.h"
#include "spi.h"

enum { RATE = 1, IN_FLIGHT_MAX = 8 };

void open_spi(void) {
  const struct spi_pins pins = { BOARD_SPI_MISO, BOARD_SPI_SCK, BOARD_SPI_MOSI, BOARD_W5500_CS };
  set_up_spi(0, pins, RATE);
}

void select_chip(bool selected) { drive_select(BOARD_W5500_CS, selected); }

void exchange_octets(const uint8_t *out, uint8_t *in, unsigned length) {
  unsigned sent = 0, got = 0;
  while (got < length) {
    if (sent < length && sent - got < IN_FLIGHT_MAX) {
      REG(SPI(0) + SPI_DR) = out != NULL ? out[sent] : 0;
      sent++;
    }
    if (!(REG(SPI(0) + SPI_SR) & SPI_SR_RX)) continue;
    const uint8_t octet = (uint8_t)REG(SPI(0) + SPI_DR);
    if (in != NULL) in[got] = octet;
    got++;
  }
}
