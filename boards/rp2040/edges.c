// SPDX-License-Identifier: MIT
// Edge capture on any pin: both edges, in steps of 16 ns, by PIO0 and DMA.
//
// Spec: RP2040 datasheet 2.5, chapter 3. A machine of seven instructions samples the pin every second cycle and counts
// X down; at an edge it pushes X, and one count is missing. So edge k stands at k - X counts. DMA moves X to a ring.
// The pin keeps its function and is never driven: the PIO only looks. One producer (DMA), one consumer.
// (E1) edges alternate; the first is one away from the level at the start.
// (E2) what is not taken in time, or came faster than the DMA, is lost: everything begins anew at the clock's
// time, and the next edge says so.

#include "registers.h"
#include "rp2040.h"

enum { ENTRIES = 256, GUARD = 32, KEPT = ENTRIES - GUARD, RING_BITS = 10 }; // 2^10 octets
enum { INSTRUCTIONS = 7, WRAP_BOTTOM = 1, WRAP_TOP = 6, WHEN_HIGH = 1, WHEN_LOW = 3 };
enum { X_ALL_ONES = 0xa02b }; // mov x, !null; jmp n is n itself
#define JOIN_RX BIT(31)
#define AUTO_PUSH BIT(16)
#define TRANSFERS 0xffffffffu

static const uint16_t program[INSTRUCTIONS] = {
  0x0041, // 0 jmp x-- 1
  0x00c0, // 1 jmp pin 0: still high
  0x4020, // 2 in x, 32: it fell
  0x00c6, // 3 jmp pin 6: it rose
  0x0043, // 4 jmp x-- 3
  0x0003, // 5 jmp 3: X passed 0, a count more
  0x4020, // 6 in x, 32
};

struct input {
  uint32_t tail;    // edges taken since the start
  uint32_t base;    // counts since the chip started, at the start
  uint32_t gpio;
  uint32_t level;   // at the start
  uint32_t lost;    // EDGE_LOST: some were lost before the next one
  uint32_t doubts;  // looks in a row at which the pin was not as the latest edge left it
  bool runs;
};
static struct input inputs[EDGE_INPUTS];
__attribute__((aligned(4 * ENTRIES))) static volatile uint32_t counts[EDGE_INPUTS][ENTRIES];

static uint32_t pin_level(unsigned gpio) { return REG(SIO_GPIO_IN) >> gpio & 1; }
static uint32_t ring_of(unsigned number) { return (uint32_t)(uintptr_t)counts[number]; }

static void set_up_program(void) {
  if (REG(RESETS_DONE) & BIT(RESET_PIO0)) return;
  CLR(RESETS_RESET) = BIT(RESET_PIO0);
  while (!(REG(RESETS_DONE) & BIT(RESET_PIO0))) continue;
  for (unsigned i = 0; i < INSTRUCTIONS; i++) REG(PIO0_MEMORY + 4 * i) = program[i];
}

// The machine stands still, its FIFO is empty, the DMA is at rest.
static void halt(unsigned number) {
  inputs[number].runs = false;
  CLR(PIO0_CTRL) = BIT(number);
  REG(DMA_ABORT) = BIT(DMA_EDGES + number);
  while (REG(DMA_ABORT) & BIT(DMA_EDGES + number)) continue; // some cycles
  REG(PIO0_SM(number) + SM_SHIFTCTRL) = 0;
  REG(PIO0_SM(number) + SM_SHIFTCTRL) = JOIN_RX | AUTO_PUSH; // joining empties
}

static void begin(unsigned number) {
  struct input *input = &inputs[number];
  const uint32_t machine = PIO0_SM(number), channel = DMA(DMA_EDGES + number);
  halt(number);
  REG(channel + DMA_READ) = PIO0_RXF(number);
  REG(channel + DMA_WRITE) = ring_of(number);
  REG(channel + DMA_COUNT) = TRANSFERS;
  REG(channel + DMA_CTRL_TRIG) = DMA_ON | DMA_HIGH_PRIORITY | DMA_WORD | DMA_INC_WRITE | DMA_QUIET |
      DMA_WRITE_RING(RING_BITS) | DMA_CHAIN(DMA_EDGES + number) |
      DMA_REQUEST(DREQ_PIO0_RX + number);
  REG(machine + SM_CLKDIV) = 1u << 16;
  REG(machine + SM_EXECCTRL) = input->gpio << 24 | WRAP_TOP << 12 | WRAP_BOTTOM << 7;
  SET(PIO0_CTRL) = BIT(4 + number); // restart: no shift counts are left
  REG(machine + SM_INSTR) = X_ALL_ONES;
  REG(PIO0_FDEBUG) = BIT(number);
  input->tail = input->doubts = 0;
  input->level = pin_level(input->gpio);
  REG(machine + SM_INSTR) = input->level ? WHEN_HIGH : WHEN_LOW;
  const uint64_t us = clock_us();
  SET(PIO0_CTRL) = BIT(number);
  input->base = (uint32_t)us * 62 + (uint32_t)(us >> 1); // 62.5 counts a microsecond
  input->runs = true;
}

void start_edges(unsigned number, unsigned gpio) {
  if (number >= EDGE_INPUTS) return;
  set_up_program();
  inputs[number] = (struct input){ .gpio = gpio };
  begin(number);
}

void stop_edges(unsigned number) {
  if (number < EDGE_INPUTS && inputs[number].runs) halt(number);
}

// Edges that are in the ring, since the start. The place of the next write is surer than what is left to do.
static uint32_t arrived(unsigned number) {
  const uint32_t moved = TRANSFERS - REG(DMA(DMA_EDGES + number) + DMA_COUNT);
  const uint32_t place = (REG(DMA(DMA_EDGES + number) + DMA_WRITE) - ring_of(number)) / 4;
  return moved + (uint32_t)((int32_t)((place - moved) << 24) >> 24); // ENTRIES is 2^8
}

// (E2) true: everything began anew.
static bool began_anew(unsigned number, uint32_t head) {
  struct input *input = &inputs[number];
  const bool stalled = REG(PIO0_FDEBUG) & BIT(number);
  const bool full = head - input->tail > KEPT;
  const uint32_t level = input->level ^ (head & 1); // (E1)
  const bool waits = head != input->tail;
  input->doubts = waits || pin_level(input->gpio) == level ? 0 : input->doubts + 1;
  if (input->runs && !stalled && !full && input->doubts < 2) return false;
  input->lost = EDGE_LOST;
  begin(number);
  return true;
}

unsigned take_edges(unsigned number, struct edge *target, unsigned capacity) {
  if (number >= EDGE_INPUTS) return 0;
  struct input *input = &inputs[number];
  const uint32_t head = arrived(number);
  if (began_anew(number, head)) return 0;
  const uint32_t waiting = head - input->tail;
  const unsigned count = waiting < capacity ? waiting : capacity;
  if (count == 0) return 0;
  for (unsigned i = 0; i < count; i++) {
    const uint32_t k = input->tail + i;
    target[i].counts = input->base + ~counts[number][k % ENTRIES] + k;
    target[i].level = (uint8_t)(input->level ^ (k & 1) ^ 1);
    target[i].flags = 0;
  }
  target[0].flags = (uint8_t)input->lost;
  barrier();
  input->tail += count;
  input->lost = 0;
  return count;
}
