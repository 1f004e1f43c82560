// SPDX-License-Identifier: MIT
// Messages to one client: buffer, topic ids, one request at a time, retries.
//
// Spec: MQTT-SN 1.2 §6.5, §6.6, §6.10, §6.13. Strict order per client; QoS 0 waits its turn too.
// (I1) The message that a request is about is the first of the buffer. (I2) The buffer holds at most
// DOWNLINK_MESSAGES_MAX messages and DOWNLINK_BYTES_MAX octets. (I3) The broker gets its
// acknowledgement when the client acknowledged, or when the message is given up for good.

import {
  DATAGRAM_BYTES_MAX,
  DOWNLINK_BYTES_MAX,
  DOWNLINK_MESSAGES_MAX,
  RETRY_COUNT_MAX,
  WAIT_PERIOD_MS,
} from "./limits.ts";
import {
  RETURN_ACCEPTED,
  RETURN_CONGESTION,
  RETURN_INVALID_TOPIC_ID,
} from "../firmware/wire/mqttsn.ts";
import { writeLink } from "./link.ts";
import { type BrokerPublish, encodeAcknowledgement } from "./mqtt.ts";
import { encodeText } from "./names.ts";
import type { TopicAnswer, TopicIdType } from "./packet.ts";
import { type Core, type Delivery, type Request, send, type Session } from "./session.ts";
import { dropTopic, muteTopic, registerTopic } from "./topics.ts";

const REGISTER_OVERHEAD_BYTES = 8; // long Length, MsgType, TopicId, MsgId
const PUBLISH_OVERHEAD_BYTES = 9;
const NO_BYTES = new Uint8Array(0);

/** Takes a message from the broker into the buffer. The caller pumps. */
export function offerDelivery(core: Core, session: Session, message: BrokerPublish): void {
  if (adoptRepeat(session, message)) return;
  const nameBytes = encodeText(message.topic).length;
  const delivery: Delivery = {
    topic: message.topic,
    payload: NO_BYTES,
    qos: message.qos,
    retain: message.retain,
    bytes: nameBytes + message.payload.length,
    packetId: message.packetId,
    connection: session.link.connection,
    refusals: 0,
  };
  const tooLong =
    nameBytes + REGISTER_OVERHEAD_BYTES > DATAGRAM_BYTES_MAX ||
    message.payload.length + PUBLISH_OVERHEAD_BYTES > DATAGRAM_BYTES_MAX;
  if (tooLong || session.topics.muted.has(message.topic)) {
    giveUp(core, session, delivery);
  } else if (!makeRoom(core, session, delivery)) {
    core.counters.publishesDownDropped++; // unacknowledged: the broker keeps it as long as it can
  } else {
    session.downlink.push({ ...delivery, payload: message.payload.slice() });
    session.downlinkBytes += delivery.bytes;
  }
}

/** A QoS 0 message of the gateway itself: at once if the client knows the topic, else in its turn. */
export function sendAhead(
  core: Core,
  session: Session,
  topic: string,
  payload: Uint8Array,
  nowMs: number,
): void {
  const message = { topic, payload, qos: 0, retain: false, dup: false, packetId: 0 } as const;
  const alias = aliasOf(session, { topic, refusals: 0 });
  if (alias !== undefined) {
    sendUnconfirmed(core, session, message, alias);
    return;
  }
  offerDelivery(core, session, { kind: "publish", ...message });
  pumpDownlink(core, session, nowMs);
}

// After a reconnection the broker repeats what it got no acknowledgement for: the message that is
// with the client right now is the same one, and its acknowledgement goes to the new connection.
function adoptRepeat(session: Session, message: BrokerPublish): boolean {
  const [first] = session.downlink;
  if (!message.dup || first === undefined || first.qos === 0) return false;
  if (first.packetId !== message.packetId || first.topic !== message.topic) return false;
  first.connection = session.link.connection;
  return true;
}

// Oldest QoS 0 goes first; the first message stays when a request is about it.
function makeRoom(core: Core, session: Session, delivery: Delivery): boolean {
  const { downlink } = session;
  const fits = (): boolean =>
    downlink.length < DOWNLINK_MESSAGES_MAX &&
    session.downlinkBytes + delivery.bytes <= DOWNLINK_BYTES_MAX;
  while (!fits()) {
    const held = session.request === undefined ? 0 : 1;
    const victim = downlink.findIndex((old, i) => i >= held && old.qos === 0);
    if (victim < 0) return false;
    session.downlinkBytes -= downlink[victim]!.bytes;
    downlink.splice(victim, 1);
    core.counters.publishesDownDropped++;
  }
  return true;
}

/** Sends what can be sent now. */
export function pumpDownlink(core: Core, session: Session, nowMs: number): void {
  while (
    session.state === "active" &&
    session.request === undefined &&
    session.pausedUntilMs <= nowMs &&
    session.downlink.length > 0 &&
    !isSubscribing(session)
  ) {
    startFirst(core, session, session.downlink[0]!, nowMs);
  }
}

// A broker may send retained messages before its SUBACK; the client gets SUBACK first.
function isSubscribing(session: Session): boolean {
  for (const exchange of session.uplink.values()) if (exchange.kind === "subscribe") return true;
  return false;
}

// Sends the first message, or REGISTER for its topic; what can never be sent leaves the buffer.
function startFirst(core: Core, session: Session, first: Delivery, nowMs: number): void {
  if (session.topics.muted.has(first.topic)) {
    giveUp(core, session, takeFirst(session));
    return;
  }
  const alias = aliasOf(session, first);
  if (alias !== undefined) {
    publishFirst(core, session, first, alias, nowMs);
    return;
  }
  const entry = registerTopic(session.topics, core.topicIds, first.topic);
  if (entry === undefined) {
    giveUp(core, session, takeFirst(session)); // no room for one more topic
    return;
  }
  const { topicId } = entry;
  const msgId = takeMsgId(session);
  startRequest(core, session, { kind: "register", msgId, topicIdType: "normal", topicId }, nowMs);
}

interface Alias {
  readonly topicIdType: TopicIdType;
  readonly topicId: number;
}

// Two octets of name: short. Subscribed by a predefined id: that one. Else a normal id, if the client has it.
// After a refusal only a normal id is tried: it may not know the predefined one.
function aliasOf(
  session: Session,
  delivery: Pick<Delivery, "topic" | "refusals">,
): Alias | undefined {
  const { topic, refusals } = delivery;
  if (refusals === 0) {
    const name = topic.length <= 2 ? encodeText(topic) : NO_BYTES;
    if (name.length === 2) return { topicIdType: "short", topicId: (name[0]! << 8) | name[1]! };
    const predefinedId = session.subscriptions.get(topic)?.predefinedId ?? 0;
    if (predefinedId !== 0) return { topicIdType: "predefined", topicId: predefinedId };
  }
  const entry = session.topics.byName.get(topic);
  return entry?.known === true ? { topicIdType: "normal", topicId: entry.topicId } : undefined;
}

function publishFirst(
  core: Core,
  session: Session,
  first: Delivery,
  alias: Alias,
  nowMs: number,
): void {
  if (first.qos === 0) {
    sendUnconfirmed(core, session, takeFirst(session), alias);
  } else {
    startRequest(core, session, { kind: "publish", msgId: first.packetId, ...alias }, nowMs);
  }
}

function sendUnconfirmed(
  core: Core,
  session: Session,
  message: Pick<Delivery, "payload" | "retain">,
  alias: Alias,
): void {
  const { payload: data, retain } = message;
  const { topicIdType, topicId } = alias;
  core.counters.publishesDown++;
  send(core, session.peer, {
    type: "PUBLISH",
    dup: false,
    qos: 0,
    retain,
    topicIdType,
    topicId,
    msgId: 0,
    data,
  });
}

function startRequest(
  core: Core,
  session: Session,
  what: Omit<Request, "attempts" | "dueMs">,
  nowMs: number,
): void {
  session.request = { ...what, attempts: 0, dueMs: nowMs + core.config.retryPeriodMs };
  sendRequest(core, session, session.request);
}

function sendRequest(core: Core, session: Session, pending: Request): void {
  const { topic, retain, payload: data } = session.downlink[0]!;
  const { topicIdType, topicId, msgId } = pending;
  if (pending.kind === "register") {
    const topicName = encodeText(topic);
    send(core, session.peer, { type: "REGISTER", topicId, msgId, topicName });
    return;
  }
  const dup = pending.attempts > 0;
  send(core, session.peer, {
    type: "PUBLISH",
    dup,
    qos: 1,
    retain,
    topicIdType,
    topicId,
    msgId,
    data,
  });
}

/** Retransmits a request that is due, or lets it stall until the client is heard. */
export function runDownlink(core: Core, session: Session, nowMs: number): void {
  const pending = session.request;
  if (pending === undefined) {
    if (session.pausedUntilMs <= nowMs) session.pausedUntilMs = 0;
    pumpDownlink(core, session, nowMs);
    return;
  }
  if (nowMs < pending.dueMs) return;
  if (pending.attempts >= RETRY_COUNT_MAX) {
    pending.dueMs = Infinity;
    core.counters.stalled++;
    return;
  }
  pending.attempts++;
  repeatRequest(core, session, pending, nowMs);
}

/** The client was heard: a stalled request gets new retries. */
export function resumeDownlink(core: Core, session: Session, nowMs: number): void {
  const pending = session.request;
  if (pending === undefined || pending.dueMs !== Infinity) return;
  pending.attempts = 1; // the octets are sent again, so DUP is set
  repeatRequest(core, session, pending, nowMs);
}

function repeatRequest(core: Core, session: Session, pending: Request, nowMs: number): void {
  pending.dueMs = nowMs + core.config.retryPeriodMs;
  core.counters.retransmissions++;
  sendRequest(core, session, pending);
}

/** The client's answer to a REGISTER. False: nobody waits for it. */
export function onRegack(
  core: Core,
  session: Session,
  answer: TopicAnswer,
  nowMs: number,
): boolean {
  const pending = session.request;
  if (pending?.kind !== "register" || pending.msgId !== answer.msgId) return false;
  const { topic } = session.downlink[0]!;
  const entry = session.topics.byName.get(topic);
  session.request = undefined;
  if (answer.returnCode === RETURN_ACCEPTED) {
    if (entry?.topicId === pending.topicId) entry.known = true;
  } else if (answer.returnCode === RETURN_CONGESTION) {
    session.pausedUntilMs = nowMs + WAIT_PERIOD_MS;
  } else {
    if (entry !== undefined) dropTopic(session.topics, entry);
    muteTopic(session.topics, topic);
  }
  pumpDownlink(core, session, nowMs);
  return true;
}

/** The client's answer to a PUBLISH. False: nobody waits for it. */
export function onPuback(
  core: Core,
  session: Session,
  answer: TopicAnswer,
  nowMs: number,
): boolean {
  const pending = session.request;
  if (pending?.kind !== "publish" || pending.msgId !== answer.msgId) {
    return onUnaskedPuback(session, answer, nowMs);
  }
  session.request = undefined;
  const first = session.downlink[0]!;
  if (answer.returnCode === RETURN_ACCEPTED) {
    acknowledge(core, session, takeFirst(session));
    core.counters.publishesDown++;
  } else if (answer.returnCode === RETURN_CONGESTION) {
    session.pausedUntilMs = nowMs + WAIT_PERIOD_MS;
  } else if (answer.returnCode === RETURN_INVALID_TOPIC_ID && first.refusals === 0) {
    first.refusals++; // the topic gets a new id, the message one more chance
    forgetTopic(session, first.topic);
  } else {
    giveUp(core, session, takeFirst(session));
  }
  pumpDownlink(core, session, nowMs);
  return true;
}

// §6.8 allows PUBACK with a refusal for QoS 0 as well; its MsgId is 0000.
function onUnaskedPuback(session: Session, answer: TopicAnswer, nowMs: number): boolean {
  if (answer.msgId !== 0) return false;
  const entry = session.topics.byId.get(answer.topicId);
  if (answer.returnCode === RETURN_INVALID_TOPIC_ID && entry?.known === true) {
    dropTopic(session.topics, entry); // the next message registers it again
    return true;
  }
  if (answer.returnCode !== RETURN_CONGESTION) return false;
  session.pausedUntilMs = nowMs + WAIT_PERIOD_MS;
  return true;
}

function forgetTopic(session: Session, topic: string): void {
  const entry = session.topics.byName.get(topic);
  if (entry !== undefined) dropTopic(session.topics, entry);
}

/** What becomes of the buffer when the broker connection is lost. */
export function downlinkLost(session: Session): void {
  if (session.cleanSession) return; // the broker forgot them: the buffer has the only copy
  const keep = session.request === undefined ? 0 : 1;
  for (let i = session.downlink.length - 1; i >= keep; i--) {
    const delivery = session.downlink[i]!;
    if (delivery.qos === 0) continue;
    session.downlink.splice(i, 1); // the broker keeps it and sends it again
    session.downlinkBytes -= delivery.bytes;
  }
}

function takeFirst(session: Session): Delivery {
  const first = session.downlink.shift()!;
  session.downlinkBytes -= first.bytes;
  return first;
}

function giveUp(core: Core, session: Session, delivery: Delivery): void {
  core.counters.publishesDownRefused++;
  acknowledge(core, session, delivery);
}

function acknowledge(core: Core, session: Session, delivery: Delivery): void {
  if (delivery.qos === 0 || delivery.connection !== session.link.connection) return;
  if (session.link.state !== "ready") return;
  const kind = delivery.qos === 1 ? "puback" : "pubrec";
  writeLink(core, session, encodeAcknowledgement(kind, delivery.packetId));
}

function takeMsgId(session: Session): number {
  const msgId = session.nextMsgId;
  session.nextMsgId = msgId === 0xffff ? 1 : msgId + 1;
  return msgId;
}
