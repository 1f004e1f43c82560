// SPDX-License-Identifier: MIT
// Counters of a node: their order in memory and in a status message.
//
// Spec: SPEC.md "Counters". u32 each; they start at 0 with each start of link and wrap.

export const COUNTER_QUEUED = 0; // QoS 1 readings and events accepted into the outbox
export const COUNTER_ACKNOWLEDGED = 1; // of those, acknowledged by the gateway
export const COUNTER_DROPPED_TELEMETRY = 2; // QoS 1 readings pushed out of a full outbox
export const COUNTER_DROPPED_ALARM = 3; // events pushed out of a full outbox
export const COUNTER_DROPPED_REFUSED = 4; // refused by the gateway with "not supported"
export const COUNTER_WAITING = 5; // QoS 1 readings and events in the outbox now
export const COUNTER_UNCONFIRMED_SENT = 6; // QoS 0 readings sent
export const COUNTER_UNCONFIRMED_DROPPED = 7; // QoS 0 readings pushed out
export const COUNTER_RECORDS_BAD = 8; // ring records that were malformed
export const COUNTER_DATAGRAMS_MALFORMED = 9;
export const COUNTER_DATAGRAMS_UNEXPECTED = 10; // well-formed, nobody waits for it, or a foreign peer
export const COUNTER_RETRANSMISSIONS = 11;
export const COUNTER_CONNECTS = 12;
export const COUNTER_TIME_ANSWERS = 13;
// Kept by the host, read through info().
export const COUNTER_RING_DROPPED = 14;
export const COUNTER_LOOP_TRAPS = 15;
export const COUNTER_LOOP_OVERRUNS = 16;
export const COUNTER_LINK_TRAPS = 17;
// Kept by link again: it came after the host's.
export const COUNTER_RESULTS_DROPPED = 18; // results pushed out of a full queue, or refused
export const COUNTER_COUNT = 19;
export const COUNTER_HOST_FIRST = 14;
