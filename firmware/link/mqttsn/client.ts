// SPDX-License-Identifier: MIT
// MQTT-SN client: which datagram leaves now, and when to ask again.
//
// Spec: MQTT-SN 1.2 §6; session.ts has the states, requests.ts what is sent, answers.ts what is received.
// Bytes in, bytes out; `nowMs` is always an argument.

import { USES_FINDINGS, USES_GOODBYE, USES_SEARCH, USES_UNCONFIRMED } from "../../generated/uses";
import { POLL_DELAY_MS_MAX } from "../../limits";
import { findingsDueMs, findingsSent, findingsWait } from "../findings";
import {
  LIST_CONFIRMED,
  LIST_EVENTS,
  LIST_UNCONFIRMED,
  listCount,
  listLingerMs,
  outboxRelease,
} from "../outbox";
import { TOPIC_DATA, TOPIC_STATUS, TOPIC_TAP } from "../texts";
import { timeSettled } from "../time";
import { delayUntil, due, SEARCH_MS_MAX } from "../timing";
import {
  outgoing,
  pingDeadline,
  requestConnect,
  sayDisconnect,
  searchGateway,
  startFarewell,
  startRequest,
  startUnanswered,
} from "./requests";
import {
  ACTIVE,
  BACKOFF,
  CONNECTING,
  FAREWELL_NONE,
  FAREWELL_SAID,
  isCongested,
  isUsable,
  NOTHING,
  SEARCHING,
  session,
  STOPPED,
  transmit,
} from "./session";

/** True: `outgoing` is to be sent now. Call again until false, and datagramSent() after each. */
export function takeDatagram(nowMs: u32): bool {
  if (USES_GOODBYE && session.farewell != FAREWELL_NONE) return takeFarewell(nowMs);
  const isDue = due(nowMs, session.deadlineMs);
  if (session.state == BACKOFF) {
    if (!isDue) return false;
    if (USES_SEARCH && session.gatewayCount == 0) {
      session.state = SEARCHING;
    } else {
      session.peer = session.gateway + 1;
      session.state = CONNECTING;
      requestConnect(nowMs);
    }
  }
  if (USES_SEARCH && session.state == SEARCHING) {
    if (!isDue) return false;
    session.deadlineMs = nowMs + session.searchMs;
    session.searchMs = min(session.searchMs * 2, SEARCH_MS_MAX);
    searchGateway();
    return true;
  }
  const isActive = session.state == ACTIVE;
  if (isActive && session.awaited == NOTHING) startRequest(nowMs);
  if (session.awaited != NOTHING && due(nowMs, session.deadlineMs)) return takeOutstanding(nowMs);
  return isActive && startUnanswered(nowMs);
}

function takeOutstanding(nowMs: u32): bool {
  if (!transmit(nowMs)) return false;
  outgoing.address = session.request;
  outgoing.bytes = session.requestBytes;
  outgoing.peer = session.peer;
  return true;
}

/** After stop: what is outstanding first, then the goodbye. When that fails, the will speaks. */
function takeFarewell(nowMs: u32): bool {
  const isActive = session.state == ACTIVE;
  if (isActive && (session.awaited != NOTHING || startFarewell(nowMs))) {
    return due(nowMs, session.deadlineMs) && takeOutstanding(nowMs);
  }
  session.state = STOPPED;
  if (!isActive || session.farewell != FAREWELL_SAID) return false;
  sayDisconnect();
  return true;
}

/** What became of the datagram: what awaits an answer is repeated anyway, QoS 0 readings stay. */
export function datagramSent(taken: bool, nowMs: u32): void {
  const unconfirmed = USES_UNCONFIRMED ? outgoing.unconfirmed : 0;
  if (USES_UNCONFIRMED) outgoing.unconfirmed = 0; // the next datagram may be another one
  if (USES_FINDINGS) findingsSent(taken, nowMs);
  if (!taken) return;
  outgoing.sent++;
  session.saidMs = nowMs;
  if (USES_UNCONFIRMED && unconfirmed > 0) outboxRelease(unconfirmed, true, nowMs);
}

/** Milliseconds until takeDatagram() has something again, if nothing arrives before. */
export function clientDelay(nowMs: u32): u32 {
  const isWaiting = session.awaited != NOTHING;
  if (session.state != ACTIVE || (USES_GOODBYE && session.farewell != FAREWELL_NONE))
    return delayUntil(nowMs, session.deadlineMs);
  let delayMs = delayUntil(nowMs, isWaiting ? session.deadlineMs : pingDeadline());
  if (isCongested(nowMs)) return delayMs;
  if (isUsable(TOPIC_STATUS) && session.told)
    delayMs = min(delayMs, delayUntil(nowMs, session.statusMs));
  if (USES_FINDINGS && findingsWait() && isUsable(TOPIC_TAP))
    delayMs = min(delayMs, delayUntil(nowMs, findingsDueMs(nowMs)));
  if (!timeSettled()) return delayMs;
  if (USES_UNCONFIRMED && isUsable(TOPIC_DATA))
    delayMs = min(delayMs, lingerDelay(LIST_UNCONFIRMED, nowMs));
  if (isWaiting) return delayMs;
  delayMs = min(delayMs, lingerDelay(LIST_EVENTS, nowMs));
  return min(delayMs, lingerDelay(LIST_CONFIRMED, nowMs));
}

function lingerDelay(list: u32, nowMs: u32): u32 {
  return listCount(list) > 0 ? delayUntil(nowMs, listLingerMs(list)) : POLL_DELAY_MS_MAX;
}
