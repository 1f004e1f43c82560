// SPDX-License-Identifier: MIT
// ADC: the inputs in turn, four samples each, their mean to loop.
//
// Spec: RP2040 datasheet 2.5, 4.9. Samples are spread over the period, 20 us apart at least; a mean is at most two
// periods old. Two DMA channels fill a buffer of one round each, in turn and for ever, so that no sample is lost or taken for
// another input's however long loop takes; the end of each is an interrupt that makes the means. Loop reads one word.
// A round is 4, 8 or 16 samples, as DMA rings want it: with three inputs the chip's sensor is the fourth. Four samples
// lower the noise; they do not mend the wide codes of erratum E11.

#include "../host.h"
#include "registers.h"
#include "rp2040.h"

enum { INPUTS = BOARD_ADC_COUNT, TURN = INPUTS == 3 ? 4 : INPUTS };
enum { SAMPLES = 4, ROUND = SAMPLES * TURN, RING_BITS = TURN == 4 ? 5 : TURN == 2 ? 4 : 3 };
enum { SAMPLE_US_MIN = 20, CLOCK_PER_US = 48, DIVIDER_MAX = 65535 };
enum { CS_ON = 1, CS_SENSOR = TURN > INPUTS ? 2 : 0, CS_MANY = 8, CS_READY = 256, SENSOR = 4 };
enum { FCS_FIFO = 1, FCS_ERRORS = 4, FCS_REQUESTS = 8, FCS_EMPTY = 256, FCS_OVER = 2048 };
enum { RESULT_ERROR = 0x8000, START_US_MAX = 100000, READY_LOOPS = 1000, FIFO = 4 };
_Static_assert(INPUTS <= 4, "a round robin of the pins");

__attribute__((aligned(32))) static volatile uint16_t buffers[2][16];
static volatile uint32_t means[INPUTS + 1];
static volatile uint32_t rounds; // complete ones

static void set_up_channel(unsigned which, uint32_t control) {
  const uint32_t channel = DMA(DMA_ANALOG + which);
  REG(channel + DMA_READ) = ADC_FIFO;
  REG(channel + DMA_WRITE) = (uint32_t)(uintptr_t)buffers[which];
  REG(channel + DMA_COUNT) = ROUND;
  REG(channel + control) = DMA_ON | DMA_HIGH_PRIORITY | DMA_HALF | DMA_INC_WRITE |
      DMA_WRITE_RING(RING_BITS) | DMA_CHAIN(DMA_ANALOG + (which ^ 1)) | DMA_REQUEST(DREQ_ADC);
}

static void start_rounds(void) {
  const uint32_t both = 3u << DMA_ANALOG;
  uint32_t inputs = TURN > INPUTS ? BIT(SENSOR) : 0;
  for (unsigned i = 0; i < INPUTS; i++) inputs |= BIT(board_adc[i].gpio - 26);
  REG(ADC_CS) = CS_ON | CS_SENSOR;
  for (unsigned i = 0; i < READY_LOOPS && !(REG(ADC_CS) & CS_READY); i++) continue; // 2 us
  REG(DMA_ABORT) = both;
  while (REG(DMA_ABORT) & both) continue; // some cycles
  for (unsigned i = 0; i < 2 * FIFO && !(REG(ADC_FCS) & FCS_EMPTY); i++) (void)REG(ADC_FIFO);
  REG(ADC_FCS) = FCS_FIFO | FCS_ERRORS | FCS_REQUESTS | FCS_OVER | 1u << 24;
  REG(DMA_INTS0) = both; // erratum E13: an abort may look like an end
  set_up_channel(1, DMA_CTRL);
  set_up_channel(0, DMA_CTRL_TRIG);
  REG(ADC_CS) = inputs << 16 | (board_adc[0].gpio - 26u) << 12 | CS_MANY | CS_SENSOR | CS_ON;
}

// Samples that did not converge are left out.
static void take_mean(unsigned input, const volatile uint16_t *samples) {
  uint32_t sum = 0, count = 0;
  for (unsigned i = 0; i < SAMPLES; i++) {
    const uint32_t sample = samples[TURN * i + input];
    if (sample & RESULT_ERROR) continue;
    sum += sample;
    count++;
  }
  if (count == SAMPLES) means[input] = (sum + SAMPLES / 2) / SAMPLES;
  else if (count > 0) means[input] = (sum + count / 2) / count;
}

void on_adc(void) {
  REG(DMA_INTS0) = 3u << DMA_ANALOG;
  if (INPUTS == 0) return;
  if (REG(ADC_FCS) & FCS_OVER) return start_rounds(); // the DMA was late: samples are in the wrong places
  const unsigned whole = REG(DMA(DMA_ANALOG) + DMA_CTRL) & DMA_BUSY ? 1 : 0;
  for (unsigned i = 0; i < INPUTS; i++) take_mean(i, buffers[whole]);
  rounds++;
}

void set_up_analog(void) {
  if (INPUTS == 0) return;
  uint32_t us = BOARD_PERIOD_US / (ROUND > 0 ? ROUND : 1);
  if (us < SAMPLE_US_MIN) us = SAMPLE_US_MIN;
  const uint32_t divider = us > DIVIDER_MAX / CLOCK_PER_US ? DIVIDER_MAX : us * CLOCK_PER_US - 1;
  for (unsigned i = 0; i < INPUTS; i++)
    REG(PAD(board_adc[i].gpio)) = PAD_NO_OUTPUT; // no pulls, no digital input
  REG(ADC_DIV) = divider << 8;
  start_rounds();
  REG(DMA_INTE0) = 3u << DMA_ANALOG;
  REG(NVIC_ISER) = BIT(IRQ_DMA0);
  const uint32_t start = REG(TIMERAWL); // loop's first tick finds values
  while (rounds == 0 && REG(TIMERAWL) - start < START_US_MAX) continue;
}

uint32_t host_adc_read(uint32_t input) {
  for (unsigned i = 0; i < INPUTS; i++)
    if (board_adc[i].number == input) return rounds > 0 ? means[i] : ~0u;
  return ~0u;
}
