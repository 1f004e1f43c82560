// SPDX-License-Identifier: MIT
// What a datagram of a gateway does to the session.
//
// Spec: MQTT-SN 1.2 §6; return codes as SPEC.md §7: 01 keep and wait Twait, 02 register and send as new,
// 03 and reserved codes drop and count. A datagram that is no packet is counted as malformed; one that
// nobody waits for, or from another peer than the gateway, as unexpected. Neither changes anything.
// No state of its own.

import {
  USES_FINDINGS,
  USES_GOODBYE,
  USES_OFFERED_TOPICS,
  USES_SEARCH,
  USES_SETPOINTS,
} from "../../generated/uses";
import { COUNTER_DATAGRAMS_MALFORMED, COUNTER_DATAGRAMS_UNEXPECTED } from "../../wire/counters";
import {
  ADVERTISE,
  CONNACK,
  DISCONNECT,
  FLAG_QOS_MASK,
  FLAG_QOS_SHIFT,
  FLAG_TOPIC_ID_TYPE_MASK,
  GWINFO,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBLISH,
  REGACK,
  REGISTER,
  RETURN_ACCEPTED,
  RETURN_CONGESTION,
  RETURN_INVALID_TOPIC_ID,
  RETURN_NOT_SUPPORTED,
  SUBACK,
  WILLMSGREQ,
  WILLTOPICREQ,
} from "../../wire/mqttsn";
import { PEER_GROUP } from "../../wire/info";
import { takeCommand } from "../command";
import { count } from "../counters";
import { outboxSettle, outboxStamp } from "../outbox";
import { settleResult } from "../results";
import { node } from "../node";
import {
  TOPIC_BIRTH,
  TOPIC_PRESENCE,
  TOPIC_SET,
  TOPIC_SET_RESULT,
  TOPIC_STATUS,
  TOPIC_TAP,
  TOPIC_TIME,
  TOPIC_TIME_GET,
} from "../texts";
import { time, timeAnswer } from "../time";
import { BACKOFF_MS_MIN, INVALID_ID_COUNT_MAX } from "../timing";
import { decodePacket, packet } from "./packet";
import {
  isOurs,
  isTopicName,
  outgoing,
  replyAck,
  replyPing,
  replyWill,
  requestConnect,
  requestWill,
} from "./requests";
import {
  answered,
  congest,
  connected,
  CONNECTING,
  FAREWELL_NONE,
  FAREWELL_SAID,
  FAREWELL_SENT,
  ID_NONE,
  ID_REFUSED,
  isUsable,
  lose,
  NOTHING,
  refused,
  SEARCHING,
  session,
  setTopicId,
  topicId,
} from "./session";

/** Takes one datagram of a peer; true: `outgoing` holds the answer it asks for. */
export function offerDatagram(peer: u32, at: usize, bytes: u32, nowMs: u32): bool {
  outgoing.bytes = 0;
  if (!decodePacket(at, bytes)) count(COUNTER_DATAGRAMS_MALFORMED);
  else if (!dispatch(peer, nowMs)) count(COUNTER_DATAGRAMS_UNEXPECTED);
  return outgoing.bytes > 0;
}

/** False: nobody waits for this packet. */
function dispatch(peer: u32, nowMs: u32): bool {
  const type = packet.type;
  if (USES_SEARCH && session.state == SEARCHING) {
    // An address in a GWINFO comes from another client: what counts here is who answered.
    if (peer == PEER_GROUP || (type != GWINFO && type != ADVERTISE)) return false;
    session.peer = peer;
    session.state = CONNECTING;
    requestConnect(nowMs);
    return true;
  }
  if (session.state < CONNECTING || peer != session.peer) return false;
  session.heardMs = nowMs;
  if (type == DISCONNECT) {
    lose(nowMs);
    return true;
  }
  if (session.state == CONNECTING) return dispatchConnecting(type, nowMs);
  return dispatchActive(type, nowMs);
}

function dispatchConnecting(type: i32, nowMs: u32): bool {
  if (type == WILLTOPICREQ) {
    requestWill(true, nowMs);
  } else if (type == WILLMSGREQ) {
    requestWill(false, nowMs);
  } else if (type == CONNACK) {
    if (packet.returnCode == RETURN_ACCEPTED) connected(nowMs);
    else refused(nowMs);
  } else {
    return false;
  }
  return true;
}

function dispatchActive(type: i32, nowMs: u32): bool {
  if (type == PUBLISH) return takePublish(nowMs);
  if (type == REGISTER) return takeRegister();
  if (type == PINGREQ) {
    replyPing();
    return true;
  }
  if (type == WILLTOPICREQ || type == WILLMSGREQ) {
    // The gateway begins a session that we believe to be in: a CONNECT came twice, or a CONNACK late. It is
    // helped to the end of its dialogue, of which any packet may be lost; that session is set up as well.
    replyWill(type == WILLTOPICREQ);
    if (!USES_GOODBYE || session.farewell == FAREWELL_NONE) setUpAgain();
    return false;
  }
  if (type == PUBACK && packet.msgId == 0) return takeUnasked(nowMs);
  if (type != session.awaited) return false;
  if (type != PINGRESP && packet.msgId != session.msgId) return false;
  answered(nowMs);
  if (type == REGACK || type == SUBACK) takeTopicId(session.topic, nowMs);
  else if (type == PUBACK) takePuback(nowMs);
  return true;
}

// What a new session of the gateway lacks and nobody would miss; an id that it does not know it refuses. What is
// outstanding is asked anew: the session before may still answer it, and that answer says nothing of this one.
function setUpAgain(): void {
  session.awaited = NOTHING;
  setTopicId(TOPIC_TIME, ID_NONE);
  setTopicId(TOPIC_SET, ID_NONE);
  session.present = false;
}

function takeTopicId(topic: i32, nowMs: u32): void {
  const code = packet.returnCode;
  const id = packet.topicId;
  const isValid = id != ID_NONE && id != ID_REFUSED;
  if (code == RETURN_ACCEPTED && isValid) {
    setTopicId(topic, id);
  } else if (code == RETURN_ACCEPTED || code == RETURN_CONGESTION) {
    congest(nowMs); // an accepted id that cannot be one is asked for again, later
  } else {
    setTopicId(topic, ID_REFUSED);
    if (topic == TOPIC_BIRTH) nextBirthPart();
  }
}

function takePuback(nowMs: u32): void {
  const code = packet.returnCode;
  if (code == RETURN_CONGESTION) {
    congest(nowMs);
  } else if (code == RETURN_INVALID_TOPIC_ID) {
    setTopicId(session.topic, ID_NONE);
    session.invalidIds++;
    if (session.invalidIds >= INVALID_ID_COUNT_MAX) lose(nowMs);
  } else {
    session.invalidIds = 0;
    session.backoffMs = BACKOFF_MS_MIN;
    session.waitMs = node.waitMs;
    if (session.topic == TOPIC_PRESENCE) takePresence(code);
    else if (session.topic == TOPIC_BIRTH) nextBirthPart();
    else if (session.topic == TOPIC_STATUS) session.told = true;
    else if (USES_SETPOINTS && session.topic == TOPIC_SET_RESULT)
      settleResult(session.records, code == RETURN_ACCEPTED);
    else outboxSettle(session.records, code == RETURN_ACCEPTED);
  }
}

function takePresence(code: u32): void {
  session.present = true;
  if (!USES_GOODBYE) return;
  const isSaid = session.farewell == FAREWELL_SENT && code == RETURN_ACCEPTED;
  if (isSaid) session.farewell = FAREWELL_SAID;
}

function nextBirthPart(): void {
  session.birthPart++;
  setTopicId(TOPIC_BIRTH, ID_NONE); // the next part is another topic
}

/** §6.6: an answer to a QoS 0 publication: stop, or register again. */
function takeUnasked(nowMs: u32): bool {
  if (packet.returnCode == RETURN_CONGESTION) {
    congest(nowMs);
    return true;
  }
  if (packet.returnCode != RETURN_INVALID_TOPIC_ID || packet.topicId == ID_NONE) return false;
  if (USES_FINDINGS && topicId(TOPIC_TAP) == packet.topicId && isUsable(TOPIC_TAP)) {
    setTopicId(TOPIC_TAP, ID_NONE);
    return true;
  }
  for (let topic = TOPIC_TIME_GET; topic < TOPIC_TAP; topic++) {
    if (topicId(topic) != packet.topicId || packet.topicId == ID_REFUSED) continue;
    setTopicId(topic, ID_NONE);
    return true;
  }
  return false;
}

/** A publication for the node: the time, or a command. */
function takePublish(nowMs: u32): bool {
  const qos = (packet.flags & FLAG_QOS_MASK) >> FLAG_QOS_SHIFT;
  const isCommand = USES_SETPOINTS && isFor(TOPIC_SET);
  if (!isCommand && !isFor(TOPIC_TIME)) {
    replyAck(PUBACK, RETURN_INVALID_TOPIC_ID);
    return false;
  }
  if (qos == 1) replyAck(PUBACK, RETURN_ACCEPTED);
  if (qos > 1) {
    replyAck(PUBACK, RETURN_NOT_SUPPORTED);
    return false;
  }
  if (isCommand) {
    takeCommand(packet.data, packet.dataBytes, packet.msgId);
    return true;
  }
  const wasKnown = time.known;
  if (!timeAnswer(packet.data, packet.dataBytes, nowMs)) return false;
  if (!wasKnown) outboxStamp(time.wallOffsetMs);
  return true;
}

function isFor(topic: i32): bool {
  return (
    (packet.flags & FLAG_TOPIC_ID_TYPE_MASK) == 0 &&
    packet.topicId == topicId(topic) &&
    packet.topicId != ID_NONE &&
    packet.topicId != ID_REFUSED
  );
}

/** §6.5: a gateway names a topic: what the node subscribes to is taken, others are refused. */
function takeRegister(): bool {
  const id = packet.topicId;
  let isTaken = false;
  if (USES_OFFERED_TOPICS && id != ID_NONE && id != ID_REFUSED) {
    for (let topic = 0; topic < TOPIC_TIME_GET; topic++) {
      if (!isOurs(topic) || !isTopicName(topic, packet.data, packet.dataBytes)) continue;
      setTopicId(topic, id);
      isTaken = true;
    }
  }
  if (!isTaken) packet.topicId = ID_NONE; // §5.3.11: 0000 in a refused REGACK
  replyAck(REGACK, isTaken ? RETURN_ACCEPTED : RETURN_NOT_SUPPORTED);
  return isTaken;
}
