// SPDX-License-Identifier: MIT
// An I2C as the only master of one device: transfers, and a bus that is stuck.
//
// Spec: RP2040 datasheet 4.3 (DW_apb_i2c); NXP UM10204 Rev. 7, 3.1.16 and table 10. One context. Nothing here waits:
// who calls looks again later, and gives up by hold_i2c(). (C1) levels are only ever pulled low, never driven high.
// (C2) after hold_i2c() nothing of the transfer before goes on: the block was in reset, DMA is stopped.

#include "registers.h"
#include "rp2040.h"

enum { UNIT = BOARD_SENSOR_I2C, SDA = BOARD_SENSOR_SDA, SCL = BOARD_SENSOR_SCL, PULSES = 9 };
enum { MASTER_FAST_RESTART = 0x165, SPIKE = 7, HOLD = 38 }; // cycles: 56 of at least 50 ns, 304 of 300
enum { PERIOD = (CLOCK_HZ + BOARD_SENSOR_I2C_HZ - 1) / BOARD_SENSOR_I2C_HZ };
enum { LOW = PERIOD * 11 / 20, HIGH = PERIOD - LOW }; // 400 kHz: 1.38 of at least 1.3 us, 1.13 of 0.6
enum { LCNT = LOW - 1, HCNT = HIGH - SPIKE - 7 };     // 4.3.14.1: what the block adds
enum { NO_ADDRESS_ACK = 1, NO_DATA_ACK = 8 };

static unsigned halves; // of the pulses that free the bus

// Block in reset and out again, pins let go; the bus is to be freed next.
void hold_i2c(void) {
  REG(DMA_ABORT) = 3u << DMA_SENSOR;
  REG(SIO_OUT_CLR) = BIT(SDA) | BIT(SCL);
  REG(SIO_OE_CLR) = BIT(SDA) | BIT(SCL);
  for (unsigned pin = SDA; pin <= SCL; pin++) {
    REG(PAD(pin)) = PAD_INPUT | PAD_SCHMITT | PAD_PULL_UP | PAD_4_MA;
    REG(IO_CTRL(pin)) = FUNCTION_SIO;
  }
  SET(RESETS_RESET) = BIT(RESET_I2C0 + UNIT);
  CLR(RESETS_RESET) = BIT(RESET_I2C0 + UNIT);
  halves = 0;
}

// Half a pulse of SCL while somebody holds SDA; I2C_BUSY: come again after I2C_HALF_US, 18 times at most.
enum i2c_outcome free_i2c(void) {
  if (halves & 1) {
    REG(SIO_OE_CLR) = BIT(SCL);
    halves++;
    return I2C_BUSY;
  }
  const uint32_t levels = REG(SIO_GPIO_IN);
  if (!(levels & BIT(SCL))) return I2C_CLOCK_LOW;
  if (levels & BIT(SDA)) return I2C_DONE;
  if (halves == 2 * PULSES) return I2C_DATA_LOW;
  REG(SIO_OE_SET) = BIT(SCL); // (C1)
  halves++;
  return I2C_BUSY;
}

// False: the block is not out of its reset.
bool open_i2c(void) {
  if (!(REG(RESETS_DONE) & BIT(RESET_I2C0 + UNIT))) return false;
  REG(I2C(UNIT) + IC_CON) = MASTER_FAST_RESTART;
  REG(I2C(UNIT) + IC_TAR) = BOARD_SENSOR_ADDRESS;
  REG(I2C(UNIT) + IC_FS_SCL_HCNT) = HCNT;
  REG(I2C(UNIT) + IC_FS_SCL_LCNT) = LCNT;
  REG(I2C(UNIT) + IC_FS_SPKLEN) = SPIKE;
  REG(I2C(UNIT) + IC_SDA_HOLD) = HOLD;
  REG(I2C(UNIT) + IC_DMA_CR) = 3;
  REG(I2C(UNIT) + IC_ENABLE) = 1;
  REG(IO_CTRL(SDA)) = FUNCTION_I2C;
  REG(IO_CTRL(SCL)) = FUNCTION_I2C;
  return true;
}

// Answers take the places of commands that went out before: `words` is one buffer for both.
void start_i2c(uint16_t *words, uint32_t commands, uint32_t answers) {
  const uint32_t out = DMA(DMA_SENSOR), in = DMA(DMA_SENSOR + 1);
  if (answers > 0) {
    REG(in + DMA_READ) = I2C(UNIT) + IC_DATA_CMD;
    REG(in + DMA_WRITE) = (uint32_t)(uintptr_t)words;
    REG(in + DMA_COUNT) = answers;
    REG(in + DMA_CTRL_TRIG) = DMA_ON | DMA_HALF | DMA_INC_WRITE | DMA_QUIET |
        DMA_CHAIN(DMA_SENSOR + 1) | DMA_REQUEST(DREQ_I2C0_RX + 2 * UNIT);
  }
  REG(out + DMA_READ) = (uint32_t)(uintptr_t)words;
  REG(out + DMA_WRITE) = I2C(UNIT) + IC_DATA_CMD;
  REG(out + DMA_COUNT) = commands;
  REG(out + DMA_CTRL_TRIG) = DMA_ON | DMA_HALF | DMA_INC_READ | DMA_QUIET |
      DMA_CHAIN(DMA_SENSOR) | DMA_REQUEST(DREQ_I2C0_TX + 2 * UNIT);
}

// What became of the transfer. I2C_REFUSED leaves the bus ready for the next one.
enum i2c_outcome look_at_i2c(void) {
  const uint32_t status = REG(I2C(UNIT) + IC_STATUS);
  const uint32_t goes_on =
      (REG(DMA(DMA_SENSOR) + DMA_CTRL) | REG(DMA(DMA_SENSOR + 1) + DMA_CTRL)) & DMA_BUSY;
  if (REG(I2C(UNIT) + IC_RAW_INTR_STAT) & IC_TX_ABRT) {
    const uint32_t source = REG(I2C(UNIT) + IC_TX_ABRT_SOURCE);
    if (source & NO_ADDRESS_ACK) return I2C_NOBODY;
    if (!(source & NO_DATA_ACK)) return I2C_LOST;
    if (status & IC_MST_ACTIVITY) return I2C_BUSY; // its STOP
    (void)REG(I2C(UNIT) + IC_CLR_TX_ABRT);
    return I2C_REFUSED;
  }
  if (goes_on || (status & IC_MST_ACTIVITY) || !(status & IC_TFE)) return I2C_BUSY;
  return I2C_DONE;
}

// Whether somebody stretches the clock for longer than anybody may, now that a transfer did not end.
enum i2c_outcome why_i2c_is_late(void) {
  const uint32_t levels = REG(SIO_GPIO_IN);
  if (!(levels & BIT(SCL))) return I2C_CLOCK_LOW;
  return levels & BIT(SDA) ? I2C_LATE : I2C_DATA_LOW;
}
