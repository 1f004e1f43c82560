// SPDX-License-Identifier: MIT
// Names of the counters of a node, in their order.
//
// Spec: SPEC.md "Counters". For those who show them: the firmware sends numbers only, so it never imports this.

export const COUNTER_NAMES = [
  "queued",
  "acknowledged",
  "droppedTelemetry",
  "droppedAlarm",
  "droppedRefused",
  "waiting",
  "unconfirmedSent",
  "unconfirmedDropped",
  "recordsBad",
  "datagramsMalformed",
  "datagramsUnexpected",
  "retransmissions",
  "connects",
  "timeAnswers",
  "ringDropped",
  "loopTraps",
  "loopOverruns",
  "linkTraps",
  "resultsDropped",
];
