// SPDX-License-Identifier: MIT
// Pins as files, as Linux has them in /sys: a number in text at offset 0.
//
// An input without a path is not there (-1). A file that cannot be read now is not there either, until it can.
// Outputs are written when they change. An accelerometer is a pipe or device of 16-bit samples.

#include "posix.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int adc[PINS_MAX], digital_in[PINS_MAX], pulses[PINS_MAX];
static int pwm[PINS_MAX], digital_out[PINS_MAX], accelerometers[PINS_MAX];
static int64_t last_duty[PINS_MAX], last_level[PINS_MAX];

static void open_all(const struct pin_path *paths, int *files, int flags) {
  for (unsigned i = 0; i < PINS_MAX; i++) {
    files[i] = -1;
    if (paths[i].path == NULL) continue;
    files[i] = open(paths[i].path, flags | O_CLOEXEC, 0644);
    if (files[i] < 0) refuse(1, "%s: %s", paths[i].path, strerror(errno));
  }
}

void open_pins(void) {
  open_all(options.adc, adc, O_RDONLY);
  open_all(options.digital_in, digital_in, O_RDONLY);
  open_all(options.pulses, pulses, O_RDONLY);
  open_all(options.accelerometers, accelerometers, O_RDONLY | O_NONBLOCK);
  open_all(options.pwm, pwm, O_WRONLY | O_CREAT);
  open_all(options.digital_out, digital_out, O_WRONLY | O_CREAT);
  for (unsigned i = 0; i < PINS_MAX; i++) last_duty[i] = last_level[i] = -1;
}

int32_t read_pin(unsigned kind, unsigned number) {
  if (number >= PINS_MAX) return -1;
  const int file = (kind == PIN_ADC ? adc : kind == PIN_DIGITAL ? digital_in : pulses)[number];
  char text[24];
  char *end;
  if (file < 0) return -1;
  const ssize_t length = pread(file, text, sizeof text - 1, 0);
  if (length <= 0) return -1;
  text[length] = 0;
  const long long value = strtoll(text, &end, 10);
  return end == text ? -1 : (int32_t)(uint32_t)value;
}

// Always the same width, so that nothing of the number before is left.
static void write_number(int file, long long value) {
  char text[24];
  const int length = snprintf(text, sizeof text, "%10lld\n", value);
  if (file >= 0 && pwrite(file, text, (size_t)length, 0) < 0) say("an output: %s", strerror(errno));
}

bool write_duty(unsigned output, uint32_t duty) {
  for (unsigned i = 0; i < board_pwm_count; i++) {
    if (board_pwm[i].output != output || output >= PINS_MAX) continue;
    const double full = options.pwm[output].full;
    if (last_duty[output] != duty)
      write_number(pwm[output], full > 0 ? (long long)(full * duty / 65535 + 0.5) : duty);
    last_duty[output] = duty;
    return true;
  }
  return false;
}

bool write_level(unsigned pin, uint32_t level) {
  for (unsigned i = 0; i < board_digital_count; i++) {
    if (board_digital[i].output != pin || pin >= PINS_MAX) continue;
    if (last_level[pin] != level) write_number(digital_out[pin], level);
    last_level[pin] = level;
    return true;
  }
  return false;
}

unsigned read_burst(unsigned device, uint8_t *target, unsigned samples) {
  if (device >= PINS_MAX || accelerometers[device] < 0) return 0;
  const ssize_t length = read(accelerometers[device], target, (size_t)samples * 2);
  return length > 0 ? (unsigned)length / 2 : 0;
}

void outputs_to_safe(void) {
  for (unsigned i = 0; i < board_pwm_count; i++) write_duty(board_pwm[i].output, board_pwm[i].safe);
  for (unsigned i = 0; i < board_digital_count; i++)
    write_level(board_digital[i].output, board_digital[i].safe);
}
