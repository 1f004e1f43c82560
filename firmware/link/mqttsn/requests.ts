// SPDX-License-Identifier: MIT
// What the node sends next: packets that await an answer, and packets that do not.
//
// Spec: MQTT-SN 1.2 §6.2, §6.5, §6.6, §6.9, §6.11; SPEC.md §2, §7. One request at a time: a fresh session
// subscribes to time and commands, then registers and publishes presence, birth and the first status, then
// registers the rest; then results leave, events, readings. Unanswered packets (QoS 0) go in between.
// State: `outgoing`, ONCE (the packet without answer).

import {
  USES_FINDINGS,
  USES_GOODBYE,
  USES_SETPOINTS,
  USES_UNCONFIRMED,
} from "../../generated/uses";
import { DATAGRAM_BYTES_MAX } from "../../limits";
import { PEER_GROUP } from "../../wire/info";
import {
  CONNACK,
  CONNECT,
  DISCONNECT,
  FLAG_CLEAN_SESSION,
  FLAG_QOS_SHIFT,
  FLAG_RETAIN,
  FLAG_WILL,
  PINGREQ,
  PINGRESP,
  PROTOCOL_ID,
  PUBACK,
  PUBLISH,
  REGACK,
  REGISTER,
  SEARCHGW,
  SUBACK,
  SUBSCRIBE,
  WILLMSG,
  WILLTOPIC,
} from "../../wire/mqttsn";
import { encodeBirth } from "../birth";
import { put, putRaw, putUnsigned, writer, writerStart } from "../cbor";
import { encodePack } from "../encode";
import { encodeFindings, findings, findingsReady } from "../findings";
import { isSame, node, NODE_ID } from "../node";
import {
  flightIsEvents,
  LIST_CONFIRMED,
  LIST_EVENTS,
  LIST_FLIGHT,
  LIST_UNCONFIRMED,
  listCount,
  listReady,
  outboxPin,
  outboxRelease,
  outboxSettle,
} from "../outbox";
import { encodeResult, results, resultWaits, settleResult } from "../results";
import { encodeStatus } from "../status";
import {
  TEXT_LOST,
  TEXT_OFFLINE,
  TEXT_ONLINE,
  TOPIC_BIRTH,
  TOPIC_COUNT,
  TOPIC_DATA,
  TOPIC_EVENT,
  TOPIC_PRESENCE,
  TOPIC_SET,
  TOPIC_SET_RESULT,
  TOPIC_STATUS,
  TOPIC_TAP,
  TOPIC_TIME,
  TOPIC_TIME_GET,
} from "../texts";
import { timeAsk, timeQuestionDue, timeSettled, uptimeMs } from "../time";
import { due, PING_MS_PER_KEEP_ALIVE_S, STATUS_PERIOD_MS } from "../timing";
import { BODY, packet, PACKET_BYTES, packetFinish, packetStart } from "./packet";
import {
  beginBirth,
  expect,
  FAREWELL_NONE,
  FAREWELL_SENT,
  FAREWELL_WANTED,
  ID_NONE,
  ID_REFUSED,
  isCongested,
  isUsable,
  nextMsgId,
  REQUEST,
  session,
  topicId,
} from "./session";
import { putPlain, putTopicName } from "./topic-name";

const QOS_1: u32 = 1 << FLAG_QOS_SHIFT;
const PUBLISH_HEADER_BYTES: usize = 5; // flags, topic id, MsgId
const SEARCH_RADIUS: u32 = 1;

export namespace outgoing {
  export let address: usize = 0;
  export let bytes: u32 = 0;
  export let peer: u32 = 0;
  export let unconfirmed: u32 = 0; // QoS 0 readings in it, until datagramSent(); they leave the outbox when the host took it
  export let sent: u32 = 0; // datagrams that the host took, since start
}
const ONCE: usize = memory.data(PACKET_BYTES);

export function requestConnect(nowMs: u32): void {
  packetStart(REQUEST, CONNECT);
  put(((FLAG_WILL | FLAG_CLEAN_SESSION) << 8) | PROTOCOL_ID, 2);
  put(node.keepAliveS, 2);
  putRaw(NODE_ID, node.idBytes);
  expect(CONNACK, nowMs);
}

/** §6.2: the will's topic, or its message. */
export function requestWill(isTopic: bool, nowMs: u32): void {
  putWill(REQUEST, isTopic);
  expect(CONNACK, nowMs);
}

function putWill(buffer: usize, isTopic: bool): void {
  packetStart(buffer, isTopic ? WILLTOPIC : WILLMSG);
  if (isTopic) {
    put(QOS_1 | FLAG_RETAIN, 1);
    putTopicName(TOPIC_PRESENCE);
  } else {
    putPlain(TEXT_LOST);
  }
}

/** False: a topic of set-points, and the node has none. */
export function isOurs(topic: i32): bool {
  const isOfSetpoints = topic == TOPIC_SET || topic == TOPIC_SET_RESULT;
  return (USES_SETPOINTS && node.setpointCount > 0) || !isOfSetpoints;
}

/** Asks for the id of a topic, by SUBSCRIBE or by REGISTER. */
function requestTopic(topic: i32, nowMs: u32): void {
  const isSubscribed = topic < TOPIC_TIME_GET;
  session.topic = topic;
  packetStart(REQUEST, isSubscribed ? SUBSCRIBE : REGISTER);
  if (isSubscribed) put(topic == TOPIC_SET ? QOS_1 : 0, 1);
  put(nextMsgId(), isSubscribed ? 2 : 4); // topic id 0000 before it
  putTopicName(topic);
  expect(isSubscribed ? SUBACK : REGACK, nowMs);
}

function startPublish(buffer: usize, flags: u32, topic: i32, msgId: u32): void {
  packetStart(buffer, PUBLISH);
  put(flags, 1);
  put((topicId(topic) << 16) | msgId, 4);
}

/** Starts the next request if there is one; false: nothing to ask. */
export function startRequest(nowMs: u32): bool {
  if (!isCongested(nowMs) && (startSetUp(nowMs) || startMessage(nowMs))) return true;
  if (!due(nowMs, pingDeadline())) return false;
  packetStart(REQUEST, PINGREQ);
  expect(PINGRESP, nowMs);
  return true;
}

/** §6.11: when nothing was heard, or nothing said, for most of the keep alive. */
export function pingDeadline(): u32 {
  const earlierMs = due(session.heardMs, session.saidMs) ? session.saidMs : session.heardMs;
  return earlierMs + node.keepAliveS * PING_MS_PER_KEEP_ALIVE_S;
}

/** What a session needs before readings: the id of a topic, or a retained publication. */
function startSetUp(nowMs: u32): bool {
  if (session.birthPart == node.birthPartCount && due(nowMs, session.birthMs)) beginBirth(nowMs);
  for (let topic = 0; topic < TOPIC_COUNT; topic++) {
    if (!isOurs(topic)) continue;
    if (topic == TOPIC_PRESENCE && session.present) continue;
    if (topic == TOPIC_BIRTH && session.birthPart == node.birthPartCount) continue;
    const id = topicId(topic);
    if (id == ID_NONE) {
      requestTopic(topic, nowMs);
      return true;
    }
    if (id == ID_REFUSED) continue;
    // The first status of a session, so that no reading comes before the hub knows what went on and what did not.
    const isFirst = topic == TOPIC_STATUS && !session.told;
    if (topic != TOPIC_PRESENCE && topic != TOPIC_BIRTH && !isFirst) continue;
    requestPublish(topic, nowMs);
    return true;
  }
  return false;
}

/** Presence, a part of the birth, a status or a result. */
function requestPublish(topic: i32, nowMs: u32): void {
  startConfirmed(topic == TOPIC_PRESENCE || topic == TOPIC_BIRTH ? FLAG_RETAIN : 0, topic);
  if (topic == TOPIC_PRESENCE)
    putPlain(!USES_GOODBYE || session.farewell == FAREWELL_NONE ? TEXT_ONLINE : TEXT_OFFLINE);
  else if (topic == TOPIC_BIRTH) encodeBirth(session.birthPart);
  else if (!USES_SETPOINTS || topic == TOPIC_STATUS) putStatus(nowMs);
  else encodeResult();
  expect(PUBACK, nowMs);
}

function putStatus(nowMs: u32): void {
  session.statusMs = nowMs + STATUS_PERIOD_MS;
  encodeStatus(uptimeMs(), (session.roundTrip + 7) / 8, outgoing.sent);
}

function startConfirmed(flags: u32, topic: i32): void {
  session.topic = topic;
  startPublish(REQUEST, QOS_1 | flags, topic, nextMsgId());
}

/** A result, or readings; after a result readings come first, so that a flood of commands starves nothing. */
function startMessage(nowMs: u32): bool {
  if (session.topic == TOPIC_SET_RESULT && startReadings(nowMs)) return true;
  return startResult(nowMs) || startReadings(nowMs);
}

function startResult(nowMs: u32): bool {
  if (!USES_SETPOINTS || !resultWaits()) return false;
  session.records = results.first;
  if (!isUsable(TOPIC_SET_RESULT)) {
    settleResult(results.first, false); // the gateway does not take this topic at all
    return false;
  }
  requestPublish(TOPIC_SET_RESULT, nowMs);
  return true;
}

/** The pack in flight again, else events, else readings. */
function startReadings(nowMs: u32): bool {
  if (!timeSettled()) return false;
  let list = LIST_FLIGHT;
  let isEvents = false;
  if (listCount(LIST_FLIGHT) > 0) {
    isEvents = flightIsEvents();
  } else if (listReady(LIST_EVENTS, nowMs)) {
    list = LIST_EVENTS;
    isEvents = true;
  } else if (listReady(LIST_CONFIRMED, nowMs)) {
    list = LIST_CONFIRMED;
  } else {
    return false;
  }
  const topic = isEvents ? TOPIC_EVENT : TOPIC_DATA;
  startConfirmed(0, topic);
  session.records = startPack(list, REQUEST);
  if (list != LIST_FLIGHT) outboxPin(list, session.records, nowMs);
  if (!isUsable(topic)) {
    // The gateway does not take this topic at all.
    outboxSettle(session.records, false);
    return false;
  }
  expect(PUBACK, nowMs);
  return true;
}

function startPack(list: u32, buffer: usize): i32 {
  return encodePack(
    list,
    buffer + BODY + PUBLISH_HEADER_BYTES,
    buffer + DATAGRAM_BYTES_MAX,
    uptimeMs(),
  );
}

/** The next packet that needs no answer, in ONCE; false: there is none. */
export function startUnanswered(nowMs: u32): bool {
  if (isCongested(nowMs)) return false;
  const asks = isUsable(TOPIC_TIME_GET) && isUsable(TOPIC_TIME) && timeQuestionDue(nowMs);
  if (asks || (isUsable(TOPIC_STATUS) && session.told && due(nowMs, session.statusMs))) {
    startPublish(ONCE, 0, asks ? TOPIC_TIME_GET : TOPIC_STATUS, 0);
    if (asks) putUnsigned(timeAsk(nowMs));
    else putStatus(nowMs);
    sendOnce(session.peer);
    return true;
  }
  // Before readings, which it does not hold up: loop paces what it finds.
  if (USES_FINDINGS && startFindings(nowMs)) return true;
  if (!USES_UNCONFIRMED || topicId(TOPIC_DATA) == ID_NONE || !timeSettled()) return false;
  if (!listReady(LIST_UNCONFIRMED, nowMs)) return false;
  startPublish(ONCE, 0, TOPIC_DATA, 0);
  const records = startPack(LIST_UNCONFIRMED, ONCE);
  if (!isUsable(TOPIC_DATA)) {
    outboxRelease(records, false, nowMs);
    return false;
  }
  outgoing.unconfirmed = records;
  sendOnce(session.peer);
  return true;
}

function startFindings(nowMs: u32): bool {
  if (!isUsable(TOPIC_TAP) || !findingsReady(nowMs)) return false;
  startPublish(ONCE, 0, TOPIC_TAP, 0);
  const records = encodeFindings();
  sendOnce(session.peer);
  findings.leaving = records;
  return true;
}

/** Presence offline; false: this session cannot say it, so the will does. */
export function startFarewell(nowMs: u32): bool {
  if (session.farewell != FAREWELL_WANTED || !isUsable(TOPIC_PRESENCE)) return false;
  session.farewell = FAREWELL_SENT;
  requestPublish(TOPIC_PRESENCE, nowMs);
  return true;
}

export function sayDisconnect(): void {
  packetStart(ONCE, DISCONNECT);
  sendOnce(session.peer);
}

export function searchGateway(): void {
  packetStart(ONCE, SEARCHGW);
  put(SEARCH_RADIUS, 1);
  sendOnce(PEER_GROUP);
}

/** Answers to the gateway; none of them awaits anything. */
export function replyPing(): void {
  packetStart(ONCE, PINGRESP);
  sendOnce(session.peer);
}

export function replyWill(isTopic: bool): void {
  putWill(ONCE, isTopic);
  sendOnce(session.peer);
}

/** REGACK or PUBACK for the packet decoded last. */
export function replyAck(type: i32, code: u32): void {
  packetStart(ONCE, type);
  put((packet.topicId << 16) | packet.msgId, 4);
  put(code, 1);
  sendOnce(session.peer);
}

/** True when the octets are the full name of a topic. */
export function isTopicName(topic: i32, at: usize, bytes: u32): bool {
  writerStart(ONCE, ONCE + PACKET_BYTES);
  putTopicName(topic);
  return writer.at - ONCE == bytes && isSame(ONCE, at, bytes);
}

function sendOnce(peer: u32): void {
  outgoing.address = packetFinish(ONCE);
  outgoing.bytes = (writer.at - outgoing.address) as u32;
  outgoing.peer = peer;
}
