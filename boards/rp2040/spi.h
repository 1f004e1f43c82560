// SPDX-License-Identifier: MIT
// An SPI as a master: mode 0, octets; its pins and the select pin.
//
// Spec: RP2040 datasheet 4.4 (PL022), 2.19. The block is out of its reset. The select pin is by hand, since SPH 0 lifts
// it between octets. Inline: every argument is a constant.

#ifndef SPI_H
#define SPI_H
#include <stdbool.h>
#include "registers.h"

struct spi_pins { unsigned rx, sck, tx, cs; };

static inline void drive_select(unsigned cs, bool low) {
  REG(low ? SIO_OUT_CLR : SIO_OUT_SET) = BIT(cs);
}

// 125 MHz / 2 / (1 + rate).
static inline void set_up_spi(unsigned unit, struct spi_pins pins, unsigned rate) {
  drive_select(pins.cs, false);
  REG(SIO_OE_SET) = BIT(pins.cs);
  REG(IO_CTRL(pins.cs)) = FUNCTION_SIO;
  REG(PAD(pins.rx)) = PAD_INPUT | PAD_SCHMITT | PAD_PULL_DOWN | PAD_NO_OUTPUT;
  REG(IO_CTRL(pins.rx)) = FUNCTION_SPI;
  REG(IO_CTRL(pins.sck)) = FUNCTION_SPI;
  REG(IO_CTRL(pins.tx)) = FUNCTION_SPI;
  REG(SPI(unit) + SPI_CPSR) = 2;
  REG(SPI(unit) + SPI_CR0) = rate << 8 | 7;
  REG(SPI(unit) + SPI_CR1) = SPI_CR1_ON;
}

#endif
