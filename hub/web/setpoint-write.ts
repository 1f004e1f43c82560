// SPDX-License-Identifier: MIT
// Adapter: writes of set-points to the hub, their audit, and who writes.
//
// The name is asked once per browser, the token once per session of a tab. The token goes in a header, never in an
// address; it is forgotten as soon as the hub refuses it. Nothing here throws.

import type { Audit, AuditRow, Problem, SetpointAnswer, SetpointRequest } from "../api.ts";
import { AUDIT_ROWS } from "./limits.ts";

export interface Writer {
  name: string;
  token: string;
}

/** What became of a write at once; status 0: the hub did not answer. */
export type WriteReply = { request: number } | { status: number; error: string };

const NAME_KEY = "ferrule-name";
const TOKEN_KEY = "ferrule-token";
const ANSWER_MS = 5_000;

/** What was typed before; empty where it was not. */
export function readWriter(): Writer {
  return { name: read(() => localStorage, NAME_KEY), token: read(() => sessionStorage, TOKEN_KEY) };
}

export function keepWriter({ name, token }: Writer): void {
  keep(() => localStorage, NAME_KEY, name);
  keep(() => sessionStorage, TOKEN_KEY, token);
}

/** Sends one write; `seenMs` is since when the value on screen holds, 0: none was shown. */
export async function postSetpoint(
  write: SetpointRequest,
  { token, seenMs }: { token: string; seenMs: number },
): Promise<WriteReply> {
  try {
    const response = await fetch("/api/setpoint", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-ferrule-token": token,
        "x-ferrule-seen": String(seenMs),
      },
      body: JSON.stringify(write),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const body = (await response.json()) as SetpointAnswer | Problem;
    return "request" in body ? body : { status: response.status, error: body.error };
  } catch {
    return {
      status: 0,
      error: "the hub did not answer: whether it took the write is in the audit",
    };
  }
}

/** The newest audit rows of a node; null: the hub did not answer. */
export async function askAudit(node: string): Promise<AuditRow[] | null> {
  const query = new URLSearchParams({ node, limit: String(AUDIT_ROWS) });
  try {
    const response = await fetch(`/api/audit?${query.toString()}`, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return response.ok ? ((await response.json()) as Audit).rows : null;
  } catch {
    return null;
  }
}

/** A browser that keeps nothing makes a person type again, no more. */
function read(storage: () => Storage, key: string): string {
  try {
    return storage().getItem(key) ?? "";
  } catch {
    return "";
  }
}

function keep(storage: () => Storage, key: string, text: string): void {
  try {
    if (text === "") storage().removeItem(key);
    else storage().setItem(key, text);
  } catch {
    // As above.
  }
}
