// SPDX-License-Identifier: MIT
// Sessions of the broker model: subscriptions, queues, retained messages.
//
// Spec: MQTT 3.1.1 §3.1.2.4 (clean session), §3.3.1.3 (retain), §4.4 (delivery again after a new
// connection), §4.6 (order). A session gets a message once, at the highest QoS of its matching filters.
// Bounds: BROKER_*_MAX; a message that finds a queue full is dropped for that session and counted.
// (B1) `byFilter` has each filter of each open session, so a message meets only those that want it.

import {
  BROKER_QUEUE_MAX,
  BROKER_RETAINED_MAX,
  BROKER_SESSIONS_MAX,
  BROKER_SUBSCRIPTIONS_MAX,
} from "../limits.ts";
import { encode } from "./broker-packets.ts";
import { hasWildcard, topicMatches } from "./topic-filter.ts";

export interface Message {
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1;
  retain: boolean;
}

export interface Session {
  readonly clientId: string;
  readonly clean: boolean;
  readonly order: number; // among the sessions: which one gets a message first
  readonly subscriptions: Map<string, 0 | 1>;
  readonly unacknowledged: Map<number, Message>; // by packet identifier, in order of sending
  readonly waiting: Message[]; // QoS 1 while nobody is connected
  connection: number | undefined;
  nextId: number;
}

export interface Sessions {
  /** Opens a session for a connection; undefined: BROKER_SESSIONS_MAX reached. */
  open(
    clientId: string,
    clean: boolean,
    connection: number,
  ): { session: Session; present: boolean } | undefined;
  connectionOf(clientId: string): number | undefined;
  /** The connection is gone: a clean session ends with it. */
  release(session: Session, connection: number): void;
  /** Sends again what was not acknowledged, then what waited. */
  resume(session: Session): void;
  /** The granted QoS, 0x80: refused. */
  subscribe(session: Session, filter: string, qos: 0 | 1): number;
  unsubscribe(session: Session, filter: string): void;
  sendRetained(session: Session, filter: string): void;
  acknowledge(session: Session, messageId: number): void;
  /** Stores it when retained and hands it to every session whose filter matches. */
  route(message: Message): void;
  attach(filter: string, deliver: (message: Message) => void): void;
  counts(): { sessions: number; retained: number; dropped: number };
}

interface State {
  readonly write: (connection: number, bytes: Uint8Array) => void;
  readonly sessions: Map<string, Session>;
  readonly byFilter: Map<string, Set<Session>>; // filters without wildcards (B1)
  readonly byWildcard: Map<string, Set<Session>>; // the others (B1)
  readonly retained: Map<string, Message>;
  readonly attached: { filter: string; deliver: (message: Message) => void }[];
  opened: number;
  dropped: number;
}

export function createSessions(writeTo: (connection: number, bytes: Uint8Array) => void): Sessions {
  const state: State = {
    write: writeTo,
    sessions: new Map(),
    byFilter: new Map(),
    byWildcard: new Map(),
    retained: new Map(),
    attached: [],
    opened: 0,
    dropped: 0,
  };
  return {
    open: (clientId, clean, connection) => open(state, { clientId, clean, connection }),
    connectionOf: (clientId) => state.sessions.get(clientId)?.connection,
    release(session, connection) {
      if (session.connection !== connection) return;
      session.connection = undefined;
      if (!session.clean) return;
      state.sessions.delete(session.clientId);
      forget(state, session);
    },
    resume: (session) => resume(state, session),
    subscribe: (session, filter, qos) => subscribe(state, session, filter, qos),
    unsubscribe(session, filter) {
      session.subscriptions.delete(filter);
      unlist(state, session, filter);
    },
    sendRetained(session, filter) {
      const granted = session.subscriptions.get(filter) ?? 0;
      for (const message of retainedOf(state, filter)) send(state, session, message, granted);
    },
    acknowledge: (session, messageId) => void session.unacknowledged.delete(messageId),
    route: (message) => route(state, message),
    attach(filter, deliver) {
      state.attached.push({ filter, deliver });
      for (const message of retainedOf(state, filter)) deliver(message);
    },
    counts: () => ({
      sessions: state.sessions.size,
      retained: state.retained.size,
      dropped: state.dropped,
    }),
  };
}

function open(
  state: State,
  wanted: { clientId: string; clean: boolean; connection: number },
): { session: Session; present: boolean } | undefined {
  const { clientId, clean, connection } = wanted;
  const known = state.sessions.get(clientId);
  if (known !== undefined && !clean && !known.clean) {
    known.connection = connection;
    return { session: known, present: true };
  }
  if (known === undefined && state.sessions.size >= BROKER_SESSIONS_MAX) return undefined;
  if (known !== undefined) forget(state, known);
  const session: Session = {
    clientId,
    clean,
    order: known?.order ?? state.opened++,
    subscriptions: new Map(),
    unacknowledged: new Map(),
    waiting: [],
    connection,
    nextId: 1,
  };
  state.sessions.set(clientId, session);
  return { session, present: false };
}

function resume(state: State, session: Session): void {
  for (const [messageId, message] of session.unacknowledged) {
    writeMessage(state, session, message, { qos: 1, messageId, dup: true });
  }
  for (const message of session.waiting.splice(0)) send(state, session, message, 1);
}

function subscribe(state: State, session: Session, filter: string, qos: 0 | 1): number {
  const known = session.subscriptions.has(filter);
  if (!known && session.subscriptions.size >= BROKER_SUBSCRIPTIONS_MAX) return 0x80;
  session.subscriptions.set(filter, qos);
  const index = indexOf(state, filter);
  const listed = index.get(filter);
  if (listed === undefined) index.set(filter, new Set([session]));
  else listed.add(session);
  return qos;
}

function indexOf(state: State, filter: string): Map<string, Set<Session>> {
  return hasWildcard(filter) ? state.byWildcard : state.byFilter;
}

function unlist(state: State, session: Session, filter: string): void {
  const index = indexOf(state, filter);
  const listed = index.get(filter);
  if (listed?.delete(session) === true && listed.size === 0) index.delete(filter);
}

function forget(state: State, session: Session): void {
  for (const filter of session.subscriptions.keys()) unlist(state, session, filter);
}

// A copy: what is delivered may change what is retained.
function retainedOf(state: State, filter: string): Message[] {
  const { retained } = state;
  if (!hasWildcard(filter)) return retained.has(filter) ? [retained.get(filter)!] : [];
  return [...retained.values()].filter(({ topic }) => topicMatches(filter, topic));
}

// The sessions that want a topic, in the order in which they were opened.
function subscribers(state: State, topic: string): Session[] {
  const found = new Set(state.byFilter.get(topic));
  for (const [filter, sessions] of state.byWildcard) {
    if (topicMatches(filter, topic)) for (const session of sessions) found.add(session);
  }
  return found.size < 2 ? [...found] : [...found].sort((a, b) => a.order - b.order);
}

function route(state: State, message: Message): void {
  if (message.retain) retain(state, message);
  const live = { ...message, retain: false }; // [MQTT-3.3.1-9]
  for (const session of subscribers(state, message.topic)) {
    const granted = grantedQos(session, message.topic);
    if (granted !== undefined) send(state, session, live, granted);
  }
  for (const { filter, deliver } of state.attached) {
    if (topicMatches(filter, message.topic)) deliver(live);
  }
}

function retain(state: State, message: Message): void {
  const { retained } = state;
  if (message.payload.length === 0)
    retained.delete(message.topic); // [MQTT-3.3.1-10]
  else if (retained.has(message.topic) || retained.size < BROKER_RETAINED_MAX) {
    retained.set(message.topic, { ...message, payload: Uint8Array.from(message.payload) });
  } else state.dropped++;
}

function grantedQos(session: Session, topic: string): 0 | 1 | undefined {
  let granted: 0 | 1 | undefined;
  for (const [filter, qos] of session.subscriptions) {
    if (granted !== 1 && topicMatches(filter, topic)) granted = qos;
  }
  return granted;
}

function send(state: State, session: Session, message: Message, granted: 0 | 1): void {
  const qos = Math.min(granted, message.qos);
  if (session.connection === undefined) {
    if (qos === 0) return;
    if (session.waiting.length >= BROKER_QUEUE_MAX) state.dropped++;
    else session.waiting.push(message);
    return;
  }
  if (qos === 0) return writeMessage(state, session, message, { qos: 0, messageId: 0, dup: false });
  if (session.unacknowledged.size >= BROKER_QUEUE_MAX) {
    state.dropped++;
    return;
  }
  const messageId = freeId(session);
  session.unacknowledged.set(messageId, message);
  writeMessage(state, session, message, { qos: 1, messageId, dup: false });
}

// At most BROKER_QUEUE_MAX identifiers are in use, so the search ends.
function freeId(session: Session): number {
  let id = session.nextId;
  while (session.unacknowledged.has(id)) id = (id % 65_535) + 1;
  session.nextId = (id % 65_535) + 1;
  return id;
}

function writeMessage(
  state: State,
  session: Session,
  message: Message,
  how: { qos: 0 | 1; messageId: number; dup: boolean },
): void {
  if (session.connection === undefined) return;
  const { topic, retain } = message;
  const payload = Buffer.from(message.payload);
  const { qos, dup } = how;
  const packet = { cmd: "publish" as const, topic, payload, retain, qos, dup };
  state.write(
    session.connection,
    encode(qos === 0 ? packet : { ...packet, messageId: how.messageId }),
  );
}
