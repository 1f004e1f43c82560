// SPDX-License-Identifier: MIT
// The parts of the posix host and what they know of each other.
//
// Two threads: loop's, woken by an absolute timer, and link's, woken by datagrams and records. Between them
// are only the two queues of channel.c. What is here is set before the threads start, or atomic.

#ifndef POSIX_H
#define POSIX_H
#include "../channel.h"
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

enum {
  PINS_MAX = 32,         // numbers that an input or output may have
  TAPS_MAX = 4,          // SPEC.md: taps of one node
  GATEWAYS_MAX = 4,      // configured ones
  PEERS_MAX = 8,         // SPEC.md §1.2: addresses that answered, at a time
  DATAGRAM_MAX = 1400,   // octets; longer ones are dropped and counted
  RING_BYTES = 8192,     // a power of two; between two polls
  TAP_ENTRIES = 1024,    // a second at 9,600 baud
  FLASH_BYTES = 8192,    // SPEC.md §1.2: two sectors
  SECTOR_BYTES = 4096,
};

// ---- What the image was built from: board.c, made by the build.
struct board_tap {
  unsigned baud, data_bits;
  char parity;
  unsigned stop_bits;
  bool polls;  // it is the only kind that sends
};
struct board_output { unsigned output; unsigned safe; };
extern const char board_type[];
extern const uint32_t board_period_us;
extern const struct board_tap board_taps[];
extern const unsigned board_tap_count;
extern const struct board_output board_pwm[];
extern const unsigned board_pwm_count;
extern const struct board_output board_digital[];
extern const unsigned board_digital_count;
extern const uint8_t board_loop_hash[32];
extern const uint8_t board_link_hash[32];

// ---- options.c
struct pin_path { const char *path; double full; };  // full: what 65,535 is written as; 0: as it is
struct options {
  char id[24];
  uint8_t eui64[8];
  bool has_eui64;
  const char *flash;
  struct sockaddr_in gateways[GATEWAYS_MAX];
  unsigned gateway_count;
  struct pin_path adc[PINS_MAX], pwm[PINS_MAX], digital_in[PINS_MAX], digital_out[PINS_MAX];
  struct pin_path pulses[PINS_MAX], accelerometers[PINS_MAX], taps[TAPS_MAX], tap_outs[TAPS_MAX];
  double seconds;  // 0: until a signal
};
extern struct options options;
void read_options(int argc, char **argv);
_Noreturn void refuse(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- clock.c
uint64_t clock_us(void);  // since the process started

// ---- pins.c
void open_pins(void);
int32_t read_pin(unsigned kind, unsigned number);  // -1: there is none
bool write_duty(unsigned output, uint32_t duty);
bool write_level(unsigned pin, uint32_t level);
unsigned read_burst(unsigned device, uint8_t *target, unsigned samples);
void outputs_to_safe(void);
enum { PIN_ADC, PIN_DIGITAL, PIN_PULSES };

// ---- tap.c
void open_taps(void);
unsigned take_tap(unsigned tap, uint8_t *target, unsigned entries);
bool open_tap(unsigned tap, uint32_t baud, uint32_t format);  // SPEC.md §1.1, tap_open
int32_t put_tap(unsigned tap, const uint8_t *octets, unsigned length);  // SPEC.md §1.1, tap_put
static inline int32_t take_tap_edges(unsigned tap, uint8_t *target, unsigned capacity) {
  (void)tap, (void)target, (void)capacity;
  return -1;  // a port gives characters only
}
static inline uint32_t tap_edge_unit_ps(unsigned tap) { (void)tap; return 0; }

// ---- network.c
int open_network(void);  // the socket
bool send_datagram(uint32_t peer, const uint8_t *octets, unsigned length);
unsigned receive_datagram(uint8_t *octets, unsigned capacity, uint32_t *peer);  // 0: none
void wake_link(void);
void wait_for_link(uint32_t milliseconds);
extern atomic_uint datagrams_dropped;

// ---- flash.c
void open_flash(void);
bool read_link_flash(uint32_t offset, uint8_t *target, uint32_t length);
bool erase_link_flash(uint32_t offset);
bool program_link_flash(uint32_t offset, const uint8_t *source, uint32_t length);

// ---- modules.c
struct host_counters { atomic_uint ring_dropped, loop_traps, loop_overruns, link_traps; };
extern struct host_counters host_counters;
extern atomic_bool stopping;
void run_modules(void);

#endif
