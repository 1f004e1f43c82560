// SPDX-License-Identifier: MIT
// What both programs of a bench are linked with: memset and its kin, and traps.

#include <stddef.h>
#include <stdint.h>

// Octet by octet; the empty asm keeps gcc from calling these from within themselves.
void *memset(void *to, int value, size_t length) {
  uint8_t *p = to;
  while (length-- > 0) {
    *p++ = (uint8_t)value;
    __asm__ volatile("");
  }
  return to;
}

void *memcpy(void *to, const void *from, size_t length) {
  uint8_t *p = to;
  const uint8_t *q = from;
  while (length-- > 0) {
    *p++ = *q++;
    __asm__ volatile("");
  }
  return to;
}

void *memmove(void *to, const void *from, size_t length) {
  uint8_t *p = to;
  const uint8_t *q = from;
  if (p <= q) return memcpy(to, from, length);
  while (length-- > 0) {
    p[length] = q[length];
    __asm__ volatile("");
  }
  return to;
}

_Noreturn void ours_trap(int kind, unsigned function, unsigned offset) {
  (void)kind;
  (void)function;
  (void)offset;
#ifdef __arm__
  __asm__ volatile("bkpt 1");
#else
  __asm__ volatile("ebreak");
#endif
  for (;;) {
  }
}
