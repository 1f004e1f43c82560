// SPDX-License-Identifier: MIT
// What a node type uses of the firmware: code for the rest is left out.
//
// Written by scripts/build/generate-uses.ts for each node type; as it lies here everything is in.

export const USES_FLOATS: bool = true; // a register of type f32
export const USES_SETPOINTS: bool = true;
export const USES_TAP_EVENTS: bool = true; // all kinds of tap/event.ts, not only reads
export const USES_FINDINGS: bool = true; // what taps find out about their lines
export const USES_NOTICES: bool = true; // security events of a line
export const USES_POLLING: bool = true; // a tap that polls
export const USES_COILS: bool = true; // a register channel of coils or discrete inputs
export const USES_MODBUS_ASCII: bool = true;
export const USES_TWO_WIRES: bool = true; // a tap that hears the answers to the requests of another
export const USES_REGISTER_PARTS: bool = true; // bits of a register, written values, divided ones
export const USES_REGISTER_WIDE: bool = true; // 64 bits
export const USES_UNCONFIRMED: bool = true; // readings at QoS 0
export const USES_SEARCH: bool = true; // the host may have no gateway
export const USES_OFFERED_TOPICS: bool = true; // topics that a gateway registers
export const USES_GOODBYE: bool = true; // stop() says offline first
export const USES_MEDIAN_5: bool = true;
export const USES_FLASH_CHUNKS: bool = true; // the flash is read 256 octets at a time
export const USES_HOST_STATE: bool = true; // the host knows item 8 of SPEC.md §1.5
export const USES_UNSIGNED: bool = true; // a channel of type u32
export const USES_RARE_CODES: bool = true; // Modbus function codes besides 1 to 6, 15 and 16
export const USES_FREE_SLOTS: bool = true; // objects of a meter that nobody named
export const USES_WORD_SCALES: bool = true; // words that say a power of ten or a sign
export const USES_ABSENT_FIELDS: bool = true; // lines that say that a number is none
export const USES_LINE_CHECKS: bool = true; // lines with a check of their own
export const TEXT_BYTES: i32 = 64; // of the longest text of a channel, a multiple of 8; 0: none
export const EXCHANGE_PROTOCOLS: i32 = 0x7e00; // a bit for each protocol on exchange.ts, by its number
