// SPDX-License-Identifier: MIT
// SPI 0 as a master: mode 0, octets, by polling.
//
// Spec: RP2040 datasheet 4.4 (PL022). 31.25 MHz, the W5500 guarantees 33.3. At most 8 octets are under way, as many as a
// FIFO holds: an interrupt may hold us up anywhere. The select pin is ours. Each wait is for octets under way: 256 ns.

#include "registers.h"
#include "rp2040.h"
#include "ethernet.h"

enum { OCTETS = 7, RATE_1 = 1 << 8, IN_FLIGHT_MAX = 8 };

void set_up_spi(void) {
  SET(RESETS_RESET) = BIT(RESET_SPI0);
  CLR(RESETS_RESET) = BIT(RESET_SPI0);
  while (!(REG(RESETS_DONE) & BIT(RESET_SPI0))) continue;
  REG(SPI(0) + SPI_CPSR) = 2;
  REG(SPI(0) + SPI_CR0) = RATE_1 | OCTETS; // 125 MHz / (2 x 2)
  REG(SPI(0) + SPI_CR1) = SPI_CR1_ON;
  REG(SIO_OUT_SET) = BIT(BOARD_W5500_CS);
  REG(SIO_OE_SET) = BIT(BOARD_W5500_CS);
  REG(IO_CTRL(BOARD_W5500_CS)) = FUNCTION_SIO;
  REG(PAD(BOARD_SPI_MISO)) = PAD_INPUT | PAD_SCHMITT | PAD_PULL_DOWN | PAD_NO_OUTPUT;
  REG(IO_CTRL(BOARD_SPI_MISO)) = FUNCTION_SPI;
  REG(IO_CTRL(BOARD_SPI_SCK)) = FUNCTION_SPI;
  REG(IO_CTRL(BOARD_SPI_MOSI)) = FUNCTION_SPI;
}

void select_chip(bool selected) { REG(selected ? SIO_OUT_CLR : SIO_OUT_SET) = BIT(BOARD_W5500_CS); }

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
