// SPDX-License-Identifier: MIT
// ADC: the inputs in turn, four samples each, their mean to loop.
//
// Spec: RP2040 datasheet 4.9. Samples are spread over the period, 20 us apart at least; a mean is at most one
// period old. The FIFO holds 4 results: when it ran over, which input a result is of is not known any more, and
// the turn starts anew. Priority 2 writes, loop reads one word.

#include "../host.h"
#include "registers.h"
#include "rp2040.h"

enum { SAMPLES = 4, SAMPLE_US_MIN = 20, CLOCK_PER_US = 48, DIVIDER_MAX = 65535 };
enum { CS_ON = 1, CS_MANY = 8, FCS_FIFO = 1, FCS_ERRORS = 4, FCS_EMPTY = 256, FCS_OVER = 2048 };
enum { RESULT_ERROR = 0x8000, START_US_MAX = 100000 };

static volatile uint32_t means[BOARD_ADC_COUNT + 1];
static volatile uint32_t rounds; // complete ones
static uint32_t sums[BOARD_ADC_COUNT + 1];
static uint32_t place, samples;

static void start_round(void) {
  uint32_t inputs = 0;
  REG(ADC_CS) = CS_ON;
  for (unsigned i = 0; i < 8 && !(REG(ADC_FCS) & FCS_EMPTY); i++) (void)REG(ADC_FIFO);
  REG(ADC_FCS) = FCS_FIFO | FCS_ERRORS | FCS_OVER | 1u << 24;
  for (unsigned i = 0; i < BOARD_ADC_COUNT; i++) {
    sums[i] = 0;
    inputs |= BIT(board_adc[i].gpio - 26);
  }
  place = samples = 0;
  REG(ADC_CS) = inputs << 16 | (board_adc[0].gpio - 26u) << 12 | CS_MANY | CS_ON;
}

static void take_result(uint32_t result) {
  if (result & RESULT_ERROR) result = means[place]; // not converged: as the mean was
  sums[place] += result & 0xfff;
  if (++place < BOARD_ADC_COUNT) return;
  place = 0;
  if (++samples < SAMPLES) return;
  samples = 0;
  for (unsigned i = 0; i < BOARD_ADC_COUNT; i++) {
    means[i] = (sums[i] + SAMPLES / 2) / SAMPLES;
    sums[i] = 0;
  }
  rounds++;
}

void on_adc(void) {
  if (REG(ADC_FCS) & FCS_OVER) return start_round();
  while (!(REG(ADC_FCS) & FCS_EMPTY)) take_result(REG(ADC_FIFO));
}

void set_up_analog(void) {
  if (BOARD_ADC_COUNT == 0) return;
  uint32_t us = BOARD_PERIOD_US / (SAMPLES * (BOARD_ADC_COUNT + (BOARD_ADC_COUNT == 0)));
  if (us < SAMPLE_US_MIN) us = SAMPLE_US_MIN;
  const uint32_t divider = us > DIVIDER_MAX / CLOCK_PER_US ? DIVIDER_MAX : us * CLOCK_PER_US - 1;
  for (unsigned i = 0; i < BOARD_ADC_COUNT; i++)
    REG(PAD(board_adc[i].gpio)) = PAD_NO_OUTPUT; // no pulls, no digital input
  REG(ADC_DIV) = divider << 8;
  start_round();
  REG(ADC_INTE) = 1;
  REG(NVIC_ISER) = BIT(IRQ_ADC);
  const uint32_t start = REG(TIMERAWL); // loop's first tick finds values
  while (rounds == 0 && REG(TIMERAWL) - start < START_US_MAX) continue;
}

uint32_t host_adc_read(uint32_t input) {
  for (unsigned i = 0; i < BOARD_ADC_COUNT; i++)
    if (board_adc[i].number == input) return rounds > 0 ? means[i] : ~0u;
  return ~0u;
}
