// SPDX-License-Identifier: MIT
// Who wrote which set-point, what became of it, and who acknowledged which alarm.
//
// (A1) the newest AUDIT_KEPT rows are held; a file keeps more. Ids rise by one a row.

import type { AuditRow } from "./api.ts";
import type { Keeper } from "./history.ts";
import { AUDIT_KEPT } from "./limits.ts";

export interface AuditLog {
  add(row: Omit<AuditRow, "id">): void;
  /** At most `max` rows, newest first; of one node or, null, of all. */
  newest(max: number, node: string | null): AuditRow[];
}

/** Goes on after what was kept. */
export function createAuditLog(keeper: Keeper | null, kept: readonly AuditRow[]): AuditLog {
  const rows = [...kept];
  let nextId = (rows[rows.length - 1]?.id ?? 0) + 1;
  return {
    add: (row) => {
      const whole = { id: nextId++, ...row };
      rows.push(whole);
      if (rows.length > AUDIT_KEPT) rows.shift();
      keeper?.audit(whole);
    },
    newest: (max, node) => {
      const asked = node === null ? rows : rows.filter((row) => row.node === node);
      return asked.slice(Math.max(0, asked.length - max)).reverse();
    },
  };
}
