// SPDX-License-Identifier: MIT
// Start-up in flash, the vectors, and the ways into and out of a module.
//
// Clocks first: the copy is then twenty times faster. After it nothing runs from flash or reads it through the
// window (D6). Link runs in thread mode on PSP in SRAM4, handlers on MSP in SRAM5, above the crash record.

    .syntax unified
    .cpu cortex-m0plus
    .section .flash, "ax"
    .globl start
    .thumb_func
start:
    ldr   r0, =handler_stack_end
    msr   msp, r0
    bl    set_up_clocks
    ldr   r0, =image_load
    ldr   r1, =image_start
    ldr   r2, =image_end
1:  ldmia r0!, {r3}
    stmia r1!, {r3}
    cmp   r1, r2
    blo   1b
    ldr   r1, =bss_start
    ldr   r2, =bss_end
    movs  r3, #0
    b     3f
2:  stmia r1!, {r3}
3:  cmp   r1, r2
    blo   2b
    ldr   r0, =link_stack        // both stacks are painted, to see how deep they ever were
    ldr   r1, =link_stack_end
    ldr   r2, =0x57ac57ac
4:  stmia r0!, {r2}
    cmp   r0, r1
    blo   4b
    ldr   r0, =handler_stack     // above the crash record and its guard
    ldr   r1, =0x20041f00        // below what this code may have on the stack
5:  stmia r0!, {r2}
    cmp   r0, r1
    blo   5b
    ldr   r0, =image_start       // aligned to 256
    ldr   r1, =0xe000ed08        // VTOR
    str   r0, [r1]
    ldr   r0, =link_stack_end
    msr   psp, r0
    movs  r0, #2                 // thread mode on PSP
    msr   control, r0
    isb
    ldr   r0, =main
    blx   r0
6:  wfi                          // main does not return
    b     6b
    .ltorg

    .weak on_sent
    .thumb_set on_sent, on_fault
    .weak on_pins
    .thumb_set on_pins, on_fault
    .section .vectors, "a"
    .word handler_stack_end, start
    .word on_fault, on_fault     // NMI, HardFault
    .word on_fault, on_fault, on_fault, on_fault, on_fault, on_fault, on_fault
    .word on_fault, on_fault, on_fault   // SVCall, reserved
    .word on_fault, on_fault     // PendSV, SysTick
    .word on_tick                // 0 TIMER alarm 0
    .word on_wake                // 1 TIMER alarm 1
    .word on_accelerometer       // 2 TIMER alarm 2
    .word on_sent                // 3 TIMER alarm 3: a tap that polls, where the node has one
    .rept 7
    .word on_fault
    .endr
    .word on_adc                 // 11 DMA: rounds of the ADC
    .word on_fault
    .word on_pins                // 13 IO_BANK0: a network chip, where the board has one
    .rept 6
    .word on_fault
    .endr
    .word on_uart0, on_uart1     // 20, 21
    .rept 4
    .word on_fault
    .endr
    .word on_loop                // 26: spare, made pending by the tick
    .rept 5
    .word on_fault
    .endr

    .text
// bool enter_module(struct door *door, void (*action)(void)): true when the action returned.
// The door keeps sp, r4-r11 and lr: leave_module() comes back here as false.
    .globl enter_module
    .thumb_func
enter_module:
    push  {r4-r7, lr}
    mov   r4, r8
    mov   r5, r9
    mov   r6, r10
    mov   r7, r11
    push  {r4-r7}
    sub   sp, #4                 // 10 words in all: sp stays a multiple of 8
    mov   r4, sp
    str   r4, [r0, #0]           // sp
    mov   r4, r0
    movs  r2, #1
    str   r2, [r4, #4]           // inside: from here on a tick may take the module away
    blx   r1
    movs  r2, #0
    str   r2, [r4, #4]
    movs  r0, #1
leave_common:
    add   sp, #4
    pop   {r4-r7}
    mov   r8, r4
    mov   r9, r5
    mov   r10, r6
    mov   r11, r7
    pop   {r4-r7, pc}

// _Noreturn void leave_module(struct door *door)
    .globl leave_module
    .thumb_func
leave_module:
    movs  r2, #0
    str   r2, [r0, #4]
    ldr   r4, [r0, #0]
    mov   sp, r4
    movs  r0, #0
    b     leave_common

// A fault: r0 is the frame on whichever stack was in use.
    .globl on_fault
    .thumb_func
on_fault:
    mov   r0, lr
    movs  r1, #4
    tst   r0, r1
    beq   7f
    mrs   r0, psp
    b     8f
7:  mrs   r0, msp
8:  ldr   r1, =record_fault
    bx    r1

// Priority 0. The pins are latched by the first two instructions; what is done then is in tick.c.
    .globl on_tick
    .thumb_func
on_tick:
    ldr   r2, =0xd0000004        // GPIO_IN
    ldr   r0, [r2]
    mov   r1, sp                 // the frame that was interrupted, if a handler was
    ldr   r2, =take_tick
    bx    r2
    .ltorg
