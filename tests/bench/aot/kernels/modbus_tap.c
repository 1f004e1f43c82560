// SPDX-License-Identifier: MIT
// A Modbus line heard by a passive tap: requests, answers, a write, noise.
//
// The same decisions as firmware/loop/tap, where they are explained, with structs and arrays of C.

#include <stdbool.h>
#include <stdint.h>

enum { FRAME_BYTES_MAX = 256, MASK = 255, UNIT_MAX = 247, EXCEPTION_FLAG = 0x80 };
enum { ANSWER_US_MAX = 1000000, SILENCE_CHARACTERS = 40, CHARACTER_US = 1146 };
enum {
  BYTES, FRAMES, REQUESTS, RESPONSES, EXCEPTIONS, PAIRS, ORPHANS, UNANSWERED, BROADCASTS, JUNK,
  COUNTERS
};

typedef struct {
  uint32_t head;
  int32_t fill;
  uint32_t sum, weight;
  uint8_t octets[FRAME_BYTES_MAX];
  uint16_t sums[FRAME_BYTES_MAX], wanted[FRAME_BYTES_MAX];
} window_t;

typedef struct {
  int32_t length;
  uint32_t at_us;
  int32_t unit, code, address, quantity, crc;
  uint32_t junk, timed;
} request_t;

enum { READ = 1, WRITE, EXCEPTION, QUERY = 6 };

typedef struct {
  int32_t kind, unit, code, address, quantity, reason;
  uint32_t answer_us;
  int32_t back, bytes; // of the values: how far behind the head, how many
} event_t;

typedef struct {
  uint32_t character_us, last_us;
  int32_t wait;
  uint32_t trusted, hushed;
  event_t event;
  uint8_t frame[FRAME_BYTES_MAX]; // of the open request
  uint32_t counters[COUNTERS];
  request_t open, trial;
  window_t window;
} tap_t;

static tap_t tap;

static uint32_t divide_by_x(uint32_t weight) {
  return weight & 0x8000 ? (weight ^ 0xa001) << 1 | 1 : weight << 1;
}

static void put_octet(window_t *w, uint32_t octet) {
  uint32_t at = (w->head + w->fill) & MASK, before = w->sum, sum = before, ones = 0;
  uint32_t weight = w->weight == 0 ? 1 : w->weight;
  for (int bit = 0; bit < 8; bit++) {
    if (octet >> bit & 1) sum ^= weight;
    ones ^= weight;
    weight = divide_by_x(weight);
  }
  w->octets[at] = (uint8_t)octet;
  w->sums[at] = (uint16_t)sum;
  w->wanted[at] = (uint16_t)(before ^ ones);
  w->wanted[(at - 1) & MASK] ^= ones;
  w->sum = sum;
  w->weight = weight;
  w->fill++;
}

static int32_t octet_at(const window_t *w, int32_t i) { return w->octets[(w->head + i) & MASK]; }

static int32_t word_at(const window_t *w, int32_t i) {
  return octet_at(w, i) << 8 | octet_at(w, i + 1);
}

static bool is_whole(const window_t *w, int32_t length) {
  if (length < 4 || length > w->fill) return false;
  return w->sums[(w->head + length - 1) & MASK] == w->wanted[w->head & MASK];
}

static int32_t quantity_fits(const window_t *w, int32_t at, int32_t most, int32_t length) {
  if (w->fill < at + 4) return at + 4;
  int32_t quantity = word_at(w, at + 2);
  bool fits = quantity >= 1 && quantity <= most && word_at(w, at) + quantity <= 0x10000;
  return fits ? length : 0;
}

static int32_t counted_length(const window_t *w, int32_t least, int32_t most, bool even) {
  if (w->fill < 3) return 3;
  int32_t count = octet_at(w, 2);
  return count >= least && count <= most && !(even && count & 1) ? 5 + count : 0;
}

static int32_t coil_length(const window_t *w) {
  if (w->fill < 6) return 6;
  int32_t value = word_at(w, 4);
  return value == 0 || value == 0xff00 ? 8 : 0;
}

static int32_t diagnostic_length(const window_t *w) {
  if (w->fill < 4) return 4;
  int32_t sub_function = word_at(w, 2);
  if (sub_function > 20) return 0;
  if (sub_function != 0) return 8;
  for (int32_t length = 8; length <= 64; length += 2)
    if (length > w->fill || is_whole(w, length)) return length;
  return 0;
}

static int32_t write_length(const window_t *w, int32_t most) {
  if (w->fill < 7) return 7;
  int32_t quantity = word_at(w, 4), count = octet_at(w, 6);
  int32_t wanted = most == 123 ? quantity * 2 : (quantity + 7) >> 3;
  return count == wanted ? quantity_fits(w, 2, most, 9 + count) : 0;
}

static int32_t file_length(const window_t *w, int32_t least, int32_t most, int32_t type_at) {
  if (w->fill <= type_at) return type_at + 1;
  int32_t count = octet_at(w, 2);
  return count >= least && count <= most && octet_at(w, type_at) == 6 ? 5 + count : 0;
}

static int32_t read_write_length(const window_t *w) {
  if (w->fill < 11) return 11;
  int32_t count = octet_at(w, 10);
  if (count != word_at(w, 8) * 2) return 0;
  if (quantity_fits(w, 2, 125, 1) == 0) return 0;
  return quantity_fits(w, 6, 121, 13 + count);
}

static int32_t event_counter_length(const window_t *w) {
  if (w->fill < 4) return 4;
  int32_t status = word_at(w, 2);
  return status == 0 || status == 0xffff ? 8 : 0;
}

static int32_t fifo_length(const window_t *w) {
  if (w->fill < 6) return 6;
  int32_t values = word_at(w, 4);
  return values <= 31 && word_at(w, 2) == 2 + 2 * values ? 8 + 2 * values : 0;
}

static int32_t identification_request_length(const window_t *w) {
  if (w->fill < 4) return 4;
  int32_t access = octet_at(w, 3);
  return octet_at(w, 2) == 0x0e && access >= 1 && access <= 4 ? 7 : 0;
}

static int32_t identification_length(const window_t *w) {
  if (w->fill < 8) return 8;
  int32_t access = octet_at(w, 3), more = octet_at(w, 5);
  if (octet_at(w, 2) != 0x0e || access < 1 || access > 4) return 0;
  if (more != 0 && more != 0xff) return 0;
  int32_t length = 8, objects = octet_at(w, 7);
  for (int32_t i = 0; i < objects; i++) {
    if (length + 2 > FRAME_BYTES_MAX - 2) return 0;
    if (w->fill < length + 2) return length + 2;
    length += 2 + octet_at(w, length + 1);
  }
  return length + 2 <= FRAME_BYTES_MAX ? length + 2 : 0;
}

static bool is_known_code(int32_t code) {
  return (code >= 1 && code <= 8) || code == 11 || code == 12 || (code >= 15 && code <= 17) ||
         (code >= 20 && code <= 24) || code == 43;
}

static int32_t exception_length(const window_t *w, int32_t code) {
  if (!is_known_code(code)) return 0;
  if (w->fill < 3) return 3;
  int32_t reason = octet_at(w, 2);
  return (reason >= 1 && reason <= 6) || reason == 8 || reason == 10 || reason == 11 ? 5 : 0;
}

static bool is_broadcastable(int32_t code) {
  return code == 5 || code == 6 || code == 8 || code == 15 || code == 16 || code == 21 ||
         code == 22;
}

static int32_t request_length(const window_t *w) {
  int32_t code = octet_at(w, 1);
  if (octet_at(w, 0) == 0 && !is_broadcastable(code)) return 0;
  switch (code) {
    case 1: case 2: return quantity_fits(w, 2, 2000, 8);
    case 3: case 4: return quantity_fits(w, 2, 125, 8);
    case 5: return coil_length(w);
    case 6: return 8;
    case 7: case 11: case 12: case 17: return 4;
    case 8: return diagnostic_length(w);
    case 15: return write_length(w, 1968);
    case 16: return write_length(w, 123);
    case 20: return file_length(w, 7, 245, 3);
    case 21: return file_length(w, 9, 251, 3);
    case 22: return 10;
    case 23: return read_write_length(w);
    case 24: return 6;
    case 43: return identification_request_length(w);
    default: return 0;
  }
}

static int32_t answer_length(const window_t *w) {
  int32_t code = octet_at(w, 1);
  if (octet_at(w, 0) == 0) return 0;
  if (code & EXCEPTION_FLAG) return exception_length(w, code ^ EXCEPTION_FLAG);
  switch (code) {
    case 1: case 2: return counted_length(w, 1, 250, false);
    case 3: case 4: case 23: return counted_length(w, 2, 250, true);
    case 5: return coil_length(w);
    case 6: return 8;
    case 7: return 5;
    case 8: return diagnostic_length(w);
    case 11: return event_counter_length(w);
    case 12: return counted_length(w, 6, 70, false);
    case 15: return quantity_fits(w, 2, 1968, 8);
    case 16: return quantity_fits(w, 2, 123, 8);
    case 17: return counted_length(w, 1, 251, false);
    case 20: return file_length(w, 2, 245, 4);
    case 21: return file_length(w, 9, 251, 3);
    case 22: return 10;
    case 24: return fifo_length(w);
    case 43: return identification_length(w);
    default: return 0;
  }
}

static void count(tap_t *t, int counter, uint32_t by) { t->counters[counter] += by; }

static bool is_trusted(const tap_t *t, int32_t code) {
  bool is_short = code == 7 || code == 11 || code == 12 || code == 17 || code == 24;
  return !is_short || (t->trusted & 1u << code) != 0;
}

static request_t *request_for(tap_t *t, int32_t code) {
  return is_trusted(t, code & ~EXCEPTION_FLAG) ? &t->open : &t->trial;
}

static bool is_late(const request_t *r, uint32_t now_us, uint32_t answer_us) {
  return (int32_t)(now_us - r->at_us) > (int32_t)(ANSWER_US_MAX + answer_us);
}

static bool is_awaited(const request_t *r, const window_t *w) {
  if (r->length == 0 || octet_at(w, 0) != r->unit) return false;
  int32_t code = octet_at(w, 1);
  if (code == (r->code | EXCEPTION_FLAG)) return true;
  if (code != r->code) return false;
  switch (code) {
    case 1: case 2: return octet_at(w, 2) == (r->quantity + 7) >> 3;
    case 3: case 4: case 23: return octet_at(w, 2) == r->quantity * 2;
    case 15: case 16: return word_at(w, 2) == r->address && word_at(w, 4) == r->quantity;
    default: return true;
  }
}

static bool is_answer(const request_t *r, const window_t *w, int32_t length) {
  if (!is_awaited(r, w)) return false;
  int32_t code = octet_at(w, 1);
  if (code != 5 && code != 6 && code != 8 && code != 21 && code != 22) return true;
  return length == r->length && word_at(w, length - 2) == r->crc;
}

static void give_up(tap_t *t, request_t *r) {
  if (r->length == 0) return;
  if (is_trusted(t, r->code)) count(t, UNANSWERED, 1);
  else count(t, JUNK, r->length);
  r->length = 0;
}

static void advance(tap_t *t, int32_t octets) {
  t->window.head = (t->window.head + octets) & MASK;
  t->window.fill -= octets;
  t->wait = 0;
}

static bool drop_junk(tap_t *t) {
  if (++t->open.junk >= 4) give_up(t, &t->open);
  count(t, JUNK, 1);
  advance(t, 1);
  return false;
}

static bool is_write(int32_t code) {
  return code == 5 || code == 6 || code == 15 || code == 16 || code == 22 || code == 23;
}

static void tell_answer(tap_t *t, const request_t *open, int32_t length) {
  event_t *e = &t->event;
  int32_t code = octet_at(&t->window, 1);
  bool failed = (code & EXCEPTION_FLAG) != 0;
  bool reads = code <= 4 || code == 23 || code == 24;
  e->kind = failed ? EXCEPTION : is_write(code) ? WRITE : reads ? READ : QUERY;
  e->unit = open->unit;
  e->code = open->code;
  e->address = open->address;
  e->quantity = open->quantity;
  e->reason = failed ? octet_at(&t->window, 2) : 0;
  e->answer_us = open->timed && t->window.fill == length ? t->last_us - open->at_us : 0;
  e->back = length - 3;
  e->bytes = length - 5;
}

static bool take_pair(tap_t *t, request_t *open, int32_t length) {
  int32_t code = octet_at(&t->window, 1);
  if (!is_trusted(t, open->code)) {
    give_up(t, &t->open);
    t->trusted |= 1u << open->code;
    count(t, FRAMES, 1);
    count(t, REQUESTS, 1);
  }
  count(t, FRAMES, 1);
  count(t, code & EXCEPTION_FLAG ? EXCEPTIONS : RESPONSES, 1);
  count(t, PAIRS, 1);
  tell_answer(t, open, length);
  open->length = 0;
  advance(t, length);
  return true;
}

static bool take_request(tap_t *t, int32_t length) {
  const window_t *w = &t->window;
  int32_t code = octet_at(w, 1);
  request_t *open = request_for(t, code);
  if (is_trusted(t, code)) {
    count(t, FRAMES, 1);
    count(t, REQUESTS, 1);
  }
  give_up(t, open);
  if (octet_at(w, 0) == 0)
    count(t, BROADCASTS, 1);
  else
    *open = (request_t){length, t->last_us, octet_at(w, 0), code,
                        word_at(w, 2), word_at(w, 4), word_at(w, length - 2),
                        0, w->fill == length};
  for (int32_t i = 0; i < length; i++) t->frame[i] = (uint8_t)octet_at(w, i);
  advance(t, length);
  return false;
}

static bool take_orphan(tap_t *t, int32_t length) {
  int32_t code = octet_at(&t->window, 1);
  if (!is_trusted(t, code & ~EXCEPTION_FLAG)) return drop_junk(t);
  count(t, FRAMES, 1);
  count(t, code & EXCEPTION_FLAG ? EXCEPTIONS : RESPONSES, 1);
  count(t, ORPHANS, 1);
  advance(t, length);
  return false;
}

static bool waits(tap_t *t, int32_t request, int32_t answer) {
  const window_t *w = &t->window;
  int32_t next = answer > w->fill ? answer : 0;
  if (request > w->fill && (next == 0 || request < next)) next = request;
  t->wait = next;
  return next != 0;
}

static bool step_head(tap_t *t) {
  const window_t *w = &t->window;
  if (w->fill < 2 || octet_at(w, 0) > UNIT_MAX) return drop_junk(t);
  int32_t request = request_length(w), answer = answer_length(w);
  request_t *open = request_for(t, octet_at(w, 1));
  bool is_request = is_whole(w, request);
  if (is_whole(w, answer) && !(is_request && answer > request)) {
    bool late = is_late(open, t->last_us, answer * t->character_us);
    if (!late && is_answer(open, w, answer)) return take_pair(t, open, answer);
    if (!is_request) return take_orphan(t, answer);
  }
  if (is_request) return take_request(t, request);
  if (!t->hushed && waits(t, request, answer)) return false;
  return drop_junk(t);
}

static bool take_answer(tap_t *t) {
  const window_t *w = &t->window;
  for (int i = 0; i <= FRAME_BYTES_MAX; i++) {
    if (w->fill == 0 || (w->fill < t->wait && !t->hushed)) return false;
    if (w->fill < 2 && octet_at(w, 0) <= UNIT_MAX && !t->hushed) return false;
    if (step_head(t)) return true;
  }
  return false;
}

static bool note_silence(tap_t *t, uint32_t at_us) {
  int32_t silence_us = (int32_t)(SILENCE_CHARACTERS * t->character_us);
  if ((int32_t)(at_us - t->last_us) > silence_us) t->hushed = 1;
  if (t->window.fill == 0) {
    if (is_late(&t->open, at_us, 0)) give_up(t, &t->open);
    if (is_late(&t->trial, at_us, 0)) give_up(t, &t->trial);
  }
  return t->hushed != 0 && t->window.fill > 0;
}

static void put_tap_octet(tap_t *t, uint32_t octet, uint32_t at_us) {
  t->last_us = at_us;
  t->hushed = 0;
  count(t, BYTES, 1);
  put_octet(&t->window, octet);
}

static uint8_t line[64];
static int line_bytes;

static void put_frame(const uint8_t *octets, int length) {
  uint32_t crc = 0xffff;
  for (int i = 0; i < length; i++) {
    line[line_bytes++] = octets[i];
    crc ^= octets[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  line[line_bytes++] = (uint8_t)crc;
  line[line_bytes++] = (uint8_t)(crc >> 8);
}

#define FRAME(...) put_frame((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

void native_prepare(void) {
  line_bytes = 0;
  FRAME(1, 3, 0, 0x6b, 0, 3);
  FRAME(1, 3, 6, 2, 0x2b, 0, 0, 0, 0x64);
  FRAME(2, 6, 0, 1, 0, 3);
  FRAME(2, 6, 0, 1, 0, 3);
  line[line_bytes++] = 0xf0;
  FRAME(3, 4, 0, 8, 0, 1);
  FRAME(3, 0x84, 2);
  tap.character_us = CHARACTER_US;
}

int32_t native_run(int32_t n) {
  uint32_t sum = 0, now_us = 0;
  for (int32_t round = 0; round < n; round++) {
    for (int i = 0; i < line_bytes; i++) {
      now_us += CHARACTER_US;
      if (note_silence(&tap, now_us))
        while (take_answer(&tap)) {
        }
      put_tap_octet(&tap, line[i], now_us);
      while (take_answer(&tap)) {
        const event_t *e = &tap.event;
        for (int k = 0; e->kind == READ && k < e->bytes; k++)
          sum = sum * 31 + octet_at(&tap.window, k - e->back);
        sum ^= e->address + e->kind;
      }
    }
    now_us += 100000;
  }
  for (int i = 0; i < COUNTERS; i++) sum = sum * 31 + tap.counters[i];
  return (int32_t)sum;
}
