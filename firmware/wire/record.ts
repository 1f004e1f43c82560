// SPDX-License-Identifier: MIT
// Records that cross the ring from loop to link: layout and codes.
//
// Spec: SPEC.md "Ring record". Little-endian. A bad sample is a quality with a cause, never a number.

export const RECORD_KIND = 0; // u8
export const RECORD_CHANNEL = 1; // u8, order of the channels in node.json; of the taps from a state on, but for kind 4
export const RECORD_QUALITY = 2; // u8
export const RECORD_CAUSE = 3; // u8
export const RECORD_TIME_US = 4; // u32, now_us() of the tick
export const RECORD_TYPE = 8; // u8
export const RECORD_VALUE_BYTES = 9; // u8, 0..64
export const RECORD_ALARM = 10; // u8, event only: order of the alarm in its channel
export const RECORD_ACTIVE = 11; // u8, event only: 1 raised, 0 returned to normal
export const RECORD_FORM = 10; // u8, finding only: which rows it carries
export const RECORD_VALUE = 12;

export const KIND_READING = 1;
export const KIND_EVENT = 2;
export const KIND_STATE = 3;
export const KIND_SETPOINT = 4; // what became of a command; its value: setpoint.ts
export const KIND_LINE = 5; // what line a tap hears; its value: finding.ts
export const KIND_FINDING = 6; // rows of what a tap learned; their layouts: finding.ts
export const KIND_NOTICE = 7; // a security event of a line; its value: finding.ts

export const QUALITY_GOOD = 0;
export const QUALITY_UNCERTAIN = 1;
export const QUALITY_BAD = 2;

export const CAUSE_NONE = 0;
export const CAUSE_OPEN_WIRE = 1;
export const CAUSE_OVER_RANGE = 2;
export const CAUSE_UNDER_RANGE = 3;
export const CAUSE_STALE = 4;
export const CAUSE_NOT_A_NUMBER = 5;
export const CAUSE_NO_INPUT = 6;

export const TYPE_NONE = 0;
export const TYPE_I32 = 1; // mantissa; the channel's scale applies
export const TYPE_U32 = 2; // mantissa; the channel's scale applies
export const TYPE_F32 = 3;
export const TYPE_BYTES = 4;
