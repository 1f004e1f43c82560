// SPDX-License-Identifier: MIT
// How a client comes and goes: CONNECT, will dialogue, takeover, DISCONNECT, lost.
//
// Spec: MQTT-SN 1.2 §6.2, §6.3, §6.12, §6.14. CONNACK follows the broker's CONNACK. An older session of the
// same client keeps its broker connection until the new dialogue is complete, so its will stays armed;
// then it leaves with MQTT DISCONNECT, so the broker does not publish that will.

import {
  PROTOCOL_ID,
  RETURN_ACCEPTED,
  RETURN_CONGESTION,
  RETURN_NOT_SUPPORTED,
} from "../firmware/wire/mqttsn.ts";
import { RETRY_COUNT_MAX, STORED_SESSIONS_MAX } from "./limits.ts";
import { closeLink, openLink } from "./link.ts";
import type { MqttQos } from "./mqtt.ts";
import { decodeClientId, decodeTopicName } from "./names.ts";
import type { Connect, WillTopic } from "./packet.ts";
import { type Core, createSession, forget, schedule, send, type Session } from "./session.ts";

/** CONNECT of any address. `admit` says whether the gateway has room for one more. */
export function onConnect(
  core: Core,
  peer: string,
  connect: Connect,
  admit: () => boolean,
  nowMs: number,
): void {
  const clientId = decodeClientId(connect.clientId, core.config.clientIdBytesMax);
  if (connect.protocolId !== PROTOCOL_ID || clientId === undefined) {
    refuse(core, peer, RETURN_NOT_SUPPORTED);
    return;
  }
  const old = core.peers.get(peer);
  if (old !== undefined && isRepeat(old, clientId, connect)) {
    core.counters.unexpected++; // the broker's answer is on its way
    return;
  }
  if (!admit()) {
    refuse(core, peer, RETURN_CONGESTION);
    return;
  }
  if (old !== undefined) makeWay(core, old, clientId);
  const session = createSession(core, peer, clientId, connect, nowMs);
  core.peers.set(peer, session);
  if (connect.will) askForWill(core, session, "will-topic", nowMs);
  else establish(core, session, nowMs);
}

function refuse(core: Core, peer: string, returnCode: number): void {
  core.counters.connectsRefused++;
  send(core, peer, { type: "CONNACK", returnCode });
}

function isRepeat(old: Session, clientId: string, connect: Connect): boolean {
  return (
    old.state === "opening" &&
    old.clientId === clientId &&
    old.cleanSession === connect.cleanSession &&
    old.hasWill === connect.will &&
    old.duration === connect.duration &&
    !old.hasWill // with a will the client starts the dialogue anew
  );
}

// The address speaks for a new session now. The same client keeps its connection for a while; another one is lost.
function makeWay(core: Core, old: Session, clientId: string): void {
  const replaced = replacedBy(core, old);
  if (old.clientId !== clientId) {
    lose(core, old);
    if (replaced !== undefined) lose(core, replaced);
  } else if (core.clients.get(clientId) === old) {
    core.peers.delete(old.peer);
    old.state = "replaced";
    old.request = undefined;
  } else {
    forget(core, old);
  }
}

// The session that this one, still in its dialogue, is to replace.
function replacedBy(core: Core, session: Session): Session | undefined {
  const owner = core.clients.get(session.clientId);
  const isReplaced = owner?.state === "replaced" && owner.peer === session.peer;
  return isReplaced ? owner : undefined;
}

function askForWill(
  core: Core,
  session: Session,
  kind: "will-topic" | "will-message",
  nowMs: number,
): void {
  session.state = kind;
  session.request = {
    kind,
    msgId: 0,
    topicIdType: "normal",
    topicId: 0,
    attempts: 0,
    dueMs: nowMs + core.config.retryPeriodMs,
  };
  sendWillRequest(core, session);
  schedule(core, session);
}

function sendWillRequest(core: Core, session: Session): void {
  const type = session.state === "will-topic" ? "WILLTOPICREQ" : "WILLMSGREQ";
  send(core, session.peer, { type });
}

/** WILLTOPIC in the dialogue; a repeated one asks for the message again. */
export function onWillTopic(core: Core, session: Session, packet: WillTopic, nowMs: number): void {
  const { will } = packet;
  if (will === undefined) {
    session.will = undefined; // an empty WILLTOPIC deletes the will
    establish(core, session, nowMs);
    return;
  }
  const topic = decodeTopicName(will.topic);
  if (topic === undefined || will.qos === -1) {
    refuse(core, session.peer, RETURN_NOT_SUPPORTED);
    abandon(core, session);
    return;
  }
  const qos: MqttQos = will.qos;
  session.will = { topic, payload: new Uint8Array(0), qos, retain: will.retain };
  askForWill(core, session, "will-message", nowMs);
}

/** WILLMSG in the dialogue. */
export function onWillMessage(
  core: Core,
  session: Session,
  willMsg: Uint8Array,
  nowMs: number,
): void {
  if (session.will !== undefined) session.will = { ...session.will, payload: willMsg.slice() };
  establish(core, session, nowMs);
}

/** Repeats a will request that is due; gives the dialogue up after Nretry. */
export function runDialogue(core: Core, session: Session, nowMs: number): void {
  const pending = session.request;
  if (pending === undefined || nowMs < pending.dueMs) return;
  if (pending.attempts >= RETRY_COUNT_MAX) {
    core.counters.dialoguesAbandoned++;
    abandon(core, session);
    return;
  }
  pending.attempts++;
  pending.dueMs = nowMs + core.config.retryPeriodMs;
  core.counters.retransmissions++;
  sendWillRequest(core, session);
}

// The dialogue came to nothing. The session that it was to replace has no client any more.
function abandon(core: Core, session: Session): void {
  forget(core, session);
  const replaced = replacedBy(core, session);
  if (replaced !== undefined) lose(core, replaced);
}

// All is known: the session takes the client id over and introduces itself to the broker.
function establish(core: Core, session: Session, nowMs: number): void {
  const { clientId } = session;
  const owner = core.clients.get(clientId);
  if (owner !== undefined) takeOver(core, owner, session.peer);
  const stored = core.stored.get(clientId);
  core.stored.delete(clientId);
  if (!session.cleanSession && stored !== undefined) {
    session.subscriptions = stored.subscriptions;
    if (!session.hasWill) session.will = stored.will;
  }
  session.request = undefined;
  session.state = "opening";
  core.clients.set(clientId, session);
  openLink(core, session, nowMs);
  schedule(core, session);
}

function takeOver(core: Core, owner: Session, peer: string): void {
  if (owner.peer !== peer) {
    core.counters.takeovers++;
    send(core, owner.peer, { type: "DISCONNECT" });
  }
  leave(core, owner);
}

/** The broker answered: CONNACK to the client. */
export function onBrokerConnack(
  core: Core,
  session: Session,
  returnCode: number,
  nowMs: number,
): void {
  if (returnCode !== 0) {
    // MQTT 3.1.1 §3.2.2.3: 3 is "server unavailable", the others are final.
    fail(core, session, returnCode === 3 ? RETURN_CONGESTION : RETURN_NOT_SUPPORTED);
    return;
  }
  session.state = "active";
  session.connectedAtMs = nowMs;
  session.heardMs = nowMs;
  session.greeted = true;
  core.counters.connects++;
  greet(core, session);
}

/** CONNACK, first or again. */
export function greet(core: Core, session: Session): void {
  send(core, session.peer, { type: "CONNACK", returnCode: RETURN_ACCEPTED });
}

/** The broker cannot be reached or refuses while the client waits. */
export function fail(core: Core, session: Session, returnCode: number): void {
  closeLink(core, session, true);
  store(core, session);
  forget(core, session);
  refuse(core, session.peer, returnCode);
}

/** The session ends as the client wanted: no will. */
export function leave(core: Core, session: Session): void {
  closeLink(core, session, true);
  store(core, session);
  forget(core, session);
}

/** The client is gone: the broker publishes the will. */
export function lose(core: Core, session: Session): void {
  core.counters.lost++;
  closeLink(core, session, false);
  store(core, session);
  forget(core, session);
}

/** DISCONNECT in the will dialogue or later: the client leaves, and with it what it was to replace. */
export function onDisconnect(core: Core, session: Session): void {
  const replaced = replacedBy(core, session);
  leave(core, session);
  if (replaced !== undefined) leave(core, replaced);
}

/** The broker refuses a known client for good: it has to connect again. */
export function dismiss(core: Core, session: Session): void {
  closeLink(core, session, false);
  store(core, session);
  forget(core, session);
  send(core, session.peer, { type: "DISCONNECT" });
}

// §6.3: subscriptions and will of a CleanSession 0 client outlive its connection.
function store(core: Core, session: Session): void {
  const { clientId, cleanSession, will, subscriptions } = session;
  if (cleanSession || core.clients.get(clientId) !== session) return;
  core.stored.delete(clientId);
  if (will === undefined && subscriptions.size === 0) return;
  core.stored.set(clientId, { will, subscriptions });
  if (core.stored.size <= STORED_SESSIONS_MAX) return;
  const [oldest] = core.stored.keys();
  core.stored.delete(oldest!);
  core.counters.storedEvicted++;
}
