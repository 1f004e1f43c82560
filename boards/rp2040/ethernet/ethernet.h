// SPDX-License-Identifier: MIT
// SPI 0 and the W5500 on it, as the rest of this folder sees them.
//
// Spec: RP2040 datasheet 4.4, 2.19; W5500 data sheet 1.0.9, chapters 2 and 4. Link's context only. No function waits:
// what the chip has not done yet is told as "not yet", and asked for again.

#ifndef ETHERNET_H
#define ETHERNET_H
#include <stdbool.h>
#include <stdint.h>

// ---- spi.c
void open_spi(void);
void select_chip(bool selected);
// Sends `out` (NULL: zeros) and keeps what comes back in `in` (NULL: nowhere).
void exchange_octets(const uint8_t *out, uint8_t *in, unsigned length);

// ---- w5500.c
enum { SOCKET_NODE = 0, SOCKET_DHCP = 1, SOCKETS_USED = 2 };
struct endpoint { uint32_t address; uint16_t port; }; // IPv4, first octet highest
struct addressing { uint32_t address, mask, router; }; // address 0: none

enum sending { SENDING_NOTHING, SENDING_GOES_ON, SENDING_DONE, SENDING_NOBODY, SENDING_STUCK };
enum taking { TAKEN_NOTHING, TAKEN_WHOLE, TAKEN_TOO_LONG, TAKEN_BROKEN, TAKEN_NOT_YET };

void hold_reset(bool held);
bool chip_answers(void);
bool chip_wants_us(void); // its interrupt pin is low
void set_up_chip(const uint8_t mac[6]);
void set_addressing(const struct addressing *addressing);
bool cable_is_up(void);
bool address_conflicts(void); // somebody said that he has ours; told once
bool sockets_are_open(void); // false: the chip lost what it was told
bool open_socket(unsigned socket, uint16_t port);
// False: the socket sends already, or has no room. To a group no address is asked for.
bool start_sending(unsigned socket, struct endpoint to, const uint8_t *octets, unsigned length);
enum sending look_at_sending(unsigned socket);
enum taking take_from_chip(unsigned socket, struct endpoint *from, uint8_t *octets,
                           unsigned *length); // length: capacity, then octets

#endif
