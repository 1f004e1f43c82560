// SPDX-License-Identifier: MIT
// Memory protection: what nobody may touch, what is code, what is data.
//
// Spec: Armv6-M ARM B3.5; eight regions, the highest number decides, each of eight sub-regions that may be left out.
// Not in force in HardFault. DMA is not asked. Peripherals are never executed, as the default map has it.
//
//   0x00000000  ROM, flash window: nothing after start-up; the SSI at 0x18000000 is free
//   image_start code and constants: read, execute; the rest of SRAM: read, write
//   below link's stack, below the handlers' stack: nothing

#include "registers.h"
#include "rp2040.h"

enum { REGION_ON = 1, NEVER_EXECUTE = 1 << 28, CACHEABLE = 1 << 17 };
enum { NO_ACCESS = NEVER_EXECUTE, READ_WRITE = 3 << 24 | NEVER_EXECUTE | CACHEABLE,
       READ_ONLY = 5 << 24 | CACHEABLE }; // the latter may be executed
enum { CODE_LEVELS = 3, CODE_GRAIN_BITS = 8, SSI_PART = 6, MPU_ON = 1, MPU_DEFAULT_MAP = 4 };

extern uint8_t image_start[], code_end[]; // code_end is a multiple of 256: image.ld

static uint32_t size_field(unsigned bits) { return (bits - 1) << 1; }

static void set_region(unsigned number, uint32_t base, uint32_t attributes, uint32_t left_out) {
  REG(MPU_RBAR) = base | 1u << 4 | number;
  REG(MPU_RASR) = attributes | left_out << 8 | REGION_ON;
}

// A region for the most of the code, one for the most of the rest, and so on: to the last 256 octets of 128 KiB.
static void protect_code(unsigned number) {
  const uint32_t end = (uint32_t)(uintptr_t)code_end;
  uint32_t base = (uint32_t)(uintptr_t)image_start;
  unsigned bits = CODE_GRAIN_BITS + 3;
  while (base + BIT(bits) < end) bits++;
  for (unsigned level = 0; level < CODE_LEVELS && base < end; level++, bits -= 3) {
    const uint32_t parts = (end - base) >> (bits - 3);
    if (parts > 0)
      set_region(number + level, base, READ_ONLY | size_field(bits), 0xffu << parts & 0xff);
    base += parts << (bits - 3);
  }
}

void protect_memory(void) {
  set_region(0, 0x20000000, READ_WRITE | size_field(29), 0);
  protect_code(1);
  set_region(5, 0x00000000, NO_ACCESS | size_field(29), BIT(SSI_PART)); // parts of 64 MiB
  set_region(6, LINK_STACK - 4096, NO_ACCESS | size_field(12), 0);
  set_region(7, 0x20041000, NO_ACCESS | size_field(10), 0xffu & ~(3u << 2)); // parts of 128 octets
  REG(MPU_CTRL) = MPU_ON | MPU_DEFAULT_MAP;
  __asm__ volatile("dsb\n isb" ::: "memory");
}
