// SPDX-License-Identifier: MIT
// POST /api/setpoint: who may write, and what a write must look like.
//
// A write needs the token, JSON, and for a browser the page's own origin: a page of some other site can
// do nothing. (W1) at most WRITES_PER_SECOND are looked at; more are refused unseen.
// (W2) a body is read up to WRITE_BODY_BYTES_MAX, then the connection ends.

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Hub } from "./hub.ts";
import * as limits from "./limits.ts";
import { isName, isNodeId } from "./names.ts";

export interface WriteOptions {
  hub: Hub;
  token: string;
  wallMs: () => number;
}

/** An answer as status and JSON. */
export interface WriteReply {
  status: number;
  body: unknown;
}

/** Takes one POST after the other. */
export function createWriter(
  options: WriteOptions,
): (request: IncomingMessage) => Promise<WriteReply> {
  const allow = createRate(options.wallMs);
  return async (request) => {
    if (!allow()) return problem(429, "too many writes: wait a second");
    const body = await readBody(request);
    if (body === null) return problem(413, "a write has at most 1 kB");
    const refused = refusalOf(request, options.token);
    const write = parseWrite(body);
    if (refused !== null || typeof write === "string") {
      const { status, error } = refused ?? { status: 400, error: write as string };
      options.hub.refuseWrite({ ...shownOf(write), reason: error }, options.wallMs());
      options.hub.commit();
      return problem(status, error);
    }
    const seenMs = seenOf(request);
    if (Number.isNaN(seenMs)) return problem(400, "x-ferrule-seen is a time in milliseconds");
    const answer = options.hub.writeSetpoint({ ...write, seenMs }, options.wallMs());
    options.hub.commit(); // what was promised outlasts a kill
    return "request" in answer
      ? { status: 200, body: answer }
      : problem(answer.status, answer.error);
  };
}

interface Write {
  node: string;
  name: string;
  value: number;
  by: string;
}

export function problem(status: number, error: string): WriteReply {
  return { status, body: { error } };
}

/** A bucket of WRITES_PER_SECOND that fills up in a second. */
export function createRate(wallMs: () => number): () => boolean {
  let left = limits.WRITES_PER_SECOND;
  let fullMs = -Infinity;
  return () => {
    const now = wallMs();
    if (now >= fullMs || fullMs - now > 1000) {
      left = limits.WRITES_PER_SECOND;
      fullMs = now + 1000;
    }
    return left-- > 0;
  };
}

export function refusalOf(
  { headers }: IncomingMessage,
  token: string,
): { status: number; error: string } | null {
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return { status: 415, error: "a write is application/json" };
  if (!isOwnOrigin(headers.origin, headers.host ?? ""))
    return { status: 403, error: "a write comes from the hub's own page" };
  if (headers["sec-fetch-site"] !== undefined && headers["sec-fetch-site"] !== "same-origin")
    return { status: 403, error: "a write comes from the hub's own page" };
  const given = headers["x-ferrule-token"];
  if (typeof given !== "string" || !isSame(given, token))
    return {
      status: 401,
      error: "the token is missing or wrong: the hub prints it when it starts",
    };
  return null;
}

/** Programs send no origin; a browser always does with a POST. */
function isOwnOrigin(origin: string | undefined, host: string): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Hashed first, so that neither content nor length shows in the time it takes. */
function isSame(given: string, token: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(token));
}

/** What the page showed; null: it is no page, NaN: no time. */
function seenOf({ headers }: IncomingMessage): number | null {
  const text = headers["x-ferrule-seen"];
  if (text === undefined || text === "") return null;
  return typeof text === "string" && /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
}

/** Null: it is too long; the rest is left where it is, so that the answer still gets through. */
export function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limits.WRITE_BODY_BYTES_MAX) chunks.push(chunk);
      else resolve(null);
      if (size > limits.WRITE_BODY_BYTES_MAX) request.pause();
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
    request.on("close", () => reject(new Error("it ended early")));
  });
}

/** What a body of JSON holds, or in one sentence what is wrong with it. */
export function parseObject(body: string): Record<string, unknown> | string {
  let found: unknown;
  try {
    found = JSON.parse(body);
  } catch {
    return "the body is no JSON";
  }
  if (typeof found !== "object" || found === null) return "the body is no JSON object";
  return found as Record<string, unknown>;
}

/** The write, or in one sentence what is wrong with it. */
function parseWrite(body: string): Write | string {
  const found = parseObject(body);
  if (typeof found === "string") return found;
  const { node, name, value, by } = found;
  if (typeof node !== "string" || !isNodeId(node)) return "node is no node id";
  const named = typeof name === "string" && name.length <= limits.NAME_CHARS_MAX && isName(name);
  if (!named) return "name is no name of a set-point";
  if (typeof value !== "number" || !Number.isFinite(value)) return "value is no number";
  if (typeof by !== "string" || !isWriter(by)) return "by is who writes, 1 to 64 characters";
  return { node, name, value, by };
}

/** Whether a text names a person. */
export function isWriter(by: string): boolean {
  return by.trim() !== "" && by.length <= limits.WRITER_CHARS_MAX && !/\p{C}/u.test(by);
}

function shownOf(
  write: Write | string,
): Write | { node: string; name: string; value: null; by: string } {
  return typeof write === "string" ? { node: "", name: "", value: null, by: "" } : write;
}
