// SPDX-License-Identifier: MIT
// Entropy: the ring oscillator and its health tests, a stored seed, ChaCha20.
//
// Spec: NIST SP 800-90B 4.4.1, 4.4.2; RFC 8439 2.3. RANDOMBIT is biased and follows supply and temperature: 0.1 bit
// a bit is credited, one is taken per microsecond and more. Seed: SHA-256 over the stored seed, the unique id, the time
// and 5,120 bits. The next seed is in flash before the first octet is given, so a dead source repeats no stream.
// A failed test ends the source: nothing is given any more.

#include "memory.h"
#include "registers.h"
#include "rp2040.h"
#include "sha256.h"

enum {
  REPETITION_CUTOFF = 201,   // 1 + 20 / 0.1: false alarm 2^-20
  WINDOW = 1024,             // 4.4.2, binary source
  PROPORTION_CUTOFF = 1001,  // of 1,024 at 0.1 bit, alpha 2^-20
  START_BITS = 1024,         // tested and thrown away
  SEED_BITS = 5120,          // 512 bits of credit
  SEED_AT = 8, SEED_CRC_AT = 40, SEED_RECORD = 44, KEY_WORDS = 8, BLOCK_BYTES = 64,
};

static struct { uint32_t last, run, window_bit, same, seen; bool failed; } health;
static uint32_t key[KEY_WORDS], block_number;
static uint8_t block[BLOCK_BYTES];
static unsigned block_used = BLOCK_BYTES;

static void test_bit(uint32_t bit) {
  health.run = bit == health.last ? health.run + 1 : 1;
  health.last = bit;
  if (health.run >= REPETITION_CUTOFF) health.failed = true;
  if (health.seen == 0) health.window_bit = bit, health.same = 0;
  health.same += bit == health.window_bit;
  if (health.same >= PROPORTION_CUTOFF) health.failed = true;
  if (++health.seen == WINDOW) health.seen = 0;
}

// At a distance of 1 to 2 us that the bits before it shift, so that no beat with the bus clock stands.
static uint32_t take_bit(void) {
  static uint32_t jitter;
  const uint32_t start = REG(TIMERAWL);
  while (REG(TIMERAWL) - start < 2) continue;
  for (volatile uint32_t wait = jitter & 15; wait > 0; wait--) continue;
  const uint32_t bit = REG(ROSC_RANDOMBIT) & 1;
  jitter = jitter << 1 | bit;
  test_bit(bit);
  return bit;
}

static void add_bits(struct sha256 *hash, unsigned bits) {
  for (unsigned i = 0; i < bits / 8; i++) {
    uint8_t octet = 0;
    for (unsigned k = 0; k < 8; k++) octet = (uint8_t)(octet << 1 | take_bit());
    sha256_add(hash, &octet, 1);
  }
}

static inline uint32_t turn(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static void quarter_round(uint32_t *s, const uint8_t *at) {
  uint32_t a = s[at[0]], b = s[at[1]], c = s[at[2]], d = s[at[3]];
  a += b; d = turn(d ^ a, 16); c += d; b = turn(b ^ c, 12);
  a += b; d = turn(d ^ a, 8); c += d; b = turn(b ^ c, 7);
  s[at[0]] = a; s[at[1]] = b; s[at[2]] = c; s[at[3]] = d;
}

static void next_block(void) {
  static const uint8_t places[8][4] = {
    { 0, 4, 8, 12 }, { 1, 5, 9, 13 }, { 2, 6, 10, 14 }, { 3, 7, 11, 15 },
    { 0, 5, 10, 15 }, { 1, 6, 11, 12 }, { 2, 7, 8, 13 }, { 3, 4, 9, 14 },
  };
  uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, s[16];
  memcpy(start + 4, key, sizeof key);
  start[12] = block_number++;
  memcpy(s, start, sizeof s);
  for (unsigned i = 0; i < 80; i++) quarter_round(s, places[i % 8]);
  for (unsigned i = 0; i < 16; i++) s[i] += start[i];
  memcpy(block, s, sizeof block);
  block_used = 0;
}

// A record: number u32 | ~number u32 | seed 32 | CRC-32C. The larger number that checks holds.
static uint32_t read_seed(unsigned sector, uint8_t *record) {
  uint32_t crc, number;
  read_flash(FLASH_SEEDS + sector * SECTOR_BYTES, record, SEED_RECORD);
  memcpy(&crc, record + SEED_CRC_AT, 4);
  memcpy(&number, record, 4);
  return crc == crc32c(record, SEED_CRC_AT) ? number : 0;
}

static void store_seed(uint32_t number, const uint8_t seed[32]) {
  uint8_t record[SEED_RECORD];
  const uint32_t offset = FLASH_SEEDS + (number & 1) * SECTOR_BYTES;
  const uint32_t other = ~number;
  memcpy(record, &number, 4);
  memcpy(record + 4, &other, 4);
  memcpy(record + SEED_AT, seed, 32);
  const uint32_t crc = crc32c(record, SEED_CRC_AT);
  memcpy(record + SEED_CRC_AT, &crc, 4);
  if (!erase_sector(offset) || !program_flash(offset, record, sizeof record)) health.failed = true;
}

static void derive(const uint8_t seed[32], uint8_t purpose, uint8_t out[32]) {
  struct sha256 hash;
  sha256_begin(&hash);
  sha256_add(&hash, &purpose, 1);
  sha256_add(&hash, seed, 32);
  sha256_end(&hash, out);
}

void set_up_entropy(void) {
  uint8_t records[2][SEED_RECORD], unique[8], seed[32], next[32];
  struct sha256 hash;
  const uint32_t first = read_seed(0, records[0]), second = read_seed(1, records[1]);
  const unsigned newest = second > first;
  for (unsigned i = 0; i < START_BITS; i++) take_bit();
  read_unique_id(unique);
  sha256_begin(&hash);
  sha256_add(&hash, records[newest], SEED_RECORD);
  sha256_add(&hash, unique, sizeof unique);
  add_bits(&hash, SEED_BITS);
  const uint64_t now = clock_us();
  sha256_add(&hash, (const uint8_t *)&now, sizeof now);
  sha256_end(&hash, seed);
  derive(seed, 1, next);
  store_seed((newest ? second : first) + 1, next);
  derive(seed, 2, (uint8_t *)key);
}

// Fresh bits are tested with each call, so that a source that dies later is noticed; the key moves on.
unsigned take_entropy(uint8_t *target, unsigned length) {
  for (unsigned i = 0; i < 32; i++) key[i % KEY_WORDS] ^= take_bit() << (i & 31);
  if (health.failed) return 0;
  for (unsigned i = 0; i < length; i++) {
    if (block_used == BLOCK_BYTES) next_block();
    target[i] = block[block_used];
    block[block_used++] = 0; // given once
  }
  next_block();
  memcpy(key, block, sizeof key); // what was given cannot be computed from what is left
  block_used = BLOCK_BYTES;
  return length;
}

bool entropy_failed(void) { return health.failed; }
