// SPDX-License-Identifier: MIT
// What memory.c has of a C library: there is none on the chip.

#ifndef MEMORY_H
#define MEMORY_H
#include <stddef.h>

void *memset(void *target, int value, size_t length);
void *memcpy(void *restrict target, const void *restrict source, size_t length);
void *memmove(void *target, const void *source, size_t length);
int memcmp(const void *left, const void *right, size_t length);
size_t strlen(const char *text);

#endif
