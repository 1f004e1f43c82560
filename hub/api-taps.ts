// SPDX-License-Identifier: MIT
// The HTTP API of the hub as types: taps, what they learned, what they noticed.
//
// Spec: SPEC.md §16. Imports nothing, as api.ts, of which it is a part.

export interface TapView {
  name: string;
  protocol: string;
  baud: number;
  format: string; // such as 8E1
  pollsMs?: number; // the node asks the units itself, so often; absent: it only listens
  counters: Record<string, number>;
  line: LineView | null; // what it found out of the line; null: it was told
  learned: number; // registers learned; more of them: GET /api/tap
}

/** What a tap found out of its line. */
export interface LineView {
  baud: number | null; // null: not known, or no serial line
  format: string | null;
  inverted: boolean;
  protocol: string | null; // as in node.json
  confidence: number; // 0..1
  coverage: number; // share of octets inside frames with a right check, 0..1
  phase: "listening" | "line" | "protocol" | "changed" | "none"; // none: no serial line
  frames: number;
  edges: number;
}

/** What a tap learned, by unit, table and address. */
export interface TapInventory {
  node: string;
  tap: string;
  atMs: number | null; // when the newest of it came
  line: LineView | null;
  units: LearnedUnit[];
  registers: LearnedRegister[];
  polls: LearnedPoll[];
  proposed: number; // channels of the node.json that GET /api/tap/node.json gives; 0: there is none
  registersLeftOut: number; // samples that found no place in the node
  pollsLeftOut: number;
}

export interface LearnedUnit {
  unit: number;
  registers: number;
  polls: number; // questions that read
  answered: number;
  exceptions: number;
  unanswered: number;
  writes: number;
  answerUs: number | null; // of its slowest question; null: it never answered
  answerUsMax: number | null;
}

export interface LearnedRegister {
  unit: number;
  code: number; // function code that reads it; 1 and 2: 16 coils from the address on
  address: number;
  value: number; // raw
  min: number;
  max: number;
  writes: number;
  changes: number;
  samples: number;
  likely: "u16" | "i16" | "f32 ABCD" | "f32 CDAB" | "bits"; // plausible, no proof
  atMs: number;
}

export interface LearnedPoll {
  unit: number;
  code: number;
  address: number;
  quantity: number;
  reason: number; // of the latest exception, 0: none
  answered: number;
  exceptions: number;
  unanswered: number;
  periodMs: number; // 0: asked once
  answerUs: number;
  answerUsMax: number;
  atMs: number;
}

/** What a tap noticed on its line, SPEC.md §16. */
export interface NoticeView {
  tap: string;
  word: string; // write, new-unit, unit-sweep, ...
  rule: string | null; // R3 to R12; null: a word that the hub does not know
  techniques: Technique[];
  unit: number | null;
  code: number | null; // function code
  address: number;
  quantity: number;
  value: number;
  times: number; // how often since it was told before
}

/** An id of MITRE ATT&CK. */
export interface Technique {
  id: string;
  legacyId: string | null; // the id that this one replaced
  framework: "ics";
  version: string;
}
