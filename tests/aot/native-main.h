// SPDX-License-Identifier: MIT
// What the program of native.ts prints with, and where its traps return to.

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

// Isolated: in a process of its own, with a second of processor time.
#ifdef ISOLATED
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#define RUN(what)                                            \
  do {                                                       \
    const struct rlimit most = { 1, 1 };                     \
    int status = 0;                                          \
    fflush(stdout);                                          \
    if (fork() == 0) {                                       \
      setrlimit(RLIMIT_CPU, &most);                          \
      what;                                                  \
      fflush(stdout);                                        \
      _exit(0);                                              \
    }                                                        \
    if (wait(&status) < 0 || status != 0) puts("\ndied");    \
  } while (0)
#else
#define RUN(what) what
#endif

static jmp_buf back;
static int trapped;

static _Noreturn void leave(int kind) {
  trapped = kind;
  longjmp(back, 1);
}

static float f32(uint64_t bits) {
  uint32_t u = (uint32_t)bits;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

static double f64(uint64_t bits) {
  double f;
  memcpy(&f, &bits, 8);
  return f;
}

static void p_i32(uint32_t v) { printf("%08" PRIx32 " ", v); }
static void p_i64(uint64_t v) { printf("%016" PRIx64 " ", v); }

static void p_f32(float v) {
  uint32_t u;
  memcpy(&u, &v, 4);
  if (v != v)
    printf("nan ");
  else
    p_i32(u);
}

static void p_f64(double v) {
  uint64_t u;
  memcpy(&u, &v, 8);
  if (v != v)
    printf("nan ");
  else
    p_i64(u);
}

// Zeros do not count: C's memory may have room behind that of the engine.
static void sum(const uint8_t *p, size_t n) {
  uint32_t a = 1;
  for (size_t i = 0; i < n; i++)
    if (p[i] != 0) a = (a ^ p[i] ^ (uint32_t)i << 8) * 16777619u;
  printf("memory %08" PRIx32 "\n", a);
}
