// SPDX-License-Identifier: MIT
// Set-points: mailbox record, value of the ring record, labels and codes.
//
// Spec: SPEC.md §1.4, §1.7, §8. Records are little-endian.

// Mailbox record, link to loop
export const MAILBOX_SETPOINT = 0; // u8, order in node.json; 3 octets of 0 follow
export const MAILBOX_REQUEST = 4; // u32
export const MAILBOX_MANTISSA = 8; // i32, in steps of the set-point
export const MAILBOX_LIFETIME_MS = 12; // u32, 0: the set-point's staleMs
export const MAILBOX_BYTES = 16;

// Value of a ring record of KIND_SETPOINT, loop to link
export const OUTCOME_REQUEST = 0; // u32
export const OUTCOME_REQUESTED = 4; // i32
export const OUTCOME_EFFECTIVE = 8; // i32
export const OUTCOME_CODE = 12; // u8; 3 octets of 0 follow
export const OUTCOME_BYTES = 16;

// Labels of the CBOR map on `set`
export const SET_REQUEST = 0;
export const SET_NAME = 1;
export const SET_VALUE = 2; // integer or 4([e, m])
export const SET_LIFETIME_MS = 3; // absent or 0: the set-point's staleMs

// Labels of the CBOR map on `set/result`
export const RESULT_REQUEST = 0;
export const RESULT_NAME = 1;
export const RESULT_REQUESTED = 2;
export const RESULT_EFFECTIVE = 3; // absent when link refused
export const RESULT_CODE = 4;

// Codes of loop
export const CODE_APPLIED = 0;
export const CODE_CLAMPED = 1;
export const CODE_STALE = 2; // fell to its default
export const CODE_REFUSED = 3; // by an interlock of the node

// Codes of link, which did not ask loop
export const CODE_UNKNOWN_NAME = 16;
export const CODE_BELOW_MIN = 17;
export const CODE_ABOVE_MAX = 18;
export const CODE_RESOLUTION = 19; // between two steps
export const CODE_MAILBOX_FULL = 20;
export const CODE_MALFORMED = 21;
