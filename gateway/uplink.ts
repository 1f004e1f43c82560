// SPDX-License-Identifier: MIT
// Requests of an active client: REGISTER, PUBLISH, SUBSCRIBE, UNSUBSCRIBE.
//
// Spec: MQTT-SN 1.2 §6.5 to §6.10. The client gets its acknowledgement after the broker's. MsgId is the
// MQTT packet id where that is free. (I1) At most UPLINK_EXCHANGES_MAX requests wait for the broker.
// A repeated PUBLISH (DUP) is swallowed while the first waits, and only acknowledged when it is the last
// acknowledged one.

import {
  RETURN_ACCEPTED,
  RETURN_CONGESTION,
  RETURN_INVALID_TOPIC_ID,
  RETURN_NOT_SUPPORTED,
} from "../firmware/wire/mqttsn.ts";
import { SUBSCRIPTIONS_MAX, UPLINK_EXCHANGES_MAX } from "./limits.ts";
import { sendAhead } from "./downlink.ts";
import { canWrite, takePacketId, writeLink } from "./link.ts";
import { encodePublish, encodeSubscribe, encodeUnsubscribe } from "./mqtt.ts";
import { decodeTopicFilter, decodeTopicName, hasWildcard, shortNameBytes } from "./names.ts";
import type { Packet, Publish, Subscribe, Topic, Unsubscribe } from "./packet.ts";
import { type Core, type Exchange, send, type Session, type Subscription } from "./session.ts";
import { encodeTimeAnswer, timeAnswerTopic } from "./time.ts";
import { registerTopic, TOPIC_ID_NONE } from "./topics.ts";

const NO_BYTES = new Uint8Array(0);
const SUBACK_REFUSED = 0x80;

/** REGISTER: a known name keeps its id. */
export function onRegister(
  core: Core,
  session: Session,
  packet: Extract<Packet, { type: "REGISTER" }>,
): void {
  const { msgId } = packet;
  const answer = (topicId: number, returnCode: number): void =>
    send(core, session.peer, { type: "REGACK", topicId, msgId, returnCode });
  const name = decodeTopicName(packet.topicName);
  if (name === undefined) {
    answer(TOPIC_ID_NONE, RETURN_NOT_SUPPORTED);
    return;
  }
  const entry = registerTopic(session.topics, core.topicIds, name);
  if (entry === undefined) {
    answer(TOPIC_ID_NONE, RETURN_CONGESTION);
    return;
  }
  entry.known = true;
  answer(entry.topicId, RETURN_ACCEPTED);
}

function acknowledge(core: Core, session: Session, packet: Publish, returnCode: number): void {
  const { topicId, msgId } = packet;
  send(core, session.peer, { type: "PUBACK", topicId, msgId, returnCode });
}

/** PUBLISH at QoS 0, 1 or 2 (refused). */
export function onPublish(core: Core, session: Session, packet: Publish, nowMs: number): void {
  const topic = topicOf(core, session, packet);
  if (topic === undefined) {
    core.counters.unknownTopicIds++;
    acknowledge(core, session, packet, RETURN_INVALID_TOPIC_ID);
  } else if (topic === "" || packet.qos === 2) {
    core.counters.publishesUpRefused++;
    acknowledge(core, session, packet, RETURN_NOT_SUPPORTED);
  } else {
    const answerTopic = timeAnswerTopic(topic);
    if (answerTopic !== undefined) answerTime(core, session, packet, answerTopic, nowMs);
    else if (packet.qos === 1) forwardConfirmed(core, session, packet, topic);
    else forwardUnconfirmed(core, session, packet, topic);
  }
}

// The name, "" for a short name that no topic can have, undefined for an unknown id.
function topicOf(core: Core, session: Session, packet: Publish): string | undefined {
  switch (packet.topicIdType) {
    case "normal": {
      const entry = session.topics.byId.get(packet.topicId);
      return entry?.known === true ? entry.name : undefined;
    }
    case "predefined":
      return core.predefined.nameOf(packet.topicId);
    case "short":
      return decodeTopicName(shortNameBytes(packet.topicId)) ?? "";
    default:
      return undefined;
  }
}

function forwardUnconfirmed(core: Core, session: Session, packet: Publish, topic: string): void {
  if (!canWrite(core, session)) {
    core.counters.publishesUpDropped++;
    return;
  }
  forward(core, session, packet, topic, 0);
}

function forwardConfirmed(core: Core, session: Session, packet: Publish, topic: string): void {
  if (packet.dup && isWaiting(session, "publish", packet.msgId)) {
    core.counters.publishesUpRepeated++;
    return;
  }
  if (packet.dup && isLastAcknowledged(session, packet)) {
    core.counters.publishesUpRepeated++;
    acknowledge(core, session, packet, RETURN_ACCEPTED);
    return;
  }
  if (!canWrite(core, session) || session.uplink.size >= UPLINK_EXCHANGES_MAX) {
    core.counters.publishesUpCongested++;
    acknowledge(core, session, packet, RETURN_CONGESTION);
    return;
  }
  const packetId = takePacketId(session, packet.msgId);
  const { topicIdType, topicId, msgId } = packet;
  const data = packet.data.slice();
  const kind = "publish";
  session.uplink.set(packetId, {
    kind,
    msgId,
    topicIdType,
    topicId,
    data,
    subscription: undefined,
  });
  forward(core, session, packet, topic, packetId);
}

function forward(
  core: Core,
  session: Session,
  packet: Publish,
  topic: string,
  packetId: number,
): void {
  const { retain, dup, data: payload } = packet;
  const qos = packetId === 0 ? 0 : 1;
  core.counters.publishesUp++;
  if (retain && topic === session.will?.topic) session.willState = payload.slice();
  const message = { topic, payload, qos, retain, dup: dup && qos === 1, packetId } as const;
  writeLink(core, session, encodePublish(message));
}

function isWaiting(session: Session, kind: Exchange["kind"], msgId: number): boolean {
  for (const exchange of session.uplink.values()) {
    if (exchange.kind === kind && exchange.msgId === msgId) return true;
  }
  return false;
}

function isLastAcknowledged(session: Session, packet: Publish): boolean {
  const last = session.acknowledged;
  return (
    last !== undefined &&
    last.msgId === packet.msgId &&
    last.topicIdType === packet.topicIdType &&
    last.topicId === packet.topicId &&
    last.data.length === packet.data.length &&
    last.data.every((octet, i) => octet === packet.data[i])
  );
}

// Answered here, at once, ahead of what waits: it is no message of the broker.
function answerTime(
  core: Core,
  session: Session,
  packet: Publish,
  answerTopic: string,
  nowMs: number,
): void {
  const data = encodeTimeAnswer(packet.data, core.config.wallMs(nowMs));
  if (packet.qos === 1) {
    const returnCode = data === undefined ? RETURN_NOT_SUPPORTED : RETURN_ACCEPTED;
    acknowledge(core, session, packet, returnCode);
  }
  if (data === undefined) {
    core.counters.timeQuestionsBad++;
    return;
  }
  core.counters.timeAnswers++;
  sendAhead(core, session, answerTopic, data, nowMs);
}

// A name, or the code that the client gets instead.
function filterOf(core: Core, packet: Topic): string | number {
  switch (packet.topicIdType) {
    case "normal":
      return decodeTopicFilter(packet.topicName) ?? RETURN_NOT_SUPPORTED;
    case "predefined":
      return core.predefined.nameOf(packet.topicId) ?? RETURN_INVALID_TOPIC_ID;
    case "short":
      return decodeTopicFilter(shortNameBytes(packet.topicId)) ?? RETURN_NOT_SUPPORTED;
    default:
      return RETURN_NOT_SUPPORTED;
  }
}

/** SUBSCRIBE: QoS 2 is granted as 1. */
export function onSubscribe(core: Core, session: Session, packet: Subscribe): void {
  if (isWaiting(session, "subscribe", packet.msgId)) return; // repeated: SUBACK is on its way
  const filter = packet.qos === -1 ? RETURN_NOT_SUPPORTED : filterOf(core, packet);
  const topicId =
    typeof filter === "string" ? idOfFilter(core, session, packet, filter) : undefined;
  if (typeof filter === "number") {
    refuseSubscribe(core, session, packet.msgId, filter);
  } else if (topicId === undefined || !canSubscribe(core, session, filter)) {
    refuseSubscribe(core, session, packet.msgId, RETURN_CONGESTION);
  } else {
    const { msgId, topicIdType } = packet;
    const qos = packet.qos === 0 ? 0 : 1;
    const predefinedId = topicIdType === "predefined" ? topicId : 0;
    const subscription: Subscription = { filter, qos, predefinedId };
    if (hasWildcard(filter)) session.topics.muted.clear();
    else session.topics.muted.delete(filter);
    const packetId = takePacketId(session, msgId);
    const kind = "subscribe";
    session.uplink.set(packetId, {
      kind,
      msgId,
      topicIdType,
      topicId,
      data: NO_BYTES,
      subscription,
    });
    writeLink(core, session, encodeSubscribe(packetId, [{ topic: filter, qos }]));
  }
}

function canSubscribe(core: Core, session: Session, filter: string): boolean {
  const { subscriptions, uplink } = session;
  return (
    canWrite(core, session) &&
    uplink.size < UPLINK_EXCHANGES_MAX &&
    (subscriptions.has(filter) || subscriptions.size + uplink.size < SUBSCRIPTIONS_MAX)
  );
}

// The id that SUBACK will carry; undefined: the table is full.
function idOfFilter(
  core: Core,
  session: Session,
  packet: Topic,
  filter: string,
): number | undefined {
  if (packet.topicIdType === "predefined") return packet.topicId;
  if (packet.topicIdType === "short" || hasWildcard(filter)) return TOPIC_ID_NONE;
  return registerTopic(session.topics, core.topicIds, filter)?.topicId;
}

function refuseSubscribe(core: Core, session: Session, msgId: number, returnCode: number): void {
  core.counters.subscribesRefused++;
  const topicId = TOPIC_ID_NONE;
  send(core, session.peer, { type: "SUBACK", qos: 0, topicId, msgId, returnCode });
}

/** UNSUBSCRIBE: what is not subscribed is confirmed at once. */
export function onUnsubscribe(core: Core, session: Session, packet: Unsubscribe): void {
  const { msgId, topicIdType } = packet;
  if (isWaiting(session, "unsubscribe", msgId)) return;
  const filter = filterOf(core, packet);
  if (typeof filter === "number") {
    send(core, session.peer, { type: "UNSUBACK", msgId });
    return;
  }
  if (!canWrite(core, session) || session.uplink.size >= UPLINK_EXCHANGES_MAX) {
    core.counters.unsubscribesDropped++; // UNSUBACK has no code to refuse with; the client repeats
    return;
  }
  const packetId = takePacketId(session, msgId);
  const subscription: Subscription = { filter, qos: 0, predefinedId: 0 };
  const kind = "unsubscribe";
  const topicId = TOPIC_ID_NONE;
  session.uplink.set(packetId, { kind, msgId, topicIdType, topicId, data: NO_BYTES, subscription });
  writeLink(core, session, encodeUnsubscribe(packetId, filter));
}

/** The broker acknowledged a PUBLISH. */
export function onBrokerPuback(core: Core, session: Session, packetId: number): void {
  const exchange = session.uplink.get(packetId);
  if (exchange?.kind !== "publish" && exchange?.kind !== "own") return;
  session.uplink.delete(packetId);
  if (exchange.kind === "own") return;
  session.acknowledged = exchange;
  const { topicId, msgId } = exchange;
  const returnCode = RETURN_ACCEPTED;
  send(core, session.peer, { type: "PUBACK", topicId, msgId, returnCode });
}

/** The broker answered a SUBSCRIBE. */
export function onBrokerSuback(
  core: Core,
  session: Session,
  packetId: number,
  granted: number,
): void {
  const exchange = session.uplink.get(packetId);
  if (exchange === undefined) return;
  if (exchange.kind === "subscribe" || exchange.kind === "own") session.uplink.delete(packetId);
  if (exchange.kind !== "subscribe") return;
  const subscription = exchange.subscription!;
  if (granted >= SUBACK_REFUSED) {
    refuseSubscribe(core, session, exchange.msgId, RETURN_NOT_SUPPORTED);
    return;
  }
  session.subscriptions.set(subscription.filter, subscription);
  const { topicId, msgId } = exchange;
  const entry = session.topics.byName.get(subscription.filter);
  if (exchange.topicIdType === "normal" && entry?.topicId === topicId) entry.known = true;
  const qos = granted === 0 ? 0 : 1;
  send(core, session.peer, { type: "SUBACK", qos, topicId, msgId, returnCode: RETURN_ACCEPTED });
}

/** The broker answered an UNSUBSCRIBE. */
export function onBrokerUnsuback(core: Core, session: Session, packetId: number): void {
  const exchange = session.uplink.get(packetId);
  if (exchange?.kind !== "unsubscribe") return;
  session.uplink.delete(packetId);
  session.subscriptions.delete(exchange.subscription!.filter);
  send(core, session.peer, { type: "UNSUBACK", msgId: exchange.msgId });
}
