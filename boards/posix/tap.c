// SPDX-License-Identifier: MIT
// Taps: a serial port that is read, each character with its time.
//
// One thread a tap waits in read(). The port is opened for reading alone; what a tap that polls sends goes through a
// second opening of it, which loop's thread makes and closes, and which no other tap has. Linux tells neither when a character came nor which of parity and framing was wrong: characters of one read
// are taken as sent without gaps, the last one now, and both flags are set. Queue: one producer, one consumer.

#include "posix.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { FLAG_FRAMING = 1, FLAG_PARITY = 2, FLAG_BREAK = 4, FLAG_OVERRUN = 8, CHUNK = 256 };
enum { REOPEN_MS = 1000 };

struct entry { uint32_t time_us; uint8_t octet, flags; };
struct tap {
  unsigned number;
  int file;
  bool is_terminal;
  struct board_tap line;  // as node.json has it, until loop sets another
  _Atomic uint32_t character_us;
  uint64_t last_us;  // end of the latest character
  unsigned marked;   // octets of a mark (FF 00 x) that came so far
  bool lost;         // since the latest entry that had room
  atomic_bool ready;   // the port is there and set
  int out;             // of a tap that polls, loop's thread alone; below 0: not open
  uint64_t out_us;     // when that was tried
  atomic_uint head, tail;
  struct entry entries[TAP_ENTRIES];
};
static struct tap taps[TAPS_MAX];

// B0: this system has no such rate.
static speed_t speed_of(unsigned baud) {
  static const struct { unsigned baud; speed_t speed; } speeds[] = {
    { 300, B300 },       { 600, B600 },       { 1200, B1200 },     { 2400, B2400 },
    { 4800, B4800 },     { 9600, B9600 },     { 19200, B19200 },   { 38400, B38400 },
    { 57600, B57600 },   { 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 },
    { 921600, B921600 },
  };
  for (unsigned i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
    if (speeds[i].baud == baud) return speeds[i].speed;
  return B0;
}

static void configure(struct tap *tap) {
  const struct board_tap *line = &tap->line;
  struct termios mode;
  tap->is_terminal = tcgetattr(tap->file, &mode) == 0;
  if (!tap->is_terminal) return;  // a pipe or a file, as it is
  cfmakeraw(&mode);
  mode.c_iflag |= PARMRK | (line->parity == 'N' ? 0 : INPCK);
  mode.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | IGNPAR);
  mode.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB);
  mode.c_cflag |= CLOCAL | CREAD | (line->data_bits == 7 ? CS7 : CS8);
  if (line->parity != 'N') mode.c_cflag |= PARENB;
  if (line->parity == 'O') mode.c_cflag |= PARODD;
  if (line->stop_bits == 2) mode.c_cflag |= CSTOPB;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  cfsetispeed(&mode, speed_of(line->baud));
  cfsetospeed(&mode, speed_of(line->baud));
  tcsetattr(tap->file, TCSANOW, &mode);
}

static void set_line(struct tap *tap, struct board_tap line) {
  const unsigned bits = 1 + line.data_bits + (line.parity == 'N' ? 0 : 1) + line.stop_bits;
  tap->line = line;
  atomic_store(&tap->character_us, (bits * 1000000u + line.baud - 1) / line.baud);
}

static void put(struct tap *tap, uint64_t end_us, uint8_t octet, uint8_t flags) {
  const unsigned head = atomic_load_explicit(&tap->head, memory_order_relaxed);
  if (head - atomic_load_explicit(&tap->tail, memory_order_acquire) >= TAP_ENTRIES) {
    tap->lost = true;
    return;
  }
  const uint8_t overrun = tap->lost ? FLAG_OVERRUN : 0;
  tap->entries[head % TAP_ENTRIES] =
      (struct entry){ (uint32_t)end_us, octet, (uint8_t)(flags | overrun) };
  tap->lost = false;
  atomic_store_explicit(&tap->head, head + 1, memory_order_release);
}

// With PARMRK a damaged x comes as FF 00 x, a break as FF 00 00, a sound FF as FF FF.
static void take_octet(struct tap *tap, uint64_t end_us, uint8_t octet) {
  if (!tap->is_terminal) return put(tap, end_us, octet, 0);
  if (tap->marked == 0 && octet == 0xff) { tap->marked = 1; return; }
  if (tap->marked == 1 && octet == 0) { tap->marked = 2; return; }
  const bool damaged = tap->marked == 2;
  tap->marked = 0;
  put(tap, end_us, octet,
      !damaged ? 0 : octet == 0 ? FLAG_BREAK | FLAG_FRAMING : FLAG_FRAMING | FLAG_PARITY);
}

static void hear(struct tap *tap, const uint8_t *octets, unsigned count) {
  const uint64_t now = clock_us();
  const uint64_t took = (uint64_t)(count - 1) * tap->character_us;
  uint64_t end = now > took ? now - took : 0;
  if (end < tap->last_us + tap->character_us) end = tap->last_us + tap->character_us;
  for (unsigned i = 0; i < count; i++, end += tap->character_us) {
    tap->last_us = end < now ? end : now;
    take_octet(tap, tap->last_us, octets[i]);
  }
  wake_link();
}

// An unplugged port is opened again, once a second, until it is back.
static void *run_tap(void *argument) {
  struct tap *tap = argument;
  uint8_t octets[CHUNK];
  for (;;) {
    const ssize_t count = tap->file < 0 ? 0 : read(tap->file, octets, sizeof octets);
    if (count > 0) { hear(tap, octets, (unsigned)count); continue; }
    if (count < 0 && errno == EINTR) continue;
    if (tap->file >= 0) {
      say("tap %u: %s is gone", tap->number, options.taps[tap->number].path);
      atomic_store(&tap->ready, false);
      close(tap->file);
    }
    usleep(REOPEN_MS * 1000);
    tap->file = open(options.taps[tap->number].path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (tap->file < 0) continue;
    configure(tap);
    atomic_store(&tap->ready, true);
    say("tap %u: %s is back", tap->number, options.taps[tap->number].path);
  }
}

static const char *out_path(unsigned number) {
  const char *own = options.tap_outs[number].path;
  return own != NULL ? own : options.taps[number].path;
}

void open_taps(void) {
  for (unsigned i = 0; i < board_tap_count; i++) {
    const char *path = options.taps[i].path;
    const struct board_tap *line = &board_taps[i];
    pthread_t thread;
    if (path == NULL) { say("tap %u hears nothing: no --tap %u=PORT", i, i); continue; }
    if (speed_of(line->baud) == B0) refuse(1, "%u baud is no rate of this system", line->baud);
    taps[i].number = i;
    set_line(&taps[i], *line);
    taps[i].file = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (taps[i].file < 0) refuse(1, "%s: %s", path, strerror(errno));
    configure(&taps[i]);
    taps[i].out = -1;
    atomic_store(&taps[i].ready, true);
    if (line->polls) say("tap %u polls: it sends on %s", i, out_path(i));
    if (pthread_create(&thread, NULL, run_tap, &taps[i]) != 0) refuse(1, "no thread for a tap");
    pthread_detach(thread);
  }
}

unsigned take_tap(unsigned number, uint8_t *target, unsigned entries) {
  if (number >= TAPS_MAX) return 0;
  struct tap *tap = &taps[number];
  const unsigned tail = atomic_load_explicit(&tap->tail, memory_order_relaxed);
  const unsigned waiting = atomic_load_explicit(&tap->head, memory_order_acquire) - tail;
  const unsigned count = waiting < entries ? waiting : entries;
  for (unsigned i = 0; i < count; i++) {
    const struct entry *entry = &tap->entries[(tail + i) % TAP_ENTRIES];
    const uint8_t octets[8] = { (uint8_t)entry->time_us,         (uint8_t)(entry->time_us >> 8),
                                (uint8_t)(entry->time_us >> 16), (uint8_t)(entry->time_us >> 24),
                                entry->octet,                    entry->flags };
    memcpy(target + 8 * i, octets, sizeof octets);
  }
  atomic_store_explicit(&tap->tail, tail + count, memory_order_release);
  return count;
}

static void close_out(struct tap *tap) {
  if (tap->out >= 0) close(tap->out);
  tap->out = -1;
}

// Called by loop. A port that is gone, or takes no more, sends nothing: its units are as silent.
int32_t put_tap(unsigned number, const uint8_t *octets, unsigned length) {
  if (number >= board_tap_count || !board_taps[number].polls) return -1;
  struct tap *tap = &taps[number];
  if (!atomic_load(&tap->ready)) {
    close_out(tap);
    return 0;
  }
  if (tap->out < 0) {
    if (tap->out_us != 0 && clock_us() - tap->out_us < REOPEN_MS * 1000) return 0;
    tap->out_us = clock_us();
    tap->out = open(out_path(number), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (tap->out < 0) return 0;
  }
  if (write(tap->out, octets, length) == (ssize_t)length) return 1;
  if (errno != EAGAIN) close_out(tap);
  return 0;
}

// Called by loop. What came at the old rate is dropped; the port is configured anew as well when it comes back.
bool open_tap(unsigned number, uint32_t baud, uint32_t format) {
  static const struct { unsigned data_bits; char parity; unsigned stop_bits; } formats[] = {
    { 0, 'N', 0 }, { 7, 'E', 1 }, { 7, 'O', 1 }, { 8, 'N', 1 },
    { 8, 'E', 1 }, { 8, 'O', 1 }, { 0, 'N', 0 }, { 8, 'N', 2 },
  };
  if (number >= board_tap_count) return false;
  struct tap *tap = &taps[number];
  if (baud == 0) return true;
  if (format >= sizeof formats / sizeof formats[0] || formats[format].data_bits == 0) return false;
  if (speed_of(baud) == B0) return false;
  set_line(tap, (struct board_tap){ baud, formats[format].data_bits, formats[format].parity,
                                    formats[format].stop_bits, tap->line.polls });
  if (options.taps[number].path != NULL && tap->file >= 0) {
    configure(tap);
    if (tap->is_terminal) tcflush(tap->file, TCIFLUSH);
  }
  atomic_store_explicit(&tap->tail, atomic_load_explicit(&tap->head, memory_order_acquire),
                        memory_order_release);
  return true;
}
