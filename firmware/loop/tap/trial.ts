// SPDX-License-Identifier: MIT
// Rates and formats in the order in which they are tried without edges.
//
// A serial port of a computer gives octets only. What is common comes first; after the last the first one comes again.

/** How many there are. */
export const TRIALS: i32 = 45;

/** Rate of a trial. */
export function trialBaud(trial: i32): u32 {
  return load<u32>(pairs() + (trial << 3));
}

/** Format code of a trial. */
export function trialFormat(trial: i32): i32 {
  return load<u32>(pairs() + (trial << 3) + 4);
}

// A function, so that only a module with such a tap has the table.
function pairs(): usize {
  return memory.data<u32>([
    // baud, format code of ring record 5; the first is in place of the hint
    0, 0, 9600, 3, 9600, 4, 19200, 4, 19200, 3, 115200, 3, 2400, 4, 9600, 1, 38400, 3, 38400, 4,
    4800, 3, 57600, 3, 300, 1, 1200, 3, 2400, 3, 9600, 5, 19200, 5, 19200, 2, 57600, 4, 115200, 4,
    4800, 4, 1200, 1, 1200, 4, 2400, 1, 4800, 1, 9600, 2, 19200, 1, 2400, 5, 1200, 5, 4800, 5,
    38400, 5, 57600, 5, 115200, 5, 1200, 2, 2400, 2, 4800, 2, 38400, 1, 38400, 2, 300, 4, 600, 4,
    600, 3, 300, 3, 230400, 3, 460800, 3, 921600, 3,
  ]);
}
