// SPDX-License-Identifier: MIT
// A node as a flash image: everything set up in its order, then link for ever.
//
// Outputs are safe before anything else runs; ticks begin last.

#include "rp2040.h"

int main(void) {
  protect_memory();
  release_peripherals();
  set_up_pins();
  set_up_watchdog();
  set_up_priorities();
  restore_kept();
  open_flash();
  read_identity();
  set_up_entropy();
  set_up_analog();
  set_up_taps();
  set_up_polls();
  set_up_accelerometer();
  set_up_network();
  start_loop();
  start_ticks();
  run_link();
}
