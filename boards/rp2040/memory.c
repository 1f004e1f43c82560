// SPDX-License-Identifier: MIT
// memset, memcpy, memmove, memcmp, strlen: what gcc and modules call.
//
// Words where both ends are aligned: the core faults on others. -fno-tree-loop-distribute-patterns keeps gcc from
// making these loops into calls of themselves.

#include "memory.h"
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word;

void *memset(void *target, int value, size_t length) {
  uint8_t *to = target;
  const uint32_t four = (uint8_t)value * 0x01010101u;
  for (; length > 0 && ((uintptr_t)to & 3) != 0; length--) *to++ = (uint8_t)value;
  for (; length >= 16; length -= 16, to += 16) {
    word *w = (word *)to;
    w[0] = w[1] = w[2] = w[3] = four;
  }
  for (; length > 0; length--) *to++ = (uint8_t)value;
  return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t length) {
  uint8_t *to = target;
  const uint8_t *from = source;
  if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0)
    for (; length >= 4; length -= 4, to += 4, from += 4) *(word *)to = *(const word *)from;
  for (; length > 0; length--) *to++ = *from++;
  return target;
}

void *memmove(void *target, const void *source, size_t length) {
  uint8_t *to = target;
  const uint8_t *from = source;
  if (to <= from || to >= from + length) return memcpy(target, source, length);
  while (length-- > 0) to[length] = from[length];
  return target;
}

int memcmp(const void *left, const void *right, size_t length) {
  const uint8_t *a = left, *b = right;
  for (; length > 0; length--, a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}
