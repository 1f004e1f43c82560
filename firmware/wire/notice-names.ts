// SPDX-License-Identifier: MIT
// Words of the notices of a line, from NOTICE_* 1 of finding.ts on.
//
// Spec: SPEC.md §16. For the generator and those who read packs; the firmware carries what a node uses.

export const NOTICE_NAMES = [
  "write",
  "new-unit",
  "identification",
  "unit-sweep",
  "address-sweep",
  "probing",
  "exceptions",
  "listen-only",
  "restart",
  "line-changed",
  "unit-silent",
  "overflow",
  "second-master",
];
