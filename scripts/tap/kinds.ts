// SPDX-License-Identifier: MIT
// Numbers of the kinds of events, as firmware/loop/tap/event.ts has them.
//
// That file is AssemblyScript and cannot be loaded here; a test compares the two.

export const TAP_EVENT_READ = 1;
export const TAP_EVENT_WRITE = 2;
export const TAP_EVENT_EXCEPTION = 3;
export const TAP_EVENT_UNANSWERED = 4;
export const TAP_EVENT_ORPHAN = 5;
export const TAP_EVENT_QUERY = 6;
export const TAP_EVENT_BROADCAST = 7;
export const TAP_EVENT_READING = 8;
export const TAP_EVENT_TEXT = 9;
