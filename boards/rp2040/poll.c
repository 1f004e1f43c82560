// SPDX-License-Identifier: MIT
// Sending on a tap that polls: the only code of a tap that can drive a line.
//
// Spec: RP2040 datasheet 2.19, 4.2.3, 4.6. Nothing of it is in the image of a node whose taps only listen. Between
// questions the transmit pin has no function and no output, its pull-up holds the line at rest, the UART's transmitter
// is off, and the pin that enables the driver of a transceiver (DE) is low. A question goes into the UART's FIFO
// whole; alarm 3 comes when it must be over. It has priority 0, since loop may take half a period, and a unit may answer
// a character later: it takes some dozen cycles, a few times a question. (P1) the driver is off LATE_US after
// the time at which the UART was to be done, even if it is not.

#include "../host.h"
#include "registers.h"
#include "rp2040.h"

#if BOARD_POLLS > 0
enum { FIFO = 32, CR_ON = 1, CR_TX = 256, CR_RX = 512, FR_BUSY = 8 };
enum { LOOK_US = 20, OTHER_US = 100, LATE_US = 1000 };

static volatile uint32_t end_us[BOARD_POLLS];
static volatile bool sending[BOARD_POLLS];

static void release(unsigned i) {
  const struct board_poll *poll = &board_polls[i];
  REG(UART(poll->uart) + UARTCR) = CR_ON | CR_RX;
  REG(PAD(poll->tx)) = PAD_SCHMITT | PAD_PULL_UP | PAD_NO_OUTPUT;
  REG(IO_CTRL(poll->tx)) = FUNCTION_NONE;
  if (poll->de != BOARD_NO_PIN) REG(SIO_OUT_CLR) = BIT(poll->de);
  sending[i] = false;
}

void set_up_polls(void) {
  for (unsigned i = 0; i < BOARD_POLLS; i++) {
    const uint8_t de = board_polls[i].de;
    release(i);
    if (de == BOARD_NO_PIN) continue;
    REG(SIO_OE_SET) = BIT(de);
    REG(IO_CTRL(de)) = FUNCTION_SIO;
  }
  SET(TIMER_INTE) = BIT(3);
  REG(NVIC_ISER) = BIT(IRQ_SENT);
}

// Alarm 3. Loop cannot come in between: an alarm that is set here is ahead.
void on_sent(void) {
  REG(TIMER_INTR) = BIT(3);
  uint32_t next_us = 0;
  for (unsigned i = 0; i < BOARD_POLLS; i++) {
    if (!sending[i]) continue;
    const int32_t left = (int32_t)(end_us[i] - REG(TIMERAWL));
    const bool busy = (REG(UART(board_polls[i].uart) + UARTFR) & FR_BUSY) != 0;
    if (left <= 0 && (!busy || left < -LATE_US)) release(i); // (P1)
    else if (left > LOOK_US && (next_us == 0 || (uint32_t)left < next_us)) next_us = (uint32_t)left;
    else next_us = LOOK_US;
  }
  if (next_us != 0) REG(TIMER_ALARM3) = REG(TIMERAWL) + next_us;
}

// Called by loop. Alarm 3 may come at any point: it sets itself again while there is need, and a time that is ahead
// is the worst that is set over it here. It is set first: a loop that is taken away in between leaves no driver on.
int32_t put_tap(unsigned number, const uint8_t *octets, unsigned length) {
  unsigned i = 0;
  while (i < BOARD_POLLS && board_polls[i].tap != number) i++;
  if (i == BOARD_POLLS) return -1;
  const struct board_poll *poll = &board_polls[i];
  if (sending[i] || length == 0 || length > FIFO) return 0;
  const uint32_t took_us = length * poll->character_us + LOOK_US;
  end_us[i] = REG(TIMERAWL) + took_us;
  barrier();
  sending[i] = true;
  bool other = false;
  for (unsigned k = 0; k < BOARD_POLLS; k++) other |= k != i && sending[k];
  REG(TIMER_ALARM3) = REG(TIMERAWL) + (other ? OTHER_US : took_us);
  if (poll->de != BOARD_NO_PIN) REG(SIO_OUT_SET) = BIT(poll->de);
  REG(IO_CTRL(poll->tx)) = FUNCTION_UART;
  REG(PAD(poll->tx)) = PAD_SCHMITT | PAD_PULL_UP | PAD_4_MA;
  REG(UART(poll->uart) + UARTCR) = CR_ON | CR_RX | CR_TX;
  for (unsigned k = 0; k < length; k++) REG(UART(poll->uart) + UARTDR) = octets[k];
  return 1;
}
#endif
