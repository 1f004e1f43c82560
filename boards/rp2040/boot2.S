// SPDX-License-Identifier: MIT
// Second stage: 252 octets at most, then a CRC-32 that the build fills in.
//
// Spec: RP2040 datasheet 2.8.1.3.1, 4.10. The boot ROM copies it to 0x20041F00 and enters it with lr = 0. It sets
// the SSI to plain 03h reads, which every flash knows at this speed, and goes on in place at flash offset 0x100.

    .syntax unified
    .cpu cortex-m0plus
    .section .boot2, "ax"
    .thumb_func
boot2:
    ldr   r3, =0x18000000        // SSI
    movs  r0, #0
    str   r0, [r3, #0x08]        // SSIENR: off while it is set up
    str   r0, [r3, #0x04]        // CTRLR1: one frame a read
    movs  r0, #4
    str   r0, [r3, #0x14]        // BAUDR: clk_sys / 4, 31.25 MHz once the PLL runs
    ldr   r0, =(31 << 16) | (3 << 8)
    str   r0, [r3, #0x00]        // CTRLR0: frames of 32 bits, EEPROM read
    ldr   r0, =(3 << 24) | (2 << 8) | (6 << 2)
    movs  r1, #0xf4
    str   r0, [r3, r1]           // SPI_CTRLR0: 03h, 8 bits of instruction, 24 of address
    movs  r0, #1
    str   r0, [r3, #0x10]        // SER
    str   r0, [r3, #0x08]
    ldr   r0, =start             // with its Thumb bit
    bx    r0
    .ltorg
