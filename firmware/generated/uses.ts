// SPDX-License-Identifier: MIT
// What a node type uses of the firmware: code for the rest is left out.
//
// Written by scripts/build/generate-uses.ts for each node type; as it lies here everything is in.

export const USES_FLOATS: bool = true; // a register of type f32
export const USES_SETPOINTS: bool = true;
export const USES_TAP_EVENTS: bool = true; // all kinds of tap/event.ts, not only reads
export const USES_FINDINGS: bool = true; // what taps find out about their lines
export const USES_NOTICES: bool = true; // security events of a line
