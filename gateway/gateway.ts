// SPDX-License-Identifier: MIT
// MQTT-SN gateway, transparent: a broker connection per client. No I/O, no clock.
//
// Spec: MQTT-SN 1.2 §6; SPEC.md §7. Datagrams, broker streams and `nowMs` in; datagrams, streams and a
// deadline out. What an address may say depends on its session; what nobody has a use for is counted.
// Not offered: QoS 2 (03), QoS -1 (dropped), sleep (DISCONNECT with a duration is a plain one), will
// updates (03), forwarder encapsulation (silence).

import { RETURN_NOT_SUPPORTED } from "../firmware/wire/mqttsn.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { loseLink, onBrokerPacket } from "./broker-events.ts";
import {
  greet,
  lose,
  onConnect,
  onDisconnect,
  onWillMessage,
  onWillTopic,
  runDialogue,
} from "./connect.ts";
import { createCounters } from "./counters.ts";
import { moveDeadline } from "./deadlines.ts";
import { onPuback, onRegack, pumpDownlink, resumeDownlink, runDownlink } from "./downlink.ts";
import {
  ADVERTISE_PERIOD_MS,
  BROKER_BACKLOG_BYTES_MAX,
  CLIENT_ID_BYTES_MAX,
  CLIENTS_MAX,
  DATAGRAM_BYTES_MAX,
  RETRY_PERIOD_MS,
} from "./limits.ts";
import { clientHeard, greetBroker, runLink } from "./link.ts";
import { decodeClientId } from "./names.ts";
import { decode, type Packet } from "./packet.ts";
import {
  type Core,
  type GatewayConfig,
  type GatewayPorts,
  schedule,
  send,
  type Session,
  sessionDueMs,
  silentUntilMs,
} from "./session.ts";
import { createPredefined, createTopicIds } from "./topics.ts";
import { onPublish, onRegister, onSubscribe, onUnsubscribe } from "./uplink.ts";

export type { GatewayConfig, GatewayPorts } from "./session.ts";

export interface ClientView {
  clientId: string;
  peer: string;
  state: string; // active, or on the way there or away
  connectedAtMs: number;
}

export interface Gateway {
  datagram(peer: string, bytes: Uint8Array, nowMs: number): void;
  brokerOpened(connection: number, nowMs: number): void;
  brokerBytes(connection: number, bytes: Uint8Array, nowMs: number): void;
  brokerClosed(connection: number, nowMs: number): void;
  /** Does what is due; absolute time of the next call wanted, Infinity: none. */
  poll(nowMs: number): number;
  counters(): Record<string, number>;
  clients(): ClientView[];
}

interface State extends Core {
  readonly admission: Admission;
  advertiseDueMs: number; // Infinity: no group
}

/** A gateway without clients. Throws RangeError when two predefined topics have one id. */
export function createGateway(config: GatewayConfig, ports: GatewayPorts): Gateway {
  const state = createState(config, ports);
  return {
    datagram: (peer, bytes, nowMs) => onDatagram(state, peer, bytes, nowMs),
    brokerOpened(connection, nowMs) {
      const session = state.links.get(connection);
      if (session?.link.state !== "opening") return;
      greetBroker(state, session, nowMs);
      schedule(state, session);
    },
    brokerBytes: (connection, bytes, nowMs) => onBrokerBytes(state, connection, bytes, nowMs),
    brokerClosed(connection, nowMs) {
      const session = state.links.get(connection);
      if (session === undefined) return;
      session.link.connection = 0; // there is nothing left to close
      state.links.delete(connection);
      loseLink(state, session, nowMs);
      schedule(state, session);
    },
    poll: (nowMs) => poll(state, nowMs),
    counters: () => ({ ...state.counters }),
    clients: () => [...state.clients.values()].map(viewOf),
  };
}

function createState(config: GatewayConfig, ports: GatewayPorts): State {
  const { predefined, group, ...rest } = config;
  return {
    config: {
      retryPeriodMs: RETRY_PERIOD_MS,
      clientIdBytesMax: CLIENT_ID_BYTES_MAX,
      clientsMax: CLIENTS_MAX,
      ...rest,
      ...(group !== undefined && { group }),
    },
    ports,
    counters: createCounters(),
    predefined: createPredefined(predefined ?? {}),
    topicIds: createTopicIds(config.seed),
    peers: new Map(),
    clients: new Map(),
    links: new Map(),
    stored: new Map(),
    deadlines: [],
    scratch: new Uint8Array(DATAGRAM_BYTES_MAX),
    congested: () => (ports.backlogBytes?.() ?? 0) > BROKER_BACKLOG_BYTES_MAX,
    nextOrder: 0,
    nextConnection: 1,
    random: (config.seed ^ 0x5bd1_e995) >>> 0 || 1,
    admission: createAdmission(),
    advertiseDueMs: group === undefined ? Infinity : -Infinity,
  };
}

function viewOf({ clientId, peer, state, connectedAtMs }: Session): ClientView {
  return { clientId, peer, state, connectedAtMs };
}

function onDatagram(state: State, peer: string, bytes: Uint8Array, nowMs: number): void {
  state.counters.datagramsIn++;
  if (bytes.length > DATAGRAM_BYTES_MAX) {
    state.counters.tooLong++;
    return;
  }
  const packet = decode(bytes);
  if (typeof packet === "string") {
    if (packet === "reserved-type") state.counters.unsupported++;
    else state.counters.malformed++;
    return;
  }
  if (packet.type === "SEARCHGW") onSearch(state, peer, nowMs);
  else if (packet.type === "CONNECT")
    onConnect(state, peer, packet, () => admits(state, peer, nowMs), nowMs);
  else onSessionPacket(state, peer, packet, nowMs);
}

function admits(state: State, peer: string, nowMs: number): boolean {
  if (!state.admission.connect(nowMs)) {
    state.counters.connectsLimited++;
    return false;
  }
  const full = state.peers.size >= state.config.clientsMax && !state.peers.has(peer);
  return !full && !state.congested();
}

function onSearch(state: State, peer: string, nowMs: number): void {
  state.counters.searches++;
  if (!state.admission.search(nowMs)) {
    state.counters.searchesLimited++;
    return;
  }
  const gwAdd = new Uint8Array(0);
  send(state, peer, { type: "GWINFO", gwId: state.config.gatewayId, gwAdd });
}

function onSessionPacket(state: State, peer: string, packet: Packet, nowMs: number): void {
  const session = state.peers.get(peer);
  if (packet.type === "PUBLISH" && packet.qos === -1) {
    state.counters.qosMinusOneDropped++;
    if (session !== undefined) session.heardMs = nowMs;
  } else if (session === undefined) {
    onStranger(state, peer, packet, nowMs);
  } else {
    session.heardMs = nowMs;
    if (session.state === "active") onActive(state, session, packet, nowMs);
    else onDialogue(state, session, packet, nowMs);
    schedule(state, session);
  }
}

// §6.12: who is not known is told so once, to connect again. Answers of nobody's requests get none.
function onStranger(state: State, peer: string, packet: Packet, nowMs: number): void {
  switch (packet.type) {
    case "REGISTER":
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
    case "WILLTOPICUPD":
    case "WILLMSGUPD":
    case "PUBLISH":
    case "PUBREL":
    case "PINGREQ":
    case "DISCONNECT":
      tellStranger(state, peer, nowMs);
      return;
    default:
      countUseless(state, packet);
  }
}

function tellStranger(state: State, peer: string, nowMs: number): void {
  if (state.admission.disconnect(peer, nowMs)) {
    state.counters.strangersAnswered++;
    send(state, peer, { type: "DISCONNECT" });
  } else {
    state.counters.strangersLimited++;
  }
}

function countUseless(state: State, packet: Packet): void {
  switch (packet.type) {
    case "ADVERTISE":
    case "GWINFO":
    case "CONNACK":
    case "WILLTOPICREQ":
    case "WILLMSGREQ":
    case "SUBACK":
    case "UNSUBACK":
    case "WILLTOPICRESP":
    case "WILLMSGRESP":
    case "FORWARDER":
      state.counters.unsupported++;
      return;
    default:
      state.counters.unexpected++;
  }
}

function onDialogue(state: State, session: Session, packet: Packet, nowMs: number): void {
  const asked = session.state === "will-topic" || session.state === "will-message";
  if (packet.type === "DISCONNECT") {
    onDisconnect(state, session);
    state.counters.disconnects++;
    send(state, session.peer, { type: "DISCONNECT" });
  } else if (packet.type === "WILLTOPIC" && asked) {
    onWillTopic(state, session, packet, nowMs);
  } else if (packet.type === "WILLMSG" && session.state === "will-message") {
    onWillMessage(state, session, packet.willMsg, nowMs);
  } else {
    countUseless(state, packet);
  }
}

function onActive(state: State, session: Session, packet: Packet, nowMs: number): void {
  // Nothing but the will was heard since CONNACK: it was lost on the way.
  if (packet.type === "WILLMSG" && session.greeted && session.hasWill) {
    greet(state, session);
    return;
  }
  session.greeted = false;
  clientHeard(session, nowMs);
  serve(state, session, packet, nowMs);
  if (session.state === "active") resumeDownlink(state, session, nowMs);
}

// A table of types.
function serve(state: State, session: Session, packet: Packet, nowMs: number): void {
  const { peer } = session;
  switch (packet.type) {
    case "PUBLISH":
      onPublish(state, session, packet, nowMs);
      return;
    case "PUBACK":
      if (!onPuback(state, session, packet, nowMs)) state.counters.unexpected++;
      return;
    case "REGISTER":
      onRegister(state, session, packet);
      return;
    case "REGACK":
      if (!onRegack(state, session, packet, nowMs)) state.counters.unexpected++;
      return;
    case "SUBSCRIBE":
      onSubscribe(state, session, packet);
      return;
    case "UNSUBSCRIBE":
      onUnsubscribe(state, session, packet);
      return;
    case "PINGREQ":
      onPing(state, session, packet.clientId, nowMs);
      return;
    case "PINGRESP":
      return; // it was heard, that is all
    case "DISCONNECT":
      if (packet.duration !== undefined && packet.duration > 0) state.counters.sleepRefused++;
      state.counters.disconnects++;
      onDisconnect(state, session);
      send(state, peer, { type: "DISCONNECT" });
      return;
    case "PUBREL": // of a QoS 2 exchange that this gateway never began: it is over
      send(state, peer, { type: "PUBCOMP", msgId: packet.msgId });
      return;
    case "PUBREC":
      send(state, peer, { type: "PUBREL", msgId: packet.msgId });
      return;
    case "WILLTOPICUPD":
      state.counters.willUpdatesRefused++;
      send(state, peer, { type: "WILLTOPICRESP", returnCode: RETURN_NOT_SUPPORTED });
      return;
    case "WILLMSGUPD":
      state.counters.willUpdatesRefused++;
      send(state, peer, { type: "WILLMSGRESP", returnCode: RETURN_NOT_SUPPORTED });
      return;
    default:
      countUseless(state, packet);
  }
}

// A ping with another client's id is a stranger's: this gateway has no sleeping clients.
function onPing(state: State, session: Session, clientId: Uint8Array, nowMs: number): void {
  const named = clientId.length > 0;
  const text = named ? decodeClientId(clientId, clientId.length) : session.clientId;
  if (text === session.clientId) send(state, session.peer, { type: "PINGRESP" });
  else tellStranger(state, session.peer, nowMs);
}

function onBrokerBytes(state: State, connection: number, bytes: Uint8Array, nowMs: number): void {
  const session = state.links.get(connection);
  if (session === undefined) return;
  const packets = session.link.decoder.push(bytes);
  if (packets === undefined) {
    state.counters.brokerMalformed++;
    loseLink(state, session, nowMs);
    schedule(state, session);
    return;
  }
  for (const packet of packets) {
    if (session.link.connection !== connection) break; // the packet before ended it
    onBrokerPacket(state, session, packet, nowMs);
  }
  if (session.state === "active") pumpDownlink(state, session, nowMs);
  schedule(state, session);
}

function poll(state: State, nowMs: number): number {
  for (;;) {
    const session = state.deadlines[0];
    if (session === undefined || session.dueMs > nowMs) break;
    runSession(state, session, nowMs);
    if (session.state !== "ended") moveDeadline(state.deadlines, session, sessionDueMs(session));
  }
  advertise(state, nowMs);
  return Math.min(state.deadlines[0]?.dueMs ?? Infinity, state.advertiseDueMs);
}

function runSession(state: State, session: Session, nowMs: number): void {
  if (nowMs >= silentUntilMs(session)) {
    lose(state, session);
    return;
  }
  if (session.state === "will-topic" || session.state === "will-message") {
    runDialogue(state, session, nowMs);
    return;
  }
  if (session.state === "active") runDownlink(state, session, nowMs);
  if (!runLink(state, session, nowMs)) loseLink(state, session, nowMs);
}

// §6.1: only while the broker can be reached, as far as this gateway knows.
function advertise(state: State, nowMs: number): void {
  const { group, gatewayId } = state.config;
  if (group === undefined || nowMs < state.advertiseDueMs) return;
  state.advertiseDueMs = nowMs + ADVERTISE_PERIOD_MS;
  if (state.clients.size > 0 && state.links.size === 0) return;
  const duration = ADVERTISE_PERIOD_MS / 1000;
  send(state, group, { type: "ADVERTISE", gwId: gatewayId, duration });
}
