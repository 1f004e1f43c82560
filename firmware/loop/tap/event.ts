// SPDX-License-Identifier: MIT
// What a tap's decoder tells of a line, one event at a time, in any protocol.
//
// A decoder X is one file tap/<x>.ts, pure, in the memory of its caller (X_TAP_BYTES, 0 at first):
//
//   startX(x, characterUs, nowUs)      once
//   putX(x, octet, flags, atUs)        one octet that ended at atUs; flags of wire/tap.ts
//   takeX(x, event): bool              after each put and each idle, until it returns false
//   noteIdleX(x, nowUs)                in a tick without octets
//   xCounters(x): usize                TAP_COUNTER_COUNT u32; junk: octets outside frames with a right check
//
// (I1) every number of an event stood in a frame with a right check, and an answer's in a pair.
// (I2) `values` and `name` are read until the next call for that tap; never kept.

export {
  TAP_EVENT_BROADCAST,
  TAP_EVENT_EXCEPTION,
  TAP_EVENT_ORPHAN,
  TAP_EVENT_QUERY,
  TAP_EVENT_READ,
  TAP_EVENT_READING,
  TAP_EVENT_TEXT,
  TAP_EVENT_UNANSWERED,
  TAP_EVENT_WRITE,
} from "../../wire/tap";

export const UNIT_NONE = -1;

/** Fields that a kind does not have are 0; a decoder of one shape may leave those of the other as they are. */
@unmanaged
export class TapEvent {
  digits: i64; // number = digits x 10^-decimals
  kind: i32;
  unit: i32; // 0 broadcast, UNIT_NONE none
  code: i32; // function code
  address: i32;
  quantity: i32;
  reason: i32; // exception or application error code
  answerUs: u32; // from the end of the request to the end of the answer; 0: damage hid it
  values: usize; // octets as on the wire
  bytes: i32; // of `values`
  name: usize;
  nameBytes: i32;
  decimals: i32;
  unitCode: i32;
  spare: i32; // a multiple of 8 in all
}
