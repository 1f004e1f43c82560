// SPDX-License-Identifier: MIT
// Every bound of the firmware, with its reason.
//
// asc and tsc both compile this file. A bound that a node.json may lower says so.

// Wire
export const DATAGRAM_BYTES_MAX = 512; // smallest network a node must live on: the framed serial line
export const PACK_RECORDS_MAX = 64; // the hub refuses more
export const RECORD_VALUE_BYTES_MAX = 64; // one ring record never holds more
export const RECORD_BYTES_MAX = 76; // header of 12 and the value

// Mailbox between link and loop, kept by the host
export const MAILBOX_RECORDS = 8; // one for each set-point

// Ring between loop and link, kept by the host
export const RING_BYTES = 4096; // one 125-register answer is 125 readings of 17 octets: one fits with room

// loop
export const CHANNELS_MAX = 250; // the channel is one octet in a record
export const ALARMS_PER_CHANNEL_MAX = 4; // low-low, low, high, high-high
export const SETPOINTS_MAX = 8; // the mailbox holds one command for each
export const COMMANDS_PER_TICK = 4; // half a mailbox: two ticks empty it
export const OUTPUTS_MAX = 16;
export const TAPS_MAX = 2; // both chips have two UARTs to spare
export const TAP_ENTRIES_PER_TICK = 64; // worst tick: 64 characters framed; at 115,200 baud a 5 ms period keeps up
export const TAP_ENTRIES_PER_SLOW_TICK = 1152; // of a Modbus tap on a JavaScript board: 9,600 baud for a second and a quarter more
export const MODBUS_FRAME_BYTES_MAX = 256; // Modbus over serial line 1.02 §2.5.1
export const QUESTIONS_MAX = 64; // of all taps that poll: each is looked at in a tick; 20 octets each
export const AUTO_ENTRIES_PER_TICK = 128; // of a tap that finds its line: 115,200 baud in ticks of 10 ms
export const SAMPLE_OCTETS = 1024; // of a line, for every decoder to hear: a telegram of a meter and more
export const EDGES_PER_WINDOW = 160; // about 30 characters: enough to tell a parity, little enough to hold

// Filters and node code
export const AVERAGE_SAMPLES_MAX = 32; // moving average: 128 octets a channel
export const BURST_SAMPLES_MAX = 4096; // what the FIFO of an accelerometer holds
export const ACCELEROMETERS_MAX = 4; // as many as the host numbers
export const BURST_SAMPLES_PER_TICK = 64; // of each accelerometer; 3,200 a second come at half of it in 10 ms
export const PARTS_BYTES = 1024; // of what node code makes: a controller takes 48, a ramp 16, an interlock or a sequence 8

// Lines on a tap
export const LINE_BYTES_MAX = 80; // a scale's line has 16; NMEA 0183 allows 80 before the terminator
export const LINE_FIELDS_MAX = 8; // fields of one pattern
export const LINE_PATTERNS_MAX = 8; // of one tap: each is tried on each line
export const LINE_WORDS_MAX = 16; // of one field: each is compared with what stands there
export const LINE_PROGRAM_BYTES_MAX = 192; // a pattern of 80 literals and 8 fields, with its end

// Meters
export const TELEGRAM_BYTES_MAX = 16_384; // an IEC 62056-21 read-out may have 10 kB in one block
export const IDENTIFICATION_BYTES_MAX = 64; // IEC 62056-21 allows 16 after the maker and the rate
export const METER_SILENCE_US = 2_500_000; // inside a telegram: IEC 62056-21 allows 1.5 s
export const PUSH_SILENCE_US = 500_000; // inside a telegram of P1 or SML, which has no pause
export const SML_DEPTH_MAX = 8; // lists in lists; a GetList answer has six
export const SML_BYTES_MAX = 8192; // of one telegram; meters send 300 to 1,000
export const M_BUS_FRAME_BYTES_MAX = 261; // FT1.2: 4 of header, 255, check sum and end
export const M_BUS_EXTENSIONS_MAX = 10; // DIFE or VIFE of one record, EN 13757-3

// Controllers, drives, scales on a tap that finds its line
export const EXCHANGE_BYTES_MAX = 560; // DF1: 264 octets, each of them doubled, with start, end and check

// What a tap learns and tells
export const INVENTORY_REGISTERS_MAX = 256; // 7.5 KiB; a bus of ten devices with two dozen values each
export const INVENTORY_POLLS_MAX = 64; // 3 KiB; ten devices are asked three to six questions each
export const NOTICES_MAX = 16; // kinds of notices and units that are told of within five minutes

// link
export const FINDINGS_MAX = 8; // records of what taps find out; two datagrams, and loop says each row again
export const RESULTS_MAX = 8; // as many as set-points; more wait only while the road is down
export const REQUESTS_REMEMBERED = 8; // a late repeat of one of the last requests is not obeyed again
export const DATAGRAMS_PER_POLL = 8; // then loop's ring gets its turn
export const RECORDS_PER_POLL = 128;
export const POLL_DELAY_MS_MAX = 1000; // link is entered at least once a second

// Names
export const NAME_BYTES_MAX = 32; // channel, alarm, output, tap
