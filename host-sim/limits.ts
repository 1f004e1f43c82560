// SPDX-License-Identifier: MIT
// Every bound of the simulator, with its reason.

// Node
export const TAP_ENTRIES_MAX = 1024; // about one second at 9,600 baud: longer than any tick
export const EDGES_WAITING_MAX = 1024; // about 250 characters, as the chip's ring keeps
export const PEERS_MAX = 8; // SPEC.md §1.2: addresses that answered, at a time
export const INBOX_DATAGRAMS_MAX = 32; // a burst of a gateway; a host buffers no more
export const FLASH_SECTOR_BYTES = 4096;
export const FLASH_SECTORS = 2; // SPEC.md §1.2
export const LINK_RESTART_US = 100_000; // after a trap: long enough to see it, short against keep alive
export const POLL_PITCH_US = 1000; // a link that always asks for 0 ms still lets time go on
export const LOST_CANDIDATES_MAX = 100_000; // outstanding readings of all power cuts of one node
export const MAILBOX_RECORDS_MAX = 8; // commands that loop has not taken: more than set-points move at once
export const BURST_FIFO_SAMPLES = 4096; // an accelerometer's own memory: more than a second at 3,200 Hz

// Network
export const IN_FLIGHT_MAX = 4096; // datagrams under way; more are lost, as in a switch
export const DELAY_US_MIN = 500; // one way on a quiet local network
export const DELAY_US_MAX = 3000;
export const REORDER_US_MAX = 400_000; // a straggler: may come after an answer to its repetition
export const BROKER_DELAY_US = 200; // each chunk between gateway and broker

// Broker model
export const BROKER_SESSIONS_MAX = 65_536; // one a node and some
export const BROKER_RETAINED_MAX = 262_144; // birth, presence and tags of the largest plant tried
export const BROKER_QUEUE_MAX = 1000; // messages for a session that is away
export const BROKER_STREAM_BYTES_MAX = 262_144; // a packet longer than this ends its connection
export const BROKER_SUBSCRIPTIONS_MAX = 1000; // of one session
export const WIRE_CHARACTERS_MAX = 4096; // four seconds at 9,600 baud: an end that floods is cut off

// Faults
export const DELAY_MS_MAX = 20_000; // of a datagram: with a late one and the broker still within LOST_WATCH_US
export const BROKER_SLOW_MS_MAX = 20_000; // the same for each chunk
export const CLOCK_PPM_MAX = 100_000; // a tenth: far beyond any crystal, time still runs forwards
export const LINE_BURST_CHARACTERS_MAX = 512; // that an echo repeats: longer than any frame
export const CLOCK_STEP_MS_MAX = 366 * 24 * 3_600_000; // a year: a clock that nobody set

// Simulation
export const LIVENESS_US_MAX = 120_000_000; // after heal everything is delivered within this: link waits 60 s after congestion, then retries
export const DRAIN_US_MAX = 600_000_000; // after sampling stopped: at most 10 virtual minutes
export const DRAIN_STEP_US = 100_000; // how often it is asked whether anything still waits
export const LOST_WATCH_US = 60_000_000; // a datagram sent before a power cut arrives within this, or never

// Real time
export const CATCH_UP_US_MAX = 1_000_000; // ticks later than this (a suspended laptop) are skipped, counted
export const REALTIME_OVERRUN_US_MIN = 50_000; // shorter stalls are the PC's scheduler, not the loop
