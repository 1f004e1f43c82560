// SPDX-License-Identifier: MIT
// A map of CBOR as a small SenML record.

#include <stdint.h>

typedef struct {
  uint8_t *bytes;
  int position;
} writer_t;

static uint8_t buffer[64];
static writer_t writer = {buffer, 0};

static void put(writer_t *w, uint32_t value) { w->bytes[w->position++] = (uint8_t)value; }

static void head(writer_t *w, int major, uint32_t argument) {
  uint32_t type = major << 5;
  if (argument < 24) {
    put(w, type | argument);
  } else if (argument < 0x100) {
    put(w, type | 24);
    put(w, argument);
  } else if (argument < 0x10000) {
    put(w, type | 25);
    put(w, argument >> 8);
    put(w, argument);
  } else {
    put(w, type | 26);
    put(w, argument >> 24);
    put(w, argument >> 16);
    put(w, argument >> 8);
    put(w, argument);
  }
}

static void integer(writer_t *w, int32_t value) {
  if (value >= 0)
    head(w, 0, value);
  else
    head(w, 1, ~value);
}

static void text(writer_t *w, const char *value) {
  int length = 0;
  while (value[length]) length++;
  head(w, 3, length);
  for (int i = 0; i < length; i++) put(w, value[i]);
}

__attribute__((noinline)) static int reading(int32_t time, int32_t value) {
  writer.position = 0;
  head(&writer, 5, 5);
  integer(&writer, -2);
  text(&writer, "dev1");
  integer(&writer, -3);
  integer(&writer, time);
  integer(&writer, 0);
  text(&writer, "temp");
  integer(&writer, 1);
  text(&writer, "Cel");
  integer(&writer, 2);
  head(&writer, 6, 4);
  head(&writer, 4, 2);
  integer(&writer, -2);
  integer(&writer, value);
  return writer.position;
}

int32_t native_run(int32_t n) {
  int32_t sum = 0;
  for (int32_t i = 0; i < n; i++) {
    int length = reading(1000000 + i, 2137 - (i << 6));
    for (int k = 0; k < length; k++) sum = (sum * 31 + writer.bytes[k]) & 0xffff;
  }
  return sum;
}
