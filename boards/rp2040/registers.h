// SPDX-License-Identifier: MIT
// Registers of the RP2040 that this host uses, as the datasheet names them.
//
// Spec: RP2040 datasheet chapters 2 and 4. Byte writes are replicated over the word (2.1.4): only words are
// written. Peripherals outside SIO and the core have aliases that set and clear bits.

#ifndef REGISTERS_H
#define REGISTERS_H
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SET(address) REG((address) + 0x2000u)
#define CLR(address) REG((address) + 0x3000u)
#define BIT(n) (1u << (n))

// ---- 2.14 resets, 2.13 power-on state machine
#define RESETS_RESET 0x4000c000u
#define RESETS_DONE 0x4000c008u
enum { RESET_ADC = 0, RESET_DMA = 2, RESET_I2C0 = 3, RESET_IO_BANK0 = 5, RESET_PADS_BANK0 = 8,
       RESET_PIO0 = 10, RESET_PLL_SYS = 12, RESET_PLL_USB = 13, RESET_PWM = 14, RESET_SPI0 = 16,
       RESET_TIMER = 21, RESET_UART0 = 22, RESET_UART1 = 23 };
#define PSM_WDSEL 0x40010008u
#define PSM_ALL_BUT_OSCILLATORS 0x1fffcu
#define CHIP_RESET 0x40064008u // 8 power-on, 16 RUN pin, 20 debugger

// ---- 2.15 clocks, 2.16 XOSC, 2.17 ROSC, 2.18 PLL
#define CLK_REF_CTRL 0x40008030u
#define CLK_REF_SELECTED 0x40008038u
#define CLK_SYS_CTRL 0x4000803cu
#define CLK_SYS_SELECTED 0x40008044u
#define CLK_PERI_CTRL 0x40008048u
#define CLK_ADC_CTRL 0x40008060u
#define CLK_ADC_DIV 0x40008064u
#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400cu
#define ROSC_RANDOMBIT 0x4006001cu
#define PLL_SYS 0x40028000u // CS 0, PWR 4, FBDIV_INT 8, PRIM c
#define PLL_USB 0x4002c000u

// ---- 4.6 timer, 4.7 watchdog
#define TIMER_ALARM0 0x40054010u
#define TIMER_ALARM1 0x40054014u
#define TIMER_ALARM2 0x40054018u
#define TIMER_ALARM3 0x4005401cu
#define TIMER_ARMED 0x40054020u
#define TIMERAWH 0x40054024u
#define TIMERAWL 0x40054028u
#define TIMER_INTR 0x40054034u
#define TIMER_INTE 0x40054038u
#define WATCHDOG_CTRL 0x40058000u // 31 trigger, 30 enable
#define WATCHDOG_LOAD 0x40058004u
#define WATCHDOG_REASON 0x40058008u
#define WATCHDOG_TICK 0x4005802cu

// ---- 2.19 GPIO, 2.3.1 SIO
#define IO_CTRL(gpio) (0x40014004u + 8u * (gpio))
#define INPUT_INVERTED (1u << 16) // of IO_CTRL
enum { FUNCTION_SPI = 1, FUNCTION_UART = 2, FUNCTION_I2C = 3, FUNCTION_PWM = 4, FUNCTION_SIO = 5,
       FUNCTION_NONE = 31 };
#define PIN_INTR(word) (0x400140f0u + 4u * (word)) // 8 pins a word, 4 bits a pin
#define PIN_INTE(word) (0x40014100u + 4u * (word))
enum { PIN_FELL = 4 };
#define PAD(gpio) (0x4001c004u + 4u * (gpio))
enum { PAD_FAST = 1, PAD_SCHMITT = 2, PAD_PULL_DOWN = 4, PAD_PULL_UP = 8, PAD_4_MA = 16,
       PAD_INPUT = 64, PAD_NO_OUTPUT = 128 };
#define SIO_GPIO_IN 0xd0000004u
#define SIO_OUT_SET 0xd0000014u
#define SIO_OUT_CLR 0xd0000018u
#define SIO_OE_SET 0xd0000024u
#define SIO_OE_CLR 0xd0000028u

// ---- 4.2 UART (PL011)
#define UART(n) (0x40034000u + 0x4000u * (n))
enum { UARTDR = 0x00, UARTFR = 0x18, UARTIBRD = 0x24, UARTFBRD = 0x28, UARTLCR_H = 0x2c,
       UARTCR = 0x30, UARTIFLS = 0x34, UARTIMSC = 0x38, UARTICR = 0x44, UARTDMACR = 0x48 };
enum { FR_RX_EMPTY = 16, FR_TX_FULL = 32 };
enum { UART_RX = 16, UART_TX = 32, UART_TIMEOUT = 64 }; // bits of IMSC and ICR

// ---- 2.5 DMA
#define DMA(channel) (0x50000000u + 0x40u * (channel))
enum { DMA_READ = 0x00, DMA_WRITE = 0x04, DMA_COUNT = 0x08, DMA_CTRL_TRIG = 0x0c,
       DMA_CTRL = 0x10 }; // the last one starts nothing
enum { DMA_ON = 1, DMA_HIGH_PRIORITY = 2, DMA_HALF = 1 << 2, DMA_WORD = 2 << 2, DMA_INC_READ = 16,
       DMA_INC_WRITE = 32, DMA_QUIET = 1 << 21 };
#define DMA_WRITE_RING(bits) ((uint32_t)(bits) << 6 | BIT(10)) // the base is aligned to its size
#define DMA_CHAIN(channel) ((uint32_t)(channel) << 11)
#define DMA_REQUEST(line) ((uint32_t)(line) << 15)
enum { DREQ_PIO0_RX = 4, DREQ_SPI0_TX = 16, DREQ_SPI0_RX = 17, DREQ_UART0_RX = 21,
       DREQ_UART1_RX = 23, DREQ_I2C0_TX = 32, DREQ_I2C0_RX = 33, DREQ_ADC = 36, DREQ_NONE = 63 }; // of SPI1, I2C1 two more
#define DMA_BUSY BIT(24)
#define DMA_INTE0 0x50000404u
#define DMA_INTS0 0x5000040cu
#define DMA_ABORT 0x50000444u

// ---- 3.7 PIO0
#define PIO0_CTRL 0x50200000u // 3:0 on, 7:4 restart
#define PIO0_FDEBUG 0x50200008u // 3:0 a full RX FIFO stalled a machine
#define PIO0_RXF(machine) (0x50200020u + 4u * (machine))
#define PIO0_MEMORY 0x50200048u
#define PIO0_SM(machine) (0x502000c8u + 0x18u * (machine))
enum { SM_CLKDIV = 0x00, SM_EXECCTRL = 0x04, SM_SHIFTCTRL = 0x08, SM_INSTR = 0x10 };

// ---- 4.3 I2C (DW_apb_i2c)
#define I2C(n) (0x40044000u + 0x4000u * (n))
enum { IC_CON = 0x00, IC_TAR = 0x04, IC_DATA_CMD = 0x10, IC_FS_SCL_HCNT = 0x1c,
       IC_FS_SCL_LCNT = 0x20, IC_RAW_INTR_STAT = 0x34, IC_CLR_TX_ABRT = 0x54, IC_ENABLE = 0x6c,
       IC_STATUS = 0x70, IC_SDA_HOLD = 0x7c, IC_TX_ABRT_SOURCE = 0x80, IC_DMA_CR = 0x88,
       IC_FS_SPKLEN = 0xa0 };
enum { IC_READ = 1 << 8, IC_STOP = 1 << 9 }; // of DATA_CMD; above an answer's 8 bits stands more
enum { IC_TFE = 4, IC_MST_ACTIVITY = 32, IC_TX_ABRT = 64 };

// ---- 4.4 SPI (PL022)
#define SPI(n) (0x4003c000u + 0x4000u * (n))
enum { SPI_CR0 = 0x00, SPI_CR1 = 0x04, SPI_DR = 0x08, SPI_SR = 0x0c, SPI_CPSR = 0x10,
       SPI_DMACR = 0x24 };
enum { SPI_SR_RX = 4, SPI_CR1_ON = 2 };

// ---- 4.5 PWM
#define PWM(slice) (0x40050000u + 0x14u * (slice))
enum { PWM_CSR = 0x00, PWM_DIV = 0x04, PWM_CTR = 0x08, PWM_CC = 0x0c, PWM_TOP = 0x10 };

// ---- 4.9 ADC
#define ADC_CS 0x4004c000u
#define ADC_FCS 0x4004c008u
#define ADC_FIFO 0x4004c00cu
#define ADC_DIV 0x4004c010u

// ---- 4.10 SSI, 2.19.6.2 QSPI pins
#define SSI 0x18000000u
enum { SSI_CTRLR0 = 0x00, SSI_CTRLR1 = 0x04, SSI_SSIENR = 0x08, SSI_SER = 0x10, SSI_BAUDR = 0x14,
       SSI_SR = 0x28, SSI_DR0 = 0x60 };
enum { SR_BUSY = 1, SR_RX_NOT_EMPTY = 8 };
#define QSPI_SS_CTRL 0x4001800cu // 9:8: 2 low, 3 high

// ---- Arm DDI 0419, ARMv6-M: B3.2, B3.4
#define SYST_CSR 0xe000e010u
#define NVIC_ISER 0xe000e100u
#define NVIC_ISPR 0xe000e200u
#define MPU_CTRL 0xe000ed94u // B3.5
#define MPU_RBAR 0xe000ed9cu
#define MPU_RASR 0xe000eda0u
#define NVIC_IPR(irq) (0xe000e400u + ((irq) & ~3u))
enum { IRQ_TICK = 0, IRQ_WAKE = 1, IRQ_SENSOR = 2, IRQ_SENT = 3, IRQ_DMA0 = 11, IRQ_PINS = 13,
       IRQ_UART0 = 20, IRQ_UART1 = 21, IRQ_LOOP = 26 };

#endif
