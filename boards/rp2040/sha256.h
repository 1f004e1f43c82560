// SPDX-License-Identifier: MIT
// SHA-256, for the seed of the generator.

#ifndef SHA256_H
#define SHA256_H
#include <stdint.h>

struct sha256 { uint32_t state[8]; uint32_t bytes; uint8_t block[64]; };
void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const uint8_t *octets, unsigned length);
void sha256_end(struct sha256 *hash, uint8_t digest[32]);

#endif
