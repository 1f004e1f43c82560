// SPDX-License-Identifier: MIT
// Order of the fixed texts that link sends: topics, presence, causes.
//
// Spec: SPEC.md §2, §3. The generator lays them down in this order, one length octet before each.
// The topics come first: their numbers are also the topic numbers of a session. tsc reads this file too.

import { USES_FINDINGS } from "../generated/uses";

// In the order in which a session sets them up. Those before TOPIC_TIME_GET are subscribed, the others registered.
export const TOPIC_TIME = 0;
export const TOPIC_SET = 1;
export const TOPIC_TIME_GET = 2;
export const TOPIC_PRESENCE = 3;
export const TOPIC_BIRTH = 4; // "birth/", the part's number follows
export const TOPIC_STATUS = 5;
export const TOPIC_EVENT = 6;
export const TOPIC_DATA = 7;
export const TOPIC_SET_RESULT = 8;
export const TOPIC_TAP = 9; // its text is the last
export const TOPIC_COUNT = USES_FINDINGS ? 10 : 9;

export const TEXT_ROOT = 9; // "ferrule/"
export const TEXT_ONLINE = 10;
export const TEXT_OFFLINE = 11;
export const TEXT_LOST = 12;
export const TEXT_BASE_NAME = 13; // "urn:dev:mac:"
export const TEXT_CAUSE = 13; // plus the cause, 1..6
export const TEXT_TAP = 20; // only where findings are told
export const TEXT_LAST = USES_FINDINGS ? 20 : 19;
