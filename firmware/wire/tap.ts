// SPDX-License-Identifier: MIT
// What a tap hands to loop, its protocols, and the counters in its state record.
//
// Spec: SPEC.md "Tap entry" and "Tap counters". Little-endian.

export const TAP_ENTRY_BYTES = 8;
export const TAP_ENTRY_TIME_US = 0; // u32, end of the character
export const TAP_ENTRY_BYTE = 4; // u8
export const TAP_ENTRY_FLAGS = 5; // u8

export const TAP_FLAG_FRAMING = 1;
export const TAP_FLAG_PARITY = 2;
export const TAP_FLAG_BREAK = 4;
export const TAP_FLAG_OVERRUN = 8; // characters were lost before this one

// Protocols, by their words in node.json
export const PROTOCOL_UNKNOWN = 0;
export const PROTOCOL_MODBUS_RTU = 1;
export const PROTOCOL_MODBUS_ASCII = 2;
export const PROTOCOL_ASCII_LINE = 3;
export const PROTOCOL_NMEA = 4;
export const PROTOCOL_DSMR_P1 = 5;
export const PROTOCOL_IEC62056_21 = 6;
export const PROTOCOL_SML = 7;
export const PROTOCOL_M_BUS = 8;
export const PROTOCOL_DF1 = 9;
export const PROTOCOL_HOST_LINK = 10;
export const PROTOCOL_3964R = 11;
export const PROTOCOL_USS = 12;
export const PROTOCOL_MELSEC_FX = 13;
export const PROTOCOL_TOLEDO_CONTINUOUS = 14;

// Kinds of events, tap/event.ts in loop
export const TAP_EVENT_READ = 1; // an answered read: values
export const TAP_EVENT_WRITE = 2; // an answered write: what was written
export const TAP_EVENT_EXCEPTION = 3; // a request answered with an error: reason
export const TAP_EVENT_UNANSWERED = 4; // a request that nobody answered
export const TAP_EVENT_ORPHAN = 5; // an answer without its request: of no use as a value
export const TAP_EVENT_QUERY = 6; // an answered request about something else than registers
export const TAP_EVENT_BROADCAST = 7; // a request to all units, which nobody answers
export const TAP_EVENT_READING = 8; // a number with its name
export const TAP_EVENT_TEXT = 9; // a text with its name: `values`

// u32 each, in this order, in a state record and in a status message.
export const TAP_COUNTER_BYTES = 0;
export const TAP_COUNTER_FRAMES = 1;
export const TAP_COUNTER_REQUESTS = 2;
export const TAP_COUNTER_RESPONSES = 3;
export const TAP_COUNTER_EXCEPTIONS = 4;
export const TAP_COUNTER_PAIRS = 5;
export const TAP_COUNTER_ORPHANS = 6;
export const TAP_COUNTER_UNANSWERED = 7;
export const TAP_COUNTER_BROADCASTS = 8;
export const TAP_COUNTER_JUNK_BYTES = 9;
export const TAP_COUNTER_COUNT = 10;
