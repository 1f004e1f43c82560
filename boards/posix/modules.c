// SPDX-License-Identifier: MIT
// The two modules in their threads: ticks, polls, traps, functions of pins.
//
// Spec: SPEC.md §1.1, §1.2. (P1) ticks stand at start + k x period; nothing that link does moves one.
// (P2) outputs are safe whenever loop is not there. A module that traps, or uses the processor for longer than it may,
// leaves by siglongjmp; it holds no lock: what it was doing is forgotten with its instance.
// A module is entered by one thread only, so each has its own way out.

#include "../host.h"
#include "hooks.h"
#include "link.h"
#include "loop.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum {
  LINK_RESTART_US = 100000,   // after a trap: long enough to see it, short against keep alive
  POLL_MS_MAX = 1000,         // SPEC.md §1.2
  LINK_CPU_US_MAX = 2000000,  // of one poll: more is a loop without end
  GOODBYE_US_MAX = 5000000,   // for stop() until poll() gives -1
  LATE_US_MAX = 1000000,      // ticks later than this (a suspended machine) are given up
  TRAP_HANG = 10,
};

// Where a module's thread goes when the module is done with before it returned.
struct exit_door {
  sigjmp_buf back;
  volatile sig_atomic_t inside;   // the module runs, and no host function of it
  volatile sig_atomic_t overdue;  // its time is up; a host function that is under way ends first
  int kind;
  unsigned function, offset;
};
static struct exit_door loop_door, link_door;
static __thread struct exit_door *door;
static struct { unsigned long ticks, given_up; uint64_t latest_us; } rhythm;  // loop's thread writes

struct host_counters host_counters;
atomic_bool stopping;

static _Noreturn void leave(struct exit_door *by, int kind, unsigned function, unsigned offset) {
  by->inside = 0;
  by->kind = kind;
  by->function = function;
  by->offset = offset;
  siglongjmp(by->back, 1);
}

_Noreturn void loop_trap(int kind, unsigned function, unsigned offset) {
  leave(&loop_door, kind, function, offset);
}
_Noreturn void link_trap(int kind, unsigned function, unsigned offset) {
  leave(&link_door, kind, function, offset);
}

static void time_is_up(int signal) {
  (void)signal;
  if (door == NULL) return;
  door->overdue = 1;
  if (door->inside) leave(door, TRAP_HANG, ~0u, 0);
}

// ---- host functions: outside the module while they run
void enter_host(void) { door->inside = 0; }
uint32_t leave_host(uint32_t result) {
  if (door->overdue) leave(door, TRAP_HANG, ~0u, 0);
  door->inside = 1;
  return result;
}

uint32_t host_now_us(void) {
  enter_host();
  return leave_host((uint32_t)clock_us());
}
uint32_t host_adc_read(uint32_t input) {
  enter_host();
  return leave_host((uint32_t)read_pin(PIN_ADC, input));
}
uint32_t host_digital_read(uint32_t pin) {
  enter_host();
  return leave_host((uint32_t)read_pin(PIN_DIGITAL, pin));
}
uint32_t host_pulse_count(uint32_t input) {
  enter_host();
  const int32_t count = read_pin(PIN_PULSES, input);
  return leave_host(count < 0 ? 0 : (uint32_t)count);
}
uint32_t host_pwm_write(uint32_t output, uint32_t duty) {
  enter_host();
  return leave_host(write_duty(output, duty > 65535 ? 65535 : duty) ? 0 : ~0u);
}
uint32_t host_digital_write(uint32_t pin, uint32_t level) {
  enter_host();
  return leave_host(write_level(pin, level != 0) ? 0 : ~0u);
}

void count_dropped(void) { atomic_fetch_add(&host_counters.ring_dropped, 1); }

void read_counters(uint32_t counters[4]) {
  counters[0] = atomic_load(&host_counters.ring_dropped);
  counters[1] = atomic_load(&host_counters.loop_traps);
  counters[2] = atomic_load(&host_counters.loop_overruns);
  counters[3] = atomic_load(&host_counters.link_traps);
}

unsigned take_entropy(uint8_t *target, unsigned length) {
  const ssize_t got = getrandom(target, length, 0);
  return got < 0 ? 0 : (unsigned)got;
}

// ---- entering a module
static __thread timer_t watchdog;

// A timer on what this thread uses of the processor: a busy machine is no overrun.
static void make_watchdog(void) {
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
  clockid_t clock;
  event.sigev_notify_thread_id = gettid();
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0 ||
      timer_create(clock, &event, &watchdog) != 0)
    refuse(1, "no timer for a module's time: %s", strerror(errno));
}

static void set_watchdog(uint64_t us) {
  const struct itimerspec in = {
    .it_value = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 },
  };
  timer_settime(watchdog, 0, &in, NULL);
}

// Runs one export; true: it returned. `result` may be NULL.
static bool enter(struct exit_door *by, uint64_t cpu_us, void (*action)(void)) {
  door = by;
  by->overdue = 0;
  set_watchdog(cpu_us);
  if (sigsetjmp(by->back, 1) != 0) {
    by->inside = 0;
    set_watchdog(0);
    return false;
  }
  by->inside = 1;
  action();
  by->inside = 0;
  set_watchdog(0);
  return true;
}

// ---- loop
static void start_loop(void) {
  loop_init();
  loop_init_2();
}

// The 1st, 2nd, 4th, 8th, ... failure is said, so that a module that always fails fills no log.
static bool is_told(unsigned count) { return (count & (count - 1)) == 0; }

static void loop_failed(void) {
  const bool hang = loop_door.kind == TRAP_HANG;
  atomic_uint *counter = hang ? &host_counters.loop_overruns : &host_counters.loop_traps;
  const unsigned count = atomic_fetch_add(counter, 1) + 1;
  outputs_to_safe();  // (P2)
  if (!is_told(count)) return;
  if (hang) say("loop took longer than its period: outputs are safe, it starts again");
  else
    say("loop trapped (kind %d, function %u, offset %u): outputs are safe, it starts again",
        loop_door.kind, loop_door.function, loop_door.offset);
}

static void sleep_until(uint64_t at_us) {
  const uint64_t now = clock_us();
  struct timespec t;
  if (at_us <= now) return;
  clock_gettime(CLOCK_MONOTONIC, &t);
  const uint64_t ns = (uint64_t)t.tv_nsec + (at_us - now) * 1000u;
  t.tv_sec += (time_t)(ns / 1000000000u);
  t.tv_nsec = (long)(ns % 1000000000u);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static void *run_loop(void *unused) {
  (void)unused;
  const struct sched_param first = { .sched_priority = 20 };
  if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &first) != 0)
    say("ticks have no real-time priority here (run with CAP_SYS_NICE)");
  make_watchdog();
  outputs_to_safe();
  bool alive = enter(&loop_door, board_period_us, start_loop);
  if (!alive) loop_failed();
  uint64_t due = clock_us();
  while (!atomic_load(&stopping)) {
    due += board_period_us;  // (P1)
    for (; clock_us() > due + LATE_US_MAX; due += board_period_us) rhythm.given_up++;
    sleep_until(due);
    const uint64_t late = clock_us() - due;
    if (late > rhythm.latest_us) rhythm.latest_us = late;
    rhythm.ticks++;
    if (!alive) alive = enter(&loop_door, board_period_us, start_loop);
    if (alive) alive = enter(&loop_door, board_period_us, loop_tick);
    if (!alive) loop_failed();
  }
  outputs_to_safe();
  return NULL;
}

// ---- link
static uint32_t delay_ms;
static void start_link(void) {
  link_init();
  link_init_2();
}
static void poll_link(void) { delay_ms = link_poll(); }

static void link_failed(void) {
  if (is_told(atomic_fetch_add(&host_counters.link_traps, 1) + 1))
    say("link trapped (kind %d, function %u, offset %u): loop goes on, link starts again",
        link_door.kind, link_door.function, link_door.offset);
  usleep(LINK_RESTART_US);
}

static void say_goodbye(void) {
  const uint64_t end = clock_us() + GOODBYE_US_MAX;
  if (!enter(&link_door, LINK_CPU_US_MAX, link_stop)) return;
  while (clock_us() < end && enter(&link_door, LINK_CPU_US_MAX, poll_link)) {
    if (delay_ms == ~0u) return;
    wait_for_link(delay_ms < POLL_MS_MAX ? delay_ms : POLL_MS_MAX);
  }
}

static void run_link(uint64_t end_us) {
  bool alive = false;
  make_watchdog();
  while (!atomic_load(&stopping) && clock_us() < end_us) {
    if (!alive) alive = enter(&link_door, LINK_CPU_US_MAX, start_link);
    if (alive) alive = enter(&link_door, LINK_CPU_US_MAX, poll_link);
    if (!alive) {
      link_failed();
      continue;
    }
    wait_for_link(delay_ms < 1 ? 1 : delay_ms < POLL_MS_MAX ? delay_ms : POLL_MS_MAX);
  }
  atomic_store(&stopping, true);
  if (alive) say_goodbye();
}

void run_modules(void) {
  struct sigaction action = { .sa_handler = time_is_up };
  pthread_t thread;
  sigaction(SIGRTMIN, &action, NULL);
  if (pthread_create(&thread, NULL, run_loop, NULL) != 0) refuse(1, "no thread for loop");
  run_link(options.seconds > 0 ? (uint64_t)(options.seconds * 1e6) : UINT64_MAX);
  pthread_join(thread, NULL);
  say("%lu ticks, %lu given up, the latest by %lu us; "
      "loop trapped %u and overran %u times, link trapped %u times",
      rhythm.ticks, rhythm.given_up, (unsigned long)rhythm.latest_us,
      atomic_load(&host_counters.loop_traps), atomic_load(&host_counters.loop_overruns),
      atomic_load(&host_counters.link_traps));
}
