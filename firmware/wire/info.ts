// SPDX-License-Identifier: MIT
// Items that link reads from its host through info().
//
// Spec: SPEC.md "info items".

export const INFO_NODE_ID = 1; // ASCII [A-Za-z0-9_-], 1..23
export const NODE_ID_BYTES_MAX = 23; // MQTT-SN 1.2 §5.3.1
export const INFO_EUI64 = 2; // 8 octets
export const INFO_LOOP_HASH = 3; // SHA-256 of loop.wasm, 32 octets
export const INFO_LINK_HASH = 4; // SHA-256 of link.wasm, 32 octets
export const INFO_HOST = 5; // ASCII, what runs the modules, 1..32
export const INFO_GATEWAY_COUNT = 6; // u8: peers 1..n are configured gateways
export const INFO_COUNTERS = 7; // u32 x 4, from COUNTER_HOST_FIRST on
export const INFO_HOST_STATE = 8; // u32 x 5: restarts, cause, pc, lr, faults; a host may have none
export const HOST_STATE_WORDS = 5;

// Peers of datagram_put() and datagram_take().
export const PEER_GROUP = 0; // everyone who listens for SEARCHGW
