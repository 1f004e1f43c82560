// SPDX-License-Identifier: MIT
// The page and the HTTP API: node:http, a table of routes, strict headers.
//
// Read only but for POST /api/setpoint and /api/acknowledge. Nothing is loaded from elsewhere (content security policy), nothing framed.
// On loopback only requests that name a loopback host are answered, so that a page of some other site
// cannot read the plant through a changed DNS answer. Errors are one JSON object { error }.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { Health } from "./api.ts";
import { createAcknowledger } from "./http-acknowledge.ts";
import { exportCsv } from "./http-export.ts";
import type { Hub } from "./hub.ts";
import * as limits from "./limits.ts";
import { createStreams } from "./sse.ts";
import { createWriter, type WriteReply } from "./http-writes.ts";

/** The page as it is served. */
export interface PageFiles {
  html: string;
  js: Uint8Array;
  css: string;
  icon: string; // SVG
  chunks?: ReadonlyMap<string, Uint8Array>; // further parts of the script, by their path
}

export interface PageServerOptions {
  hub: Hub;
  host: string;
  port: number; // 0: any
  spare?: number; // how many of the next ones may be tried where it is taken
  page: PageFiles;
  wallMs: () => number;
  health: () => Health;
  metrics: () => Promise<string>;
  token: string; // who has it may write set-points
}

export interface PageServer {
  port: number;
  /** Tells open pages what changed; to be called every STREAM_PITCH_MS. */
  flush(): void;
  close(): Promise<void>;
}

/** Starts to listen; rejects with one clear sentence when the port cannot be had. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const streams = createStreams(options.hub, options.wallMs);
  const routes = createRoutes(options);
  const writers = new Map([
    [WRITE_PATH, createWriter(options)],
    [ACKNOWLEDGE_PATH, createAcknowledger(options)],
  ]);
  const loopback = isLoopback(options.host);
  const server = createServer((request, response) => {
    for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
    const refused = refusal(request, loopback);
    if (refused !== null) return send(request, response, refused);
    // Paths are compared as they are: none of ours needs an escape.
    const [path = "", search = ""] = (request.url ?? "").split("?", 2);
    const query = new URLSearchParams(search);
    const write = request.method === "POST" ? writers.get(path) : undefined;
    if (write !== undefined)
      return void answerWrite(write, request).then((answer) => send(request, response, answer));
    if (path === "/api/export.csv") return void answerExport(options.hub, query, request, response);
    if (path === "/api/stream") return streams.open(request, response, query);
    const route = routes.get(path);
    if (route === undefined) return send(request, response, problem(404, "there is no such page"));
    void answerWith(route, query).then((answer) => send(request, response, answer));
  });
  server.maxConnections = limits.CONNECTIONS_MAX;
  const port = await listen(server, options.host, options.port, options.spare ?? 0);
  return {
    port,
    flush: () => streams.flush(),
    close: async () => {
      streams.close();
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
    },
  };
}

interface Answer {
  status: number;
  type: string;
  body: string | Uint8Array;
  gzip?: Uint8Array; // the same body, compressed
  allow?: string; // methods, of a 405
}

type Route = (query: URLSearchParams) => Answer | Promise<Answer>;

const JSON_TYPE = "application/json; charset=utf-8";
const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  [
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "no-referrer"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Cache-Control", "no-store"],
];

function createRoutes({
  hub,
  page,
  wallMs,
  health,
  metrics,
}: PageServerOptions): Map<string, Route> {
  const html = file("text/html; charset=utf-8", Buffer.from(page.html));
  const script = file("text/javascript; charset=utf-8", page.js);
  const style = file("text/css; charset=utf-8", Buffer.from(page.css));
  const icon = file("image/svg+xml", Buffer.from(page.icon));
  const chunks = [...(page.chunks ?? [])].map(([path, body]): [string, Route] => {
    const chunk = file("text/javascript; charset=utf-8", body);
    return [path, () => chunk];
  });
  return new Map<string, Route>([
    ...chunks,
    ["/", () => html],
    ["/app.js", () => script],
    ["/app.css", () => style],
    ["/icon.svg", () => icon],
    ["/healthz", () => healthAnswer(health())],
    ["/metrics", async () => ({ status: 200, type: METRICS_TYPE, body: await metrics() })],
    ["/api/snapshot", () => json(200, hub.snapshot(wallMs()))],
    ["/api/history", (query) => historyAnswer(hub, query, wallMs())],
    ["/api/audit", (query) => auditAnswer(hub, query)],
    ["/api/tap", (query) => tapAnswer(hub, query)],
    ["/api/tap/node.json", (query) => proposalAnswer(hub, query)],
  ]);
}

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

function file(type: string, body: Uint8Array): Answer {
  return { status: 200, type, body, gzip: gzipSync(body) };
}

function json(status: number, value: unknown): Answer {
  return { status, type: JSON_TYPE, body: JSON.stringify(value) };
}

function problem(status: number, error: string): Answer {
  return json(status, { error });
}

function healthAnswer(health: Health): Answer {
  return json(health.ok ? 200 : 503, health);
}

const WRITE_PATH = "/api/setpoint";
const ACKNOWLEDGE_PATH = "/api/acknowledge";

function historyAnswer(hub: Hub, query: URLSearchParams, nowMs: number): Answer {
  const asked = askedRange(query);
  if (typeof asked === "string") return problem(400, asked);
  const { node, channel, sinceMs } = asked;
  if (channel === null) return problem(400, "give node and channel");
  const untilMs = Math.min(asked.untilMs, Math.max(Math.floor(nowMs), sinceMs));
  const points = query.get("points");
  const max = points === null ? limits.RANGE_POINTS_DEFAULT : whole(points);
  if (!(max >= limits.RANGE_POINTS_MIN && max <= limits.RANGE_POINTS_MAX))
    return problem(400, `points is ${limits.RANGE_POINTS_MIN} to ${limits.RANGE_POINTS_MAX}`);
  const texts = hub.texts(node, channel, { sinceMs, untilMs, max, newest: true });
  if (texts !== null) return json(200, { points: [], texts });
  if (points === null && query.get("until") === null) {
    const all = hub.history(node, channel, sinceMs);
    return all === null ? NO_CHANNEL : json(200, { points: all });
  }
  const answer = hub.range(node, channel, { sinceMs, untilMs, points: max });
  return answer === null ? NO_CHANNEL : json(200, answer);
}

const NO_CHANNEL = problem(404, "there is no such channel");

interface AskedRange {
  node: string;
  channel: string | null; // null: it was not given
  sinceMs: number;
  untilMs: number;
}

/** Node, channel and times of a query, or in one sentence what is wrong. A CSV may name no channel. */
function askedRange(query: URLSearchParams): AskedRange | string {
  const node = query.get("node") ?? "";
  const channel = query.get("channel");
  const sinceMs = whole(query.get("since") ?? "0");
  const untilMs = whole(query.get("until") ?? String(limits.WALL_MS_MAX));
  if (!(sinceMs <= limits.WALL_MS_MAX)) return "since is a time in milliseconds since 1970";
  if (!(untilMs <= limits.WALL_MS_MAX)) return "until is a time in milliseconds since 1970";
  if (untilMs < sinceMs) return "until is not before since";
  if (node === "" || channel === "" || (channel ?? "").length > limits.NAME_CHARS_MAX)
    return "give node and channel";
  return { node, channel, sinceMs, untilMs };
}

/** A whole number of at most 16 digits; NaN: it is none. */
function whole(text: string): number {
  return /^[0-9]{1,16}$/.test(text) ? Number(text) : NaN;
}

function auditAnswer(hub: Hub, query: URLSearchParams): Answer {
  const limit = whole(query.get("limit") ?? String(limits.AUDIT_KEPT));
  if (!(limit >= 1 && limit <= limits.AUDIT_KEPT))
    return problem(400, `limit is 1 to ${limits.AUDIT_KEPT}`);
  return json(200, { rows: hub.audit(limit, query.get("node") ?? undefined) });
}

function tapAnswer(hub: Hub, query: URLSearchParams): Answer {
  const found = hub.inventory(query.get("node") ?? "", query.get("tap") ?? "");
  return found === null ? problem(404, "there is no such tap") : json(200, found);
}

/** As it goes into a file: indented, with a newline at its end. */
function proposalAnswer(hub: Hub, query: URLSearchParams): Answer {
  const node = hub.proposal(query.get("node") ?? "", query.get("tap") ?? "");
  if (node === null) return problem(404, "the tap has learned no register yet");
  return { status: 200, type: JSON_TYPE, body: `${JSON.stringify(node, null, 2)}\n` };
}

async function answerWrite(
  write: (request: IncomingMessage) => Promise<WriteReply>,
  request: IncomingMessage,
): Promise<Answer> {
  try {
    const { status, body } = await write(request);
    return json(status, body);
  } catch {
    return problem(400, "the write did not arrive whole");
  }
}

async function answerExport(
  hub: Hub,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = askedRange(query);
  if (typeof asked === "string") return send(request, response, problem(400, asked));
  try {
    if (!(await exportCsv(hub, asked, response))) send(request, response, NO_CHANNEL);
  } catch {
    response.destroy(); // the reader sees that it is not whole
  }
}

/** What keeps a request from being answered, or null. */
function refusal(request: IncomingMessage, loopback: boolean): Answer | null {
  const { method, url = "" } = request;
  const allow = [WRITE_PATH, ACKNOWLEDGE_PATH].includes(url) ? "POST" : "GET, HEAD";
  if (!allow.split(", ").includes(method ?? ""))
    return { ...problem(405, `this address answers to ${allow} only`), allow };
  if (url.length > limits.URL_CHARS_MAX) return problem(414, "the address is too long");
  if (loopback && !isLoopback(hostName(request.headers.host ?? "")))
    return problem(403, "this page answers to localhost and 127.0.0.1 only");
  return null;
}

/** The name in a Host header, without port and brackets. */
function hostName(header: string): string {
  return header.replace(/:[0-9]*$/, "").replace(/^\[(.*)\]$/, "$1");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.[0-9]{1,3}){3}$/.test(host);
}

async function answerWith(route: Route, query: URLSearchParams): Promise<Answer> {
  try {
    return await route(query);
  } catch {
    return problem(500, "the hub could not answer");
  }
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const zip =
    answer.gzip !== undefined && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  const body = zip ? answer.gzip : answer.body;
  response.statusCode = answer.status;
  response.setHeader("Content-Type", answer.type);
  if (answer.allow !== undefined) response.setHeader("Allow", answer.allow);
  if (answer.status === 413) response.setHeader("Connection", "close");
  if (answer.gzip !== undefined) response.setHeader("Vary", "Accept-Encoding");
  if (zip) response.setHeader("Content-Encoding", "gzip");
  response.setHeader("Content-Length", Buffer.byteLength(body ?? ""));
  response.end(request.method === "HEAD" ? undefined : body);
}

// Where the port is taken, the next one, `spare` times at most.
async function listen(server: Server, host: string, port: number, spare: number): Promise<number> {
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EADDRINUSE" && spare > 0) return listen(server, host, port + 1, spare - 1);
    throw new Error(listenProblem(code, host, port), { cause: error });
  }
  return (server.address() as AddressInfo).port;
}

function listenProblem(code: string, host: string, port: number): string {
  if (code === "EADDRINUSE")
    return `port ${port} of ${host} is in use: choose another for the page`;
  if (code === "EACCES") return `port ${port} of ${host} needs more rights: choose one above 1023`;
  if (code === "EADDRNOTAVAIL") return `${host} is no address of this machine`;
  return `the page cannot listen on ${host}, port ${port} (${code})`;
}
