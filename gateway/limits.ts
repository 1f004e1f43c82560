// SPDX-License-Identifier: MIT
// Every bound and every timer of the gateway, with its reason.
//
// Spec: MQTT-SN 1.2 §7.2 (timers). Lengths of time are milliseconds unless the name says otherwise.

// Datagrams
export const DATAGRAM_BYTES_MAX = 1400; // fits an Ethernet frame with IPv6 and UDP: no fragments

// Clients
export const CLIENTS_MAX = 10_000; // one TCP connection each; one local address has about 28,000 ports
export const CLIENT_ID_BYTES_MAX = 23; // §5.3.1
export const CONNECTS_PER_SECOND_MAX = 2000; // each opens a TCP connection
export const STORED_SESSIONS_MAX = 1000; // wills and subscriptions of absent CleanSession 0 clients

// Answers to strangers, each never longer than the question
export const DISCONNECTS_PER_SECOND_MAX = 500;
export const DISCONNECTS_PER_PEER_MAX = 10; // a second; two gateways cannot keep each other busy
export const SEARCHES_PER_SECOND_MAX = 500; // a hall of nodes after a power cut, not a flood

// Per client
export const TOPICS_MAX = 256; // names with a normal id, either direction
export const TOPICS_BYTES_MAX = 16_384; // of these names together
export const SUBSCRIPTIONS_MAX = 16;
export const MUTED_TOPICS_MAX = 64; // names that the client refused to learn
export const UPLINK_EXCHANGES_MAX = 16; // requests that wait for the broker
export const DOWNLINK_MESSAGES_MAX = 32; // mosquitto leaves at most 20 unacknowledged
export const DOWNLINK_BYTES_MAX = 8192; // topic names and payloads of these messages

// Broker side
export const BROKER_PACKET_BYTES_MAX = 262_144; // a longer packet cannot be for a client of 1,400 octets
export const BROKER_BACKLOG_BYTES_MAX = 8_388_608; // unsent octets on all sockets; then 01

// Serial lines
export const SERIAL_LINES_MAX = 32;
export const SERIAL_BACKLOG_BYTES_MAX = 4096; // unsent octets of one line: 0.4 s at 115,200 baud
export const SERIAL_RETRY_MS = 1000; // a plug is back, or was never there

// Timers towards clients
export const RETRY_PERIOD_MS = 10_000; // Tretry
export const RETRY_COUNT_MAX = 4; // Nretry
export const WAIT_PERIOD_MS = 300_000; // Twait, after a client answered 01
export const ADVERTISE_PERIOD_MS = 900_000; // Tadv
export const IDLE_MS_MAX = 86_400_000; // a client without keep alive is gone after a day of silence

// Timers towards the broker
export const BROKER_ANSWER_MS = 10_000; // connection, CONNACK, PINGRESP
export const BROKER_KEEP_ALIVE_S = 60;
export const BROKER_PING_PERIOD_MS = 30_000; // half of the keep alive
export const RECONNECT_DELAY_MS_MIN = 1000; // doubles with each failure
export const RECONNECT_DELAY_MS_MAX = 30_000;

/** How long a client with this Duration may be silent: §7.2 adds 50 % up to a minute, 10 % above. */
export function silenceMsMax(durationS: number): number {
  if (durationS === 0) return IDLE_MS_MAX;
  const toleranceMs = durationS <= 60 ? durationS * 500 : durationS * 100;
  return durationS * 1000 + Math.max(toleranceMs, 1000);
}
