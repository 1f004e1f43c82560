// SPDX-License-Identifier: MIT
// Setting up a UART, and whose interrupt it is.
//
// Spec: RP2040 datasheet 4.2 (PL011). The divisor is taken over by a write to LCR_H. Without a function on its
// transmit pin a UART cannot drive a line: taps get none, and their transmitter stays off. Taps have no interrupt.

#include "registers.h"
#include "rp2040.h"

enum { CR_ON = 1, CR_TX = 256, CR_RX = 512, FIFO_4_OF_32 = 0 };

void set_up_uart(unsigned uart, uint32_t baud, uint32_t line_control) {
  const uint32_t divisor = (8 * (uint32_t)CLOCK_HZ / baud + 1) / 2; // in 64ths, rounded
  const bool sends = uart == BOARD_TRANSPORT_UART;
  REG(UART(uart) + UARTCR) = 0;
  REG(UART(uart) + UARTIBRD) = divisor >> 6;
  REG(UART(uart) + UARTFBRD) = divisor & 63;
  REG(UART(uart) + UARTLCR_H) = line_control;
  REG(UART(uart) + UARTIFLS) = FIFO_4_OF_32;
  REG(UART(uart) + UARTICR) = 0x7ff;
  REG(UART(uart) + UARTIMSC) = sends ? UART_RX | UART_TIMEOUT | UART_TX : 0;
  REG(UART(uart) + UARTCR) = CR_ON | CR_RX | (sends ? CR_TX : 0);
  if (sends) REG(NVIC_ISER) = BIT(IRQ_UART0 + uart);
}

void on_uart0(void) { network_interrupt(); }
void on_uart1(void) { network_interrupt(); }
