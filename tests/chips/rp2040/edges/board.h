// SPDX-License-Identifier: MIT
// What rp2040.h asks of a build; the program of the test uses none of it.
#define BOARD_FLASH_BYTES 2097152
#define BOARD_RING_BYTES 1024
