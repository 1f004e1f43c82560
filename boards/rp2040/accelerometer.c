// SPDX-License-Identifier: MIT
// A KX134-1211 accelerometer: its buffer ► a queue of samples ► loop.
//
// Spec: SPEC.md section 1.1 burst_take; Kionix KX134-1211 Technical Reference Manual Rev. 1.0; RP2040 datasheet 4.4.
// Alarm 2 at priority 2 takes one step each time and never waits. On SPI: some registers at once, the buffer by DMA; on
// I2C (i2c.c): everything by DMA, and the next step looks what became of it.
// One axis, Z. (A1) samples after a gap never follow those before it: loop is told ~0 first. (A2) a sensor that is silent
// for SILENT_US is set up anew, for ever; loop then finds no samples, which it tells as a bad reading. (A3) nobody
// acknowledges what is read on I2C: samples count when CNTL1, read behind them, is still as it was set.

#include "../host.h"
#include "registers.h"
#include "rp2040.h"
#include "spi.h"

enum { HAS_SENSOR = BOARD_ACCELEROMETERS > 0, QUEUE = HAS_SENSOR ? 4096 : 1 };
enum { ON_I2C = BOARD_SENSOR_ON_I2C, UNIT = BOARD_SENSOR_SPI };
enum { BUFFER = 86, SAMPLE = 6, Z = 4, ANSWER_LOOPS = 1000 };
enum { POLL_US = 2500, RESET_US = 3000, RETRY_US = 100000, SILENT_US = 500000, LATE_MAX = 20,
       LATE_US = 50 };
enum { SPI_RATE = 6 }; // 8.9 MHz of at most 10
enum { COTR = 0x12, CNTL1 = 0x1b, CNTL2 = 0x1c, ODCNTL = 0x21, BUF_CNTL2 = 0x5f,
       BUF_STATUS_1 = 0x60, BUF_CLEAR = 0x62, BUF_READ = 0x63, POWER = 0x7f, READ = 0x80 };
enum { COTR_AND_WHO_AM_I = 0x4655 };
enum { SOFTWARE_RESET = 0x80, STREAM_OF_16_BITS = 0xc1, ON_16_BITS = 0xc0 };

enum { SETTINGS = ON_16_BITS | BOARD_SENSOR_RANGE << 3 }; // CNTL1 while it samples

static enum { RESETTING, CONFIGURING, POLLING, COLLECTING, IDENTIFYING, COUNTING } phase;
static uint32_t heard_us, late, collected; // `collected` samples are on their way
static uint8_t raw[1 + BUFFER * SAMPLE];    // one octet while the address goes out

// Producer: this file's handler; consumer: loop, which interrupts it.
static int16_t queue[QUEUE];
static volatile uint32_t head, gap_at, gaps; // samples put; where the latest gap is; how many there were
static uint32_t tail, gaps_seen;
static bool overflow_told; // once, so that a full queue can be read at all
struct sensor_counters sensor_counters;

static void select_sensor(bool low) { drive_select(BOARD_SENSOR_CS, low); }

// Sends so many octets, 8 at most, and puts what comes back in their place.
static void exchange(uint8_t *octets, unsigned count) {
  select_sensor(true);
  for (unsigned i = 0; i < count; i++) REG(SPI(UNIT) + SPI_DR) = octets[i];
  for (unsigned i = 0; i < count; i++) {
    for (unsigned k = 0; k < ANSWER_LOOPS && !(REG(SPI(UNIT) + SPI_SR) & SPI_SR_RX); k++) continue;
    octets[i] = (uint8_t)REG(SPI(UNIT) + SPI_DR);
  }
  select_sensor(false);
}

static void put(uint8_t address, uint8_t value) {
  uint8_t octets[2] = { address, value };
  exchange(octets, 2);
}

static uint32_t get_two(uint8_t address) {
  uint8_t octets[3] = { address | READ, 0, 0 };
  exchange(octets, 3);
  return octets[1] | (uint32_t)octets[2] << 8;
}

static void mark_gap(void) { // (A1)
  gap_at = head;
  barrier();
  gaps = gaps + 1;
}

static void offer(int sample) {
  queue[head % QUEUE] = (int16_t)sample;
  barrier();
  head = head + 1;
}

static uint32_t begin_anew(void) { // (A2)
  mark_gap();
  sensor_counters.restarts++;
  phase = RESETTING;
  return RETRY_US;
}

static uint32_t reset_sensor(void) {
  put(POWER, 0);
  put(CNTL2, 0);
  put(CNTL2, SOFTWARE_RESET);
  phase = CONFIGURING;
  return RESET_US;
}

static uint32_t configure(void) {
  if (get_two(COTR) != COTR_AND_WHO_AM_I) return begin_anew();
  put(ODCNTL, BOARD_SENSOR_RATE);
  put(BUF_CNTL2, STREAM_OF_16_BITS);
  put(CNTL1, SETTINGS);
  heard_us = REG(TIMERAWL);
  phase = POLLING;
  return POLL_US;
}

static void start_collecting(uint32_t octets) {
  static const uint8_t zero = 0;
  const uint32_t out = DMA(DMA_SENSOR), in = DMA(DMA_SENSOR + 1);
  REG(in + DMA_READ) = SPI(UNIT) + SPI_DR;
  REG(in + DMA_WRITE) = (uint32_t)(uintptr_t)raw;
  REG(in + DMA_COUNT) = 1 + octets;
  REG(in + DMA_CTRL_TRIG) = DMA_ON | DMA_INC_WRITE | DMA_QUIET | DMA_CHAIN(DMA_SENSOR + 1) |
      DMA_REQUEST(DREQ_SPI0_RX + 2 * UNIT);
  select_sensor(true);
  REG(SPI(UNIT) + SPI_DR) = BUF_READ | READ;
  REG(out + DMA_READ) = (uint32_t)(uintptr_t)&zero;
  REG(out + DMA_WRITE) = SPI(UNIT) + SPI_DR;
  REG(out + DMA_COUNT) = octets;
  REG(out + DMA_CTRL_TRIG) = DMA_ON | DMA_QUIET | DMA_CHAIN(DMA_SENSOR) |
      DMA_REQUEST(DREQ_SPI0_TX + 2 * UNIT);
}

static uint32_t poll_sensor(void) {
  const uint32_t octets = get_two(BUF_STATUS_1) & 0x3ff;
  collected = octets / SAMPLE;
  if (collected > BUFFER) return begin_anew(); // no sensor says that
  if (collected == 0)
    return REG(TIMERAWL) - heard_us < SILENT_US ? POLL_US : begin_anew();
  if (collected == BUFFER) { // it may have dropped some
    mark_gap();
    sensor_counters.overruns++;
  }
  heard_us = REG(TIMERAWL);
  late = 0;
  phase = COLLECTING;
  start_collecting(SAMPLE * collected);
  return SAMPLE * collected + 10; // 0.9 us an octet
}

static uint32_t collect(void) {
  if (REG(DMA(DMA_SENSOR + 1) + DMA_CTRL) & DMA_BUSY) {
    if (++late < LATE_MAX) return LATE_US;
    REG(DMA_ABORT) = 3u << DMA_SENSOR;
    select_sensor(false);
    return begin_anew();
  }
  select_sensor(false);
  for (uint32_t i = 0; i < collected; i++) {
    const uint8_t *sample = &raw[1 + SAMPLE * i + Z];
    offer(sample[0] | sample[1] << 8);
  }
  sensor_counters.samples += collected;
  phase = POLLING;
  return POLL_US;
}

// ---- on I2C
enum { OCTET_US = (9 * 1000000 + BOARD_SENSOR_I2C_HZ - 1) / BOARD_SENSOR_I2C_HZ, MORE_OCTETS = 5 };
static uint16_t words[BUFFER * SAMPLE + 4]; // of DATA_CMD: commands, then answers from the first on
static uint32_t added;
volatile uint32_t sensor_fault;

static void add_write(uint8_t address, uint8_t value) {
  words[added++] = address;
  words[added++] = value | IC_STOP;
}

// Another direction is a restart; the last read of all stops.
static void add_read(uint8_t address, uint32_t octets) {
  words[added++] = address;
  for (uint32_t i = 0; i < octets; i++) words[added++] = IC_READ;
}

// Sends what was added; microseconds until it is done, with addresses, starts and stops.
static uint32_t send_added(uint32_t answers, int next) {
  const uint32_t commands = added;
  if (answers > 0) words[commands - 1] |= IC_STOP;
  added = late = 0;
  phase = next;
  start_i2c(words, commands, answers);
  return (commands + MORE_OCTETS) * OCTET_US;
}

static uint8_t answer(uint32_t at) { return (uint8_t)words[at]; }

static uint32_t give_up(uint32_t fault) {
  sensor_fault = fault;
  late = 0;
  hold_i2c();
  return begin_anew();
}

static uint32_t reset_by_i2c(void) {
  if (!open_i2c()) return give_up(I2C_LATE);
  add_write(POWER, 0);
  add_write(CNTL2, 0);
  add_write(CNTL2, SOFTWARE_RESET);
  send_added(0, CONFIGURING);
  return RESET_US;
}

static uint32_t configure_by_i2c(void) {
  if ((answer(0) | answer(1) << 8) != COTR_AND_WHO_AM_I) return give_up(SENSOR_STRANGE);
  add_write(ODCNTL, BOARD_SENSOR_RATE);
  add_write(BUF_CNTL2, STREAM_OF_16_BITS);
  add_write(CNTL1, SETTINGS);
  heard_us = REG(TIMERAWL);
  return send_added(0, POLLING);
}

static uint32_t count_by_i2c(void) {
  collected = ((answer(0) | answer(1) << 8) & 0x3ff) / SAMPLE;
  if (collected > BUFFER) return give_up(SENSOR_STRANGE);
  if (collected == 0) {
    if (REG(TIMERAWL) - heard_us >= SILENT_US) return give_up(SENSOR_SILENT);
    phase = POLLING;
    return POLL_US;
  }
  heard_us = REG(TIMERAWL);
  add_read(BUF_READ, SAMPLE * collected);
  add_read(CNTL1, 1);
  return send_added(SAMPLE * collected + 1, COLLECTING);
}

static uint32_t collect_by_i2c(void) {
  if (answer(SAMPLE * collected) != SETTINGS) return give_up(SENSOR_STRANGE); // (A3)
  if (collected == BUFFER) { // it may have dropped some
    mark_gap();
    sensor_counters.overruns++;
  }
  for (uint32_t i = 0; i < collected; i++)
    offer(answer(SAMPLE * i + Z) | answer(SAMPLE * i + Z + 1) << 8);
  sensor_counters.samples += collected;
  phase = POLLING;
  return POLL_US;
}

// CNTL2 with a reset in it is not acknowledged: the part is busy with it (manual, CNTL2).
static uint32_t take_i2c_step(void) {
  enum i2c_outcome outcome = phase == RESETTING ? free_i2c() : look_at_i2c();
  if (outcome == I2C_BUSY) {
    if (++late < LATE_MAX) return phase == RESETTING ? I2C_HALF_US : LATE_US;
    outcome = why_i2c_is_late();
  }
  if (outcome != I2C_DONE && !(outcome == I2C_REFUSED && phase == CONFIGURING))
    return give_up(outcome);
  switch (phase) {
    case RESETTING: return reset_by_i2c();
    case CONFIGURING: add_read(COTR, 2); return send_added(2, IDENTIFYING);
    case IDENTIFYING: return configure_by_i2c();
    case POLLING: add_read(BUF_STATUS_1, 2); return send_added(2, COUNTING);
    case COUNTING: return count_by_i2c();
    default: return collect_by_i2c();
  }
}

static uint32_t take_step(void) {
  if (ON_I2C) return take_i2c_step();
  switch (phase) {
    case RESETTING: return reset_sensor();
    case CONFIGURING: return configure();
    case POLLING: return poll_sensor();
    default: return collect();
  }
}

// A time in the past would wait for 71 minutes: then the interrupt is made pending.
static void come_again(uint32_t us) {
  const uint32_t due = REG(TIMERAWL) + us;
  REG(TIMER_ALARM2) = due;
  if ((int32_t)(REG(TIMERAWL) - due) >= 0) REG(NVIC_ISPR) = BIT(IRQ_SENSOR);
}

void on_accelerometer(void) {
  if (!HAS_SENSOR) return;
  REG(TIMER_INTR) = BIT(2);
  come_again(take_step());
}

void set_up_accelerometer(void) {
  if (!HAS_SENSOR) return;
  if (ON_I2C) {
    hold_i2c();
  } else {
    const struct spi_pins pins = { BOARD_SENSOR_RX, BOARD_SENSOR_SCK, BOARD_SENSOR_TX,
                                   BOARD_SENSOR_CS };
    set_up_spi(UNIT, pins, SPI_RATE);
    REG(SPI(UNIT) + SPI_DMACR) = 3;
  }
  SET(TIMER_INTE) = BIT(2);
  REG(NVIC_ISER) = BIT(IRQ_SENSOR);
  REG(NVIC_ISPR) = BIT(IRQ_SENSOR);
}

// Loop may be taken away after any store: what it took then comes again.
unsigned read_burst(unsigned device, uint8_t *target, unsigned samples) {
  if (!HAS_SENSOR || device != BOARD_SENSOR_DEVICE) return 0;
  if (gaps != gaps_seen) {
    tail = gap_at;
    gaps_seen = gaps;
    return ~0u;
  }
  if (head - tail >= QUEUE) { // the oldest may be half written
    tail = head - (QUEUE - 1);
    overflow_told = !overflow_told;
    if (overflow_told) return ~0u;
  }
  overflow_told = false;
  const uint32_t waiting = head - tail;
  const uint32_t count = waiting < samples ? waiting : samples;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t value = (uint16_t)queue[(tail + i) % QUEUE];
    target[2 * i] = (uint8_t)value;
    target[2 * i + 1] = (uint8_t)(value >> 8);
  }
  barrier();
  tail += count;
  return count;
}
