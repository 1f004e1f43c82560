// SPDX-License-Identifier: MIT
// Digital pins, PWM outputs, pulse counters: loop alone calls them.
//
// Spec: RP2040 datasheet 2.19, 2.3.1, 4.5. Inputs are read as they were at the tick. Only what node.json names
// is connected; everything else stays as reset left it: an input, pulled down. A PWM period is 65,535 cycles
// (1.9 kHz): duty 65,535 is always on.

#include "../host.h"
#include "registers.h"
#include "rp2040.h"

enum { SLICES = 8, SLICE_ON = 1, SLICE_RISING_B = 2u << 4, DIVIDE_BY_1 = 1u << 4,
       PWM_TOP_OF_OUTPUTS = 65534 };

static uint32_t levels[SLICES];            // CC: A in the low half
static uint32_t pulses[BOARD_PULSES + 1];  // since the start
static uint16_t pulses_seen[BOARD_PULSES + 1];

static unsigned slice_of(unsigned gpio) { return gpio >> 1 & 7; }

static void set_duty(unsigned gpio, uint32_t duty) {
  const unsigned slice = slice_of(gpio);
  const unsigned shift = gpio & 1 ? 16 : 0;
  levels[slice] = (levels[slice] & ~(0xffffu << shift)) | duty << shift;
  REG(PWM(slice) + PWM_CC) = levels[slice];
}

static void set_level(unsigned gpio, uint32_t level) {
  REG(level ? SIO_OUT_SET : SIO_OUT_CLR) = BIT(gpio);
}

// A new duty counts from the next wrap of the slice: a counter at its top wraps at once.
void outputs_to_safe(void) {
  for (unsigned i = 0; i < BOARD_PWM; i++) {
    set_duty(board_pwm[i].gpio, board_pwm[i].safe);
    REG(PWM(slice_of(board_pwm[i].gpio)) + PWM_CTR) = PWM_TOP_OF_OUTPUTS;
  }
  for (unsigned i = 0; i < BOARD_DIGITAL; i++)
    set_level(board_digital[i].gpio, board_digital[i].safe);
}

// Levels first, then the functions that let them out.
void set_up_pins(void) {
  outputs_to_safe();
  for (unsigned i = 0; i < BOARD_PWM; i++) {
    const unsigned gpio = board_pwm[i].gpio;
    REG(PWM(slice_of(gpio)) + PWM_TOP) = PWM_TOP_OF_OUTPUTS;
    REG(PWM(slice_of(gpio)) + PWM_DIV) = DIVIDE_BY_1;
    REG(PWM(slice_of(gpio)) + PWM_CSR) = SLICE_ON;
    REG(IO_CTRL(gpio)) = FUNCTION_PWM;
  }
  for (unsigned i = 0; i < BOARD_DIGITAL; i++) {
    REG(SIO_OE_SET) = BIT(board_digital[i].gpio);
    REG(IO_CTRL(board_digital[i].gpio)) = FUNCTION_SIO;
  }
  for (unsigned i = 0; i < BOARD_PINS; i++) {
    REG(PAD(board_pins[i].gpio)) = PAD_INPUT | PAD_SCHMITT | BOARD_INPUT_PULL | PAD_NO_OUTPUT;
    REG(IO_CTRL(board_pins[i].gpio)) = FUNCTION_SIO;
  }
  for (unsigned i = 0; i < BOARD_PULSES; i++) {
    const unsigned slice = slice_of(board_pulses[i].gpio);
    REG(PAD(board_pulses[i].gpio)) = PAD_INPUT | PAD_SCHMITT | BOARD_INPUT_PULL | PAD_NO_OUTPUT;
    REG(IO_CTRL(board_pulses[i].gpio)) = FUNCTION_PWM;
    REG(PWM(slice) + PWM_TOP) = 0xffff;
    REG(PWM(slice) + PWM_DIV) = DIVIDE_BY_1;
    REG(PWM(slice) + PWM_CSR) = SLICE_RISING_B | SLICE_ON;
  }
}

// A counter has 16 bits: fewer than 65,536 pulses may come in one period.
void count_pulses(void) {
  for (unsigned i = 0; i < BOARD_PULSES; i++) {
    const uint16_t now = (uint16_t)REG(PWM(slice_of(board_pulses[i].gpio)) + PWM_CTR);
    pulses[i] += (uint16_t)(now - pulses_seen[i]);
    pulses_seen[i] = now;
  }
}

uint32_t host_pulse_count(uint32_t input) {
  for (unsigned i = 0; i < BOARD_PULSES; i++)
    if (board_pulses[i].number == input) return pulses[i];
  return 0;
}

uint32_t host_digital_read(uint32_t pin) {
  for (unsigned i = 0; i < BOARD_PINS; i++)
    if (board_pins[i].number == pin) return pins_latched >> board_pins[i].gpio & 1;
  return ~0u;
}

uint32_t host_digital_write(uint32_t pin, uint32_t level) {
  for (unsigned i = 0; i < BOARD_DIGITAL; i++) {
    if (board_digital[i].number != pin) continue;
    set_level(board_digital[i].gpio, level);
    return 0;
  }
  return ~0u;
}

uint32_t host_pwm_write(uint32_t output, uint32_t duty) {
  for (unsigned i = 0; i < BOARD_PWM; i++) {
    if (board_pwm[i].number != output) continue;
    set_duty(board_pwm[i].gpio, duty > 65535 ? 65535 : duty);
    return 0;
  }
  return ~0u;
}
