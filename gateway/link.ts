// SPDX-License-Identifier: MIT
// The broker connection of one client: open, keep alive, close, try again.
//
// Spec: MQTT 3.1.1 §3.1, §3.12. The gateway pings the broker by itself; a client's Duration is another hop.
// A connection that was lost comes back only after the client was heard since: a client that moved to
// another gateway does not answer here, and two gateways do not fight for its client id.
//
//   IDLE -open-> OPENING -stream opened-> CONNECTING -CONNACK 0-> READY      any -lost-> IDLE

import {
  BROKER_ANSWER_MS,
  BROKER_KEEP_ALIVE_S,
  BROKER_PING_PERIOD_MS,
  RECONNECT_DELAY_MS_MAX,
  RECONNECT_DELAY_MS_MIN,
} from "./limits.ts";
import { createBrokerDecoder, encodeConnect, encodeDisconnect, encodePing } from "./mqtt.ts";
import { type Core, send, type Session } from "./session.ts";

const NO_CLIENT_ID = new Uint8Array(0);
const PACKET_ID_MAX = 0xffff;

/** Asks for a stream to the broker. */
export function openLink(core: Core, session: Session, nowMs: number): void {
  const { link } = session;
  const connection = core.nextConnection++;
  link.state = "opening";
  link.connection = connection;
  link.decoder = createBrokerDecoder();
  link.dueMs = nowMs + BROKER_ANSWER_MS;
  link.probing = false;
  core.links.set(connection, session);
  core.ports.openBroker(connection);
}

/** The stream is there: introduces the client. */
export function greetBroker(core: Core, session: Session, nowMs: number): void {
  const { link } = session;
  link.state = "connecting";
  link.dueMs = nowMs + BROKER_ANSWER_MS;
  const { clientId, cleanSession, will } = session;
  writeLink(core, session, encodeConnect(clientId, cleanSession, BROKER_KEEP_ALIVE_S, will));
}

/** The broker accepted the client. */
export function linkReady(core: Core, session: Session, nowMs: number): void {
  session.link.state = "ready";
  session.link.dueMs = nowMs + BROKER_PING_PERIOD_MS;
  session.link.pinged = false;
  core.counters.brokerConnects++;
}

/** PINGRESP came. */
export function linkAlive(session: Session, nowMs: number): void {
  const { link } = session;
  if (!link.pinged) return;
  link.pinged = false;
  link.dueMs = nowMs + BROKER_PING_PERIOD_MS;
}

/** Octets to the broker; the link is connecting or ready. */
export function writeLink(core: Core, session: Session, bytes: Uint8Array): void {
  core.ports.writeBroker(session.link.connection, bytes);
}

/** Whether a message of the client can go to the broker now. */
export function canWrite(core: Core, session: Session): boolean {
  return session.link.state === "ready" && !core.congested();
}

/** Ends the connection. With a farewell the broker forgets the will, without one it publishes it. */
export function closeLink(core: Core, session: Session, farewell: boolean): void {
  const { link } = session;
  if (link.connection !== 0) {
    if (farewell && (link.state === "connecting" || link.state === "ready")) {
      writeLink(core, session, encodeDisconnect());
    }
    core.ports.closeBroker(link.connection);
  }
  core.links.delete(link.connection);
  link.state = "idle";
  link.connection = 0;
  link.dueMs = Infinity;
  link.pinged = false;
  session.uplink.clear(); // clients repeat, with DUP
}

/** Plans the next attempt after a loss, and asks the client for a sign of life. */
export function planReconnection(
  core: Core,
  session: Session,
  wasReady: boolean,
  nowMs: number,
): void {
  const { link } = session;
  if (wasReady) {
    link.unheard = true;
    probeClient(core, session);
  }
  link.dueMs = nowMs + nextDelayMs(core, session);
}

/** Does what is due; false: the broker does not answer, the connection is to be given up. */
export function runLink(core: Core, session: Session, nowMs: number): boolean {
  const { link } = session;
  if (nowMs < link.dueMs) return true;
  if (link.state === "ready" && !link.pinged) {
    link.pinged = true;
    link.failures = 0; // it held for a ping period
    link.dueMs = nowMs + BROKER_ANSWER_MS;
    writeLink(core, session, encodePing());
    return true;
  }
  if (link.state !== "idle") return false;
  if (!link.unheard) {
    openLink(core, session, nowMs);
  } else {
    link.probing = true;
    link.dueMs = nowMs + nextDelayMs(core, session);
    probeClient(core, session);
  }
  return true;
}

/** The client was heard: a connection that waited for that may come back. */
export function clientHeard(session: Session, nowMs: number): void {
  const { link } = session;
  link.unheard = false;
  if (link.probing) link.dueMs = Math.min(link.dueMs, nowMs);
}

/** A packet id that waits for nothing; `wanted` if it is free. */
export function takePacketId(session: Session, wanted: number): number {
  if (wanted !== 0 && !session.uplink.has(wanted)) return wanted;
  const { link } = session;
  // The table holds far fewer than all ids, so a free one is near.
  while (session.uplink.has(link.nextPacketId)) advancePacketId(session);
  const packetId = link.nextPacketId;
  advancePacketId(session);
  return packetId;
}

function advancePacketId(session: Session): void {
  const { link } = session;
  link.nextPacketId = link.nextPacketId === PACKET_ID_MAX ? 1 : link.nextPacketId + 1;
}

function probeClient(core: Core, session: Session): void {
  send(core, session.peer, { type: "PINGREQ", clientId: NO_CLIENT_ID });
}

// Doubles up to the maximum; jitter of half of it, so that clients do not all come back at once.
function nextDelayMs(core: Core, session: Session): number {
  const doubled = RECONNECT_DELAY_MS_MIN * 2 ** Math.min(session.link.failures++, 16);
  const delayMs = Math.min(doubled, RECONNECT_DELAY_MS_MAX);
  return Math.floor(delayMs * (0.5 + nextFraction(core) / 2));
}

// xorshift32; the state is never 0.
function nextFraction(core: Core): number {
  let x = core.random;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  core.random = x >>> 0;
  return core.random / 0x1_0000_0000;
}
