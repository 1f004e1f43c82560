// SPDX-License-Identifier: MIT
// The parts of the RP2040 host and what they know of each other.
//
// One core. Priorities: 0 the tick (tick.c), 1 loop (IRQ 26, made pending by the tick), 2 UART, ADC, sensor, 3 the
// alarm that wakes link; link is thread mode. What crosses a priority is one aligned word, written last by one
// side (rings: head by who puts, tail by who takes), so nothing here masks interrupts.

#ifndef RP2040_H
#define RP2040_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../channel.h"
#include "board.h" // made by the build: what node.json and the board's JSON say

enum {
  GATEWAYS_MAX = 4,
  DATAGRAM_MAX = 512,     // octets on a serial line: SPEC.md section 3
  RING_BYTES = BOARD_RING_BYTES, // a power of two; of some ticks
  SECTOR_BYTES = 4096,
  FLASH_LINK = BOARD_FLASH_BYTES - 3 * SECTOR_BYTES,  // two sectors: SPEC.md section 1.2
  FLASH_IDENTITY = BOARD_FLASH_BYTES - SECTOR_BYTES,
  FLASH_SEEDS = BOARD_FLASH_BYTES - 5 * SECTOR_BYTES, // two sectors
};

static inline void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

// ---- clocks.c, clock.c
enum { CLOCK_HZ = 125000000 };
void set_up_clocks(void);
void release_peripherals(void);
uint64_t clock_us(void);       // since the chip started; any priority
void wait_for_event(void);     // returns when an interrupt was taken since the latest call
void wake_at(uint32_t us);     // an event at that time, by alarm 1
void sleep_us(uint32_t us);    // thread mode alone: alarm 1 is its

// ---- tick.c
struct rhythm {
  volatile uint32_t ticks, missed, overruns;
  volatile uint32_t periods_left; // loop is there and may be for so many more ticks; 0: it is not
};
extern struct rhythm rhythm;
extern volatile uint32_t pins_latched; // GPIO_IN at the latest tick
void set_up_priorities(void);
void start_ticks(void);

// ---- modules.c
struct door {
  uint32_t sp;              // of enter_module: start.S
  volatile uint32_t inside; // the module runs: start.S
  volatile uint32_t overdue;
  int kind;
  unsigned function, offset;
};
extern struct door loop_door, link_door;
struct host_counters { volatile uint32_t ring_dropped, loop_traps, loop_overruns, link_traps; };
extern struct host_counters host_counters;
void start_loop(void);
_Noreturn void run_link(void);
void loop_abandon(void);
_Noreturn void link_abandon(void);
void check_link(uint32_t *thread_frame);
bool enter_module(struct door *door, void (*action)(void));
_Noreturn void leave_module(struct door *door);

// ---- DMA channels, each with one user
enum {
  DMA_TAPS = 0,    // two a tap: characters, stamps
  DMA_SENSOR = 4,  // out and in
  DMA_EDGES = 6,   // one an input
  DMA_ANALOG = 10, // a round each
};

// ---- pins.c, analog.c
void set_up_pins(void);
void outputs_to_safe(void);
void count_pulses(void);
void set_up_analog(void);

// ---- uart.c, tap.c
void set_up_uart(unsigned uart, uint32_t baud, uint32_t line_control);
void set_up_taps(void);
unsigned take_tap(unsigned tap, uint8_t *target, unsigned entries);

bool open_tap(unsigned tap, uint32_t baud, uint32_t format); // SPEC.md section 1.1, tap_open

// ---- poll.c
#if BOARD_POLLS > 0
void set_up_polls(void);
int32_t put_tap(unsigned tap, const uint8_t *octets, unsigned length); // SPEC.md section 1.1, tap_put
#else
static inline void set_up_polls(void) {}
static inline int32_t put_tap(unsigned tap, const uint8_t *octets, unsigned length) {
  (void)tap, (void)octets, (void)length;
  return -1; // no tap of this node polls: nothing here can send
}
#endif

// ---- finder.c
int32_t take_tap_edges(unsigned tap, uint8_t *target, unsigned capacity); // -1: there is no such tap
static inline uint32_t tap_edge_unit_ps(unsigned tap) {
  (void)tap;
  return 16000;
}

// ---- edges.c
enum { EDGE_INPUTS = 4, EDGE_LOST = 8 };
struct edge {
  uint32_t counts; // of 16 ns since the chip started; wraps after 68.7 s
  uint8_t level;   // after it
  uint8_t flags;   // EDGE_LOST: edges were lost before it
};
void start_edges(unsigned number, unsigned gpio);
void stop_edges(unsigned number);
unsigned take_edges(unsigned number, struct edge *target, unsigned capacity);

// ---- i2c.c: the bus of an accelerometer that is not on SPI
enum { I2C_HALF_US = 5 }; // of a pulse that frees the bus
enum i2c_outcome {
  I2C_DONE, I2C_BUSY,
  I2C_NOBODY,    // the address is not acknowledged
  I2C_REFUSED,   // an octet is not
  I2C_LOST,      // somebody else pulls SDA
  I2C_DATA_LOW,  // SDA is stuck; nine clocks did not free it
  I2C_CLOCK_LOW, // SCL is stuck, or stretched beyond the limit
  I2C_LATE,      // a transfer does not end, nobody knows why
};
void hold_i2c(void);
enum i2c_outcome free_i2c(void);
bool open_i2c(void);
void start_i2c(uint16_t *words, uint32_t commands, uint32_t answers);
enum i2c_outcome look_at_i2c(void);
enum i2c_outcome why_i2c_is_late(void);

// ---- accelerometer.c
struct sensor_counters { volatile uint32_t samples, overruns, restarts; };
extern struct sensor_counters sensor_counters;
enum { SENSOR_STRANGE = 16, SENSOR_SILENT = 17 };
extern volatile uint32_t sensor_fault; // on I2C: why it was set up anew last: enum i2c_outcome or these
void set_up_accelerometer(void);
unsigned read_burst(unsigned device, uint8_t *target, unsigned samples); // ~0: some were lost

// ---- serial/network.c or ethernet/network.c, as the board's JSON says
enum { NETWORK_RESTS = 1000000000 };
void set_up_network(void); // after read_identity: it says how many gateways there are
void network_interrupt(void);
bool send_datagram(uint32_t peer, const uint8_t *octets, unsigned length);
unsigned receive_datagram(uint8_t *octets, unsigned capacity, uint32_t *peer);
bool datagram_waits(void);
uint32_t work_network(void); // does what is due; microseconds until it wants to be called again

// ---- crc32c.c
uint32_t crc32c(const uint8_t *octets, unsigned length);

// ---- flash.c
void open_flash(void);
void read_flash(uint32_t offset, uint8_t *target, uint32_t length);
bool erase_sector(uint32_t offset);
bool program_flash(uint32_t offset, const uint8_t *source, uint32_t length);
void read_unique_id(uint8_t id[8]);

// ---- identity.c
struct identity { char id[24]; uint8_t eui64[8]; uint32_t gateway_count; };
extern struct identity identity;
void read_identity(void);

// ---- entropy.c
void set_up_entropy(void);
bool entropy_failed(void);
unsigned take_entropy(uint8_t *target, unsigned length); // 0: the source failed its tests

// ---- protection.c: stacks are from here to their ends, which image.ld and start.S know as well
enum { LINK_STACK = 0x20040000, HANDLER_STACK_END = 0x20042000 };
void protect_memory(void);

// ---- watchdog.c, crash.c
enum { COUNTERS = 4 };
enum { RESTART_FAULT = 1, RESTART_LINK = 2, RESTART_WATCHDOG = 3 }; // SPEC.md section 1.5
struct restart { uint32_t count, cause, pc, lr; };
extern struct restart restart; // the latest one since power-on, as it was at start
void set_up_watchdog(void);
void feed_watchdog(void);
void link_lives(void); // link makes progress: at least every 3 s, else the chip starts anew
_Noreturn void bite(void);
_Noreturn void crash(uint32_t cause, uint32_t pc, uint32_t lr);
_Noreturn void crash_at(uint32_t cause, const uint32_t *frame);
void restore_kept(void);
void keep_counters(void);

// ---- board.c, made by the build
struct board_output { uint8_t number, gpio; uint16_t safe; };
struct board_input { uint8_t number, gpio; };
struct board_poll { uint8_t tap, uart, tx, de; uint32_t character_us; };
struct board_tap { uint8_t uart, gpio, line_control, character_bits; uint32_t baud; };
extern const struct board_output board_pwm[], board_digital[];
extern const struct board_input board_adc[], board_pins[], board_pulses[];
extern const struct board_tap board_taps[];
#if BOARD_POLLS > 0
extern const struct board_poll board_polls[];
#endif
extern const uint8_t board_loop_hash[32], board_link_hash[32];

#endif
