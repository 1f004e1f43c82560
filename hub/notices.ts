// SPDX-License-Identifier: MIT
// Notices of a line: rule, ATT&CK ids and the sentence of each.
//
// Spec: SPEC.md §16. The ids are of ATT&CK for ICS; a node says only which notice it is. A word that is not
// known is told as it is, without a rule.

import type { NoticeView, Technique } from "./api.ts";
import type { Entry } from "./decode.ts";

const ATTACK_VERSION = "19";

interface Rule {
  rule: string;
  techniques: [id: string, legacy?: string][];
  says: string;
}

const RULES: Record<string, Rule> = {
  write: {
    rule: "R6",
    techniques: [["T1692.001", "T0855"], ["T0836"], ["T0806"]],
    says: "a write was seen",
  },
  "new-unit": { rule: "R4", techniques: [["T0848"]], says: "a new unit answers" },
  identification: {
    rule: "R7",
    techniques: [["T0888"], ["T0846"]],
    says: "somebody asks what a unit is",
  },
  "unit-sweep": {
    rule: "R7",
    techniques: [["T0846"]],
    says: "units are asked that never answered",
  },
  "address-sweep": {
    rule: "R7",
    techniques: [["T0861"]],
    says: "questions come that were never asked before",
  },
  probing: {
    rule: "R7",
    techniques: [["T0846"], ["T0861"]],
    says: "new questions are refused one after the other",
  },
  exceptions: { rule: "R5", techniques: [["T0814"]], says: "many questions end in an exception" },
  "listen-only": {
    rule: "R5",
    techniques: [["T0814"]],
    says: "a unit was told to listen only",
  },
  restart: { rule: "R8", techniques: [["T0816"]], says: "a unit was told to restart" },
  "line-changed": { rule: "R5", techniques: [["T0814"]], says: "the line is another one now" },
  "unit-silent": {
    rule: "R3",
    techniques: [["T1691.002", "T0804"], ["T0815"]],
    says: "a unit that answered before is silent",
  },
  "second-master": {
    rule: "R4",
    techniques: [["T0848"]],
    says: "another master asks on a line that this node polls, which has stopped",
  },
  overflow: { rule: "R12", techniques: [["T0815"]], says: "more happened than could be told" },
};

/** What a notice is, with its rule; the entry has one. */
export function noticeView({ name, alarm, notice }: Entry): NoticeView {
  const [unit = -1, code = 0, address = 0, quantity = 0, value = 0, times = 1] = notice ?? [];
  const rule = RULES[alarm];
  return {
    tap: name,
    word: alarm,
    rule: rule?.rule ?? null,
    techniques: (rule?.techniques ?? []).map(([id, legacy]): Technique => ({
      ...{ id, legacyId: legacy ?? null, framework: "ics", version: ATTACK_VERSION },
    })),
    ...{ unit: unit < 0 ? null : unit, code: code === 0 ? null : code },
    ...{ address, quantity, value, times },
  };
}

/** One sentence, without the node's name. */
export function noticeText(notice: NoticeView): string {
  const { tap, word, rule, techniques, unit, code, address, quantity, value, times } = notice;
  const where = [
    unit === null ? null : `unit ${unit}`,
    code === null ? null : `FC ${code}`,
    code === null || code === 17 || code === 43 ? null : `address ${address}`,
    quantity > 1 ? `${quantity} values` : null,
    word === "write" || word === "overflow" ? `value ${value}` : null,
    times > 1 ? `${times} times` : null,
  ].filter((part) => part !== null);
  const says = RULES[word]?.says ?? word;
  const ids = techniques.map(({ id, legacyId }) =>
    legacyId === null ? id : `${id}, was ${legacyId}`,
  );
  const why = rule === null ? "" : ` (${[rule, ...ids].join("; ")})`;
  return `${tap}: ${says}${where.length === 0 ? "" : `: ${where.join(", ")}`}${why}.`;
}
