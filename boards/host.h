// SPDX-License-Identifier: MIT
// What every board gives to the two modules: the host functions, in C.
//
// Spec: SPEC.md §1.1, §1.2. Addresses are offsets into the memory of the module that calls; a function that
// is handed octets outside that memory traps the module (kind 2), as an engine would.

#ifndef HOST_H
#define HOST_H
#include <stdint.h>

// Both modules.
uint32_t host_now_us(void);

// loop only.
uint32_t host_adc_read(uint32_t input);
uint32_t host_pwm_write(uint32_t output, uint32_t duty);
uint32_t host_digital_read(uint32_t pin);
uint32_t host_digital_write(uint32_t pin, uint32_t level);
uint32_t host_pulse_count(uint32_t input);
uint32_t host_burst_take(uint32_t device, uint32_t address, uint32_t capacity);
uint32_t host_tap_take(uint32_t tap, uint32_t address, uint32_t capacity);
uint32_t host_tap_put(uint32_t tap, uint32_t address, uint32_t length);
uint32_t host_edge_take(uint32_t tap, uint32_t address, uint32_t capacity);
uint32_t host_edge_unit_ps(uint32_t tap);
uint32_t host_tap_open(uint32_t tap, uint32_t baud, uint32_t format);
uint32_t host_ring_put(uint32_t address, uint32_t length);
uint32_t host_mailbox_take(uint32_t address, uint32_t capacity);

// link only.
uint32_t host_ring_take(uint32_t address, uint32_t capacity);
uint32_t host_mailbox_put(uint32_t address, uint32_t length);
uint32_t host_datagram_put(uint32_t peer, uint32_t address, uint32_t length);
uint32_t host_datagram_take(uint32_t address, uint32_t capacity);
uint32_t host_flash_read(uint32_t offset, uint32_t address, uint32_t length);
uint32_t host_flash_erase(uint32_t offset);
uint32_t host_flash_program(uint32_t offset, uint32_t address, uint32_t length);
uint32_t host_entropy(uint32_t address, uint32_t length);
uint32_t host_info(uint32_t item, uint32_t address, uint32_t capacity);

#endif
