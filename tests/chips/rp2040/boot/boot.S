@ SPDX-License-Identifier: MIT
@ Second stage and start-up of the program that the boot test runs.
@
@ The second stage opens the flash window for 03h reads; start-up runs in place, then copies the program.
    .syntax unified
    .cpu cortex-m0plus
    .thumb

    .section .boot2, "ax"
    ldr r0, =0x18000000             @ SSI
    movs r1, #0
    str r1, [r0, #8]                @ SSIENR: off
    movs r1, #4
    str r1, [r0, #0x14]             @ BAUDR
    ldr r1, =(31 << 16) | (3 << 8)
    str r1, [r0]                    @ CTRLR0: 32 bits, EEPROM read
    ldr r1, =(3 << 24) | (2 << 8) | (6 << 2)
    movs r2, #0xf4
    str r1, [r0, r2]                @ SPI_CTRLR0: command 03h, 24 bits of address
    movs r1, #1
    str r1, [r0, #0x10]             @ SER
    str r1, [r0, #8]
    ldr r1, =start
    bx r1
    .ltorg

    .section .flash, "ax"
    .thumb_func
start:
    ldr r0, =0x20042000
    mov sp, r0
    bl clocks_init
    ldr r0, =image_load
    ldr r1, =image_start
    ldr r2, =image_end
1:  ldmia r0!, {r3}
    stmia r1!, {r3}
    cmp r1, r2
    blo 1b
    ldr r2, =bss_end
    movs r3, #0
2:  stmia r1!, {r3}
    cmp r1, r2
    blo 2b
    ldr r0, =0xe000ed08             @ VTOR
    ldr r1, =image_start
    str r1, [r0]
    ldr r0, =main
    bx r0
    .ltorg

    .section .vectors, "a"
    .word 0x20042000, start
    .rept 14
    .word stop
    .endr
    .word on_tick                   @ line 0: TIMER alarm 0
    .rept 19
    .word stop
    .endr
    .word on_uart                   @ line 20: UART0

    .text
    .thumb_func
stop:
    b stop
