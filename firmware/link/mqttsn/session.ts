// SPDX-License-Identifier: MIT
// State of the MQTT-SN session and its transitions.
//
// Spec: MQTT-SN 1.2 §6.1, §6.2, §6.11, §6.13; SPEC.md §7. Times are the client's 32-bit milliseconds.
// (I1) at most one packet awaits an answer; it lies in REQUEST until it is answered or given up.
// (I2) topic ids live from CONNACK to the end of the session: each session registers all anew.
// State: `session`, IDS, REQUEST.
//
//   SEARCHING  --GWINFO---------> CONNECTING
//   BACKOFF    --gateway known--> CONNECTING
//   BACKOFF    --none known-----> SEARCHING
//   CONNECTING --CONNACK 00-----> ACTIVE
//   CONNECTING --CONNACK--------> BACKOFF
//   CONNECTING --lost-----------> BACKOFF
//   CONNECTING --DISCONNECT-----> BACKOFF
//   ACTIVE     --lost-----------> BACKOFF
//   ACTIVE     --DISCONNECT-----> BACKOFF
//   SEARCHING  --stop-----------> STOPPED
//   BACKOFF    --stop-----------> STOPPED
//   CONNECTING --stop-----------> STOPPED
//   ACTIVE     --farewell-------> STOPPED

import { USES_GOODBYE, USES_SEARCH } from "../../generated/uses";
import { COUNTER_CONNECTS, COUNTER_RETRANSMISSIONS } from "../../wire/counters";
import { FLAG_DUP, PUBACK } from "../../wire/mqttsn";
import { writer } from "../cbor";
import { count } from "../counters";
import { node } from "../node";
import { outboxHurry } from "../outbox";
import { jittered, randomWord } from "../random";
import { TOPIC_COUNT } from "../texts";
import { timeConnected } from "../time";
import {
  BACKOFF_MS_MAX,
  BACKOFF_MS_MIN,
  BIRTH_PERIOD_MS,
  due,
  RETRY_COUNT_MAX,
  RETRY_MS_FIRST,
  RETRY_MS_MAX,
  RETRY_MS_MIN,
  SEARCH_MS_MIN,
  WAIT_MS_MAX,
} from "../timing";
import { BODY, PACKET_BYTES, packetFinish } from "./packet";

export const STOPPED: u32 = 0;
export const SEARCHING: u32 = 1;
export const BACKOFF: u32 = 2;
export const CONNECTING: u32 = 3;
export const ACTIVE: u32 = 4;

/** A wanted goodbye: presence offline goes out and is acknowledged, then DISCONNECT. */
export const FAREWELL_NONE: u32 = 0;
export const FAREWELL_WANTED: u32 = 1;
export const FAREWELL_SENT: u32 = 2;
export const FAREWELL_SAID: u32 = 3;

/** No packet in REQUEST awaits an answer; 0 is a type of its own. */
export const NOTHING: i32 = -1;

export namespace session {
  export let state: u32 = 0;
  export let gatewayCount: u32 = 0;
  export let gateway: u32 = 0; // 0..gatewayCount - 1, tried in turn
  export let peer: u32 = 0;
  export let awaited: i32 = 0; // NOTHING, or the MsgType of the answer
  export let topic: i32 = 0; // what the outstanding SUBSCRIBE, REGISTER or PUBLISH is about
  export let records: u32 = 0; // readings or events in the outstanding PUBLISH, or the number of a result
  export let msgId: u32 = 0;
  export let sends: u32 = 0; // of the outstanding packet so far
  export let sentMs: u32 = 0;
  export let deadlineMs: u32 = 0; // of the state, or of the outstanding packet
  export let delayMs: u32 = 0; // until its next repeat
  export let retryMs: u32 = 0; // first delay of a packet
  export let roundTrip: u32 = 0; // smoothed, in 1/8 ms; 0: not measured
  export let heardMs: u32 = 0;
  export let saidMs: u32 = 0;
  export let backoffMs: u32 = 0;
  export let searchMs: u32 = 0;
  export let waitMs: u32 = 0; // next Twait
  export let resumeMs: u32 = 0; // end of this Twait
  export let congested: bool = false; // a Twait is running
  export let refusals: u32 = 0; // gateways that refused CONNECT, one after the other
  export let invalidIds: u32 = 0; // PUBACK "invalid topic id", one after the other
  export let birthPart: i32 = 0; // next to be published
  export let birthMs: u32 = 0; // when the birth is said again
  export let present: bool = false; // presence is published
  export let farewell: u32 = 0;
  export let told: bool = false; // the first status is acknowledged
  export let statusMs: u32 = 0; // when the next status goes out
  export let request: usize = 0; // start of the outstanding packet
  export let requestBytes: u32 = 0;
}

export const ID_NONE: u32 = 0;
export const ID_REFUSED: u32 = 0xffff; // reserved on the wire: marks a topic the gateway does not take
const IDS: usize = memory.data(2 * TOPIC_COUNT, 2);
export const REQUEST: usize = memory.data(PACKET_BYTES);

export function topicId(topic: i32): u32 {
  assert(topic < TOPIC_COUNT);
  return load<u16>(IDS + 2 * topic);
}

export function setTopicId(topic: i32, id: u32): void {
  assert(topic < TOPIC_COUNT);
  store<u16>(IDS + 2 * topic, id);
}

export function isUsable(topic: i32): bool {
  const id = topicId(topic);
  return id != ID_NONE && id != ID_REFUSED;
}

/** Starts with a random MsgId, so that a late answer to a former boot does not match. */
export function sessionInit(gatewayCount: u32, nowMs: u32): void {
  session.gatewayCount = gatewayCount;
  session.awaited = NOTHING;
  session.msgId = randomWord() & 0x7fff;
  session.retryMs = RETRY_MS_FIRST;
  session.backoffMs = BACKOFF_MS_MIN;
  if (USES_SEARCH) session.searchMs = SEARCH_MS_MIN;
  session.waitMs = node.waitMs;
  session.state = BACKOFF;
  // §6.1: a fleet that gets power at once does not ask at once.
  const spreadMs = USES_SEARCH && gatewayCount == 0 ? SEARCH_MS_MIN : BACKOFF_MS_MIN;
  session.deadlineMs = nowMs + (randomWord() % spreadMs);
}

/** The host wants to stop: a goodbye, if there is someone to say it to. */
export function stopSession(): void {
  if (session.farewell == FAREWELL_NONE) session.farewell = FAREWELL_WANTED;
  if (!USES_GOODBYE) session.state = STOPPED;
}

/** True once nothing more is to be done; before sessionInit() there is nothing to say goodbye to. */
export function isStopped(): bool {
  return session.farewell != FAREWELL_NONE && session.state == STOPPED;
}

/** 0001..FFFF, one after the other. */
export function nextMsgId(): u32 {
  session.msgId = session.msgId == 0xffff ? 1 : session.msgId + 1;
  return session.msgId;
}

/** The packet just written to REQUEST becomes the outstanding one and goes out with the next transmit. */
export function expect(answer: i32, nowMs: u32): void {
  session.request = packetFinish(REQUEST);
  session.requestBytes = (writer.at - session.request) as u32;
  session.awaited = answer;
  session.sends = 0;
  session.delayMs = session.retryMs;
  session.deadlineMs = nowMs;
}

/** §6.13: counts a transmission of the outstanding packet; false: Nretry is spent, the gateway lost. */
export function transmit(nowMs: u32): bool {
  if (session.sends > RETRY_COUNT_MAX) {
    lose(nowMs);
    return false;
  }
  if (session.sends > 0) {
    count(COUNTER_RETRANSMISSIONS);
    session.delayMs = min(session.delayMs * 2, RETRY_MS_MAX);
    if (session.awaited == PUBACK) {
      store<u8>(REQUEST + BODY, load<u8>(REQUEST + BODY) | FLAG_DUP);
    }
  }
  session.sends++;
  session.sentMs = nowMs;
  session.saidMs = nowMs;
  session.deadlineMs = nowMs + session.delayMs;
  return true;
}

/** The outstanding packet is answered; what was sent once measures the round trip. */
export function answered(nowMs: u32): void {
  session.awaited = NOTHING;
  if (session.sends > 1) {
    // Which of them was answered is unknown: keep the longer delay until one is answered at once.
    session.retryMs = session.delayMs;
    return;
  }
  // Less than a millisecond counts as one: 0 is "not measured".
  const sampleMs = max(1, min(nowMs - session.sentMs, RETRY_MS_MAX));
  if (session.roundTrip == 0) session.roundTrip = sampleMs * 8;
  else session.roundTrip += sampleMs - session.roundTrip / 8;
  session.retryMs = max(RETRY_MS_MIN, min((session.roundTrip * 3) / 16, RETRY_MS_MAX));
}

/** The session is over: another gateway, or the same, after a pause that grows. */
export function lose(nowMs: u32): void {
  session.state = BACKOFF;
  session.awaited = NOTHING;
  session.gateway++;
  if (session.gateway >= session.gatewayCount) session.gateway = 0;
  session.deadlineMs = nowMs + jittered(session.backoffMs);
  session.backoffMs = min(session.backoffMs * 2, BACKOFF_MS_MAX);
}

/** §6.2: a gateway refused CONNECT. The next one is tried; once all have refused, Twait passes. */
export function refused(nowMs: u32): void {
  lose(nowMs);
  session.refusals++;
  if (session.refusals < session.gatewayCount) return;
  session.refusals = 0;
  congest(nowMs);
  session.deadlineMs = session.resumeMs;
}

/** §6.6: publishing pauses for Twait, longer each time. */
export function congest(nowMs: u32): void {
  session.congested = true;
  session.resumeMs = nowMs + session.waitMs + jittered(session.waitMs / 4);
  session.waitMs = min((session.waitMs * 3) / 2, WAIT_MS_MAX);
}

/** True while a Twait runs; what waited through it leaves at once when it ends. */
export function isCongested(nowMs: u32): bool {
  if (session.congested && due(nowMs, session.resumeMs)) {
    session.congested = false;
    session.birthMs = nowMs; // the broker may have started anew behind the gateway
    outboxHurry(nowMs);
  }
  return session.congested;
}

/** The birth is due from its first part on. */
export function beginBirth(nowMs: u32): void {
  session.birthPart = 0;
  session.birthMs = nowMs + BIRTH_PERIOD_MS;
}

/** CONNACK 00: nothing that an earlier session had set up holds (I2). */
export function connected(nowMs: u32): void {
  answered(nowMs);
  session.state = ACTIVE;
  for (let topic = 0; topic < TOPIC_COUNT; topic++) setTopicId(topic, ID_NONE);
  session.refusals = 0;
  session.invalidIds = 0;
  beginBirth(nowMs);
  session.present = false;
  session.congested = false;
  session.told = false;
  if (USES_SEARCH) session.searchMs = SEARCH_MS_MIN;
  count(COUNTER_CONNECTS);
  outboxHurry(nowMs);
  timeConnected(nowMs);
}
