// SPDX-License-Identifier: MIT
// What the process is told on its command line, and what it says on stderr.

#include "posix.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options;

enum { EXIT_USAGE = 2 };
static const char HELP[] =
    "usage: node --id ID --gateway HOST:PORT [--gateway ...] [options]\n"
    "  --flash FILE              keeps boot numbers over restarts\n"
    "  --eui64 HEX               16 digits; without it, from the id\n"
    "  --tap N=PORT              a serial port, pty or pipe; only read, unless node.json polls it\n"
    "  --tap-out N=PATH          where a tap that polls sends; without it, its port\n"
    "  --adc N=FILE              a count 0..4095 in text, as /sys/bus/iio has it\n"
    "  --pwm N=FILE[:FULL]       the duty 0..65535, or 0..FULL\n"
    "  --digital-in N=FILE       0 or 1; --digital-out N=FILE the same\n"
    "  --pulses N=FILE           pulses so far\n"
    "  --accelerometer N=FILE    a pipe of 16-bit samples, little-endian\n"
    "  --for SECONDS             ends by itself\n";

static void tell(const char *format, va_list list) {
  fprintf(stderr, "%s: ", options.id[0] ? options.id : "node");
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
}

void say(const char *format, ...) {
  va_list list;
  va_start(list, format);
  tell(format, list);
  va_end(list);
}

void refuse(int code, const char *format, ...) {
  va_list list;
  va_start(list, format);
  tell(format, list);
  va_end(list);
  exit(code);
}

static void read_id(const char *text) {
  const size_t length = strlen(text);
  const char *allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (length < 1 || length > 23 || strspn(text, allowed) != length)
    refuse(EXIT_USAGE, "--id %s: 1 to 23 letters, digits, - and _", text);
  memcpy(options.id, text, length + 1);
}

static void read_eui64(const char *text) {
  if (strlen(text) != 16 || strspn(text, "0123456789abcdefABCDEF") != 16)
    refuse(EXIT_USAGE, "--eui64 %s: 16 hexadecimal digits", text);
  for (unsigned i = 0; i < 8; i++) {
    const char pair[3] = { text[2 * i], text[2 * i + 1], 0 };
    options.eui64[i] = (uint8_t)strtoul(pair, NULL, 16);
  }
  options.has_eui64 = true;
}

static void read_gateway(const char *text) {
  char host[256];
  const char *colon = strrchr(text, ':');
  const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
  struct addrinfo *found = NULL;
  if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host)
    refuse(EXIT_USAGE, "--gateway %s: HOST:PORT", text);
  if (options.gateway_count == GATEWAYS_MAX)
    refuse(EXIT_USAGE, "--gateway %s: at most %d", text, GATEWAYS_MAX);
  memcpy(host, text, (size_t)(colon - text));
  host[colon - text] = 0;
  if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
    refuse(3, "--gateway %s: no such host", text);
  memcpy(&options.gateways[options.gateway_count++], found->ai_addr, sizeof(struct sockaddr_in));
  freeaddrinfo(found);
}

static void read_pin_path(const char *name, char *text, struct pin_path *paths, unsigned most) {
  char *end;
  const unsigned long number = strtoul(text, &end, 10);
  if (end == text || *end != '=' || end[1] == 0 || number >= most)
    refuse(EXIT_USAGE, "%s %s: N=PATH, N below %u", name, text, most);
  paths[number].path = end + 1;
  char *colon = strrchr(end + 1, ':');
  if (strcmp(name, "--pwm") != 0 || colon == NULL) return;
  paths[number].full = strtod(colon + 1, NULL);
  *colon = 0;
}

void read_options(int argc, char **argv) {
  const struct { const char *name; struct pin_path *paths; unsigned most; } pins[] = {
    { "--adc", options.adc, PINS_MAX },
    { "--pwm", options.pwm, PINS_MAX },
    { "--digital-in", options.digital_in, PINS_MAX },
    { "--digital-out", options.digital_out, PINS_MAX },
    { "--pulses", options.pulses, PINS_MAX },
    { "--accelerometer", options.accelerometers, PINS_MAX },
    { "--tap", options.taps, TAPS_MAX },
    { "--tap-out", options.tap_outs, TAPS_MAX },
  };
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (strcmp(name, "--help") == 0) { fputs(HELP, stdout); exit(0); }
    if (i + 1 == argc) refuse(EXIT_USAGE, "%s: what? See --help", name);
    char *value = argv[++i];
    bool known = false;
    for (unsigned k = 0; k < sizeof pins / sizeof pins[0]; k++) {
      if (strcmp(name, pins[k].name) != 0) continue;
      read_pin_path(name, value, pins[k].paths, pins[k].most);
      known = true;
    }
    if (known) continue;
    if (strcmp(name, "--id") == 0) read_id(value);
    else if (strcmp(name, "--eui64") == 0) read_eui64(value);
    else if (strcmp(name, "--gateway") == 0) read_gateway(value);
    else if (strcmp(name, "--flash") == 0) options.flash = value;
    else if (strcmp(name, "--for") == 0) options.seconds = strtod(value, NULL);
    else refuse(EXIT_USAGE, "%s: unknown. See --help", name);
  }
  if (options.id[0] == 0) refuse(EXIT_USAGE, "--id is missing. See --help");
  if (options.gateway_count == 0) refuse(EXIT_USAGE, "--gateway is missing. See --help");
  if (!options.has_eui64) {
    uint64_t hash = 14695981039346656037u;  // FNV-1a: the same id, the same address
    for (const char *c = options.id; *c; c++) hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    for (unsigned i = 0; i < 8; i++) options.eui64[i] = (uint8_t)(hash >> (8 * i));
    options.eui64[0] = (uint8_t)((options.eui64[0] | 2) & ~1);  // local, individual
  }
}
