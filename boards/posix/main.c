// SPDX-License-Identifier: MIT
// A node as a process: opens everything, runs both modules until told to end.

#include "posix.h"
#include <signal.h>

static void stop(int signal) {
  (void)signal;
  atomic_store(&stopping, true);
  wake_link();
}

int main(int argc, char **argv) {
  const struct sigaction action = { .sa_handler = stop };
  read_options(argc, argv);
  clock_us();
  open_flash();
  open_pins();
  open_network();
  open_taps();
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  say("%s, a tick each %u us, %u taps", board_type, (unsigned)board_period_us, board_tap_count);
  run_modules();
  return 0;
}
