// SPDX-License-Identifier: MIT
// What the broker's side brings: packets, streams that open and streams that end.
//
// Spec: MQTT 3.1.1 §3; MQTT-SN 1.2 §6.9 (SUBACK before retained messages). After a reconnection the
// subscriptions are made again, and a will that the broker published although its client lives is
// taken back: the last retained message on the will's topic is published again.

import { RETURN_CONGESTION } from "../firmware/wire/mqttsn.ts";
import { dismiss, fail, onBrokerConnack } from "./connect.ts";
import { downlinkLost, offerDelivery, pumpDownlink } from "./downlink.ts";
import {
  closeLink,
  linkAlive,
  linkReady,
  planReconnection,
  takePacketId,
  writeLink,
} from "./link.ts";
import {
  type BrokerPacket,
  encodeAcknowledgement,
  encodePublish,
  encodeSubscribe,
} from "./mqtt.ts";
import type { Core, Exchange, Session } from "./session.ts";
import { onBrokerPuback, onBrokerSuback, onBrokerUnsuback } from "./uplink.ts";

const MQTT_SERVER_UNAVAILABLE = 3;
const OWN_EXCHANGE: Exchange = {
  kind: "own",
  msgId: 0,
  topicIdType: "normal",
  topicId: 0,
  data: new Uint8Array(0),
  subscription: undefined,
};

/** One packet of the broker. */
export function onBrokerPacket(
  core: Core,
  session: Session,
  packet: BrokerPacket,
  nowMs: number,
): void {
  switch (packet.kind) {
    case "publish":
      offerDelivery(core, session, packet);
      return;
    case "puback":
      onBrokerPuback(core, session, packet.packetId);
      return;
    case "suback":
      onBrokerSuback(core, session, packet.packetId, packet.granted);
      return;
    case "unsuback":
      onBrokerUnsuback(core, session, packet.packetId);
      return;
    case "pingresp":
      linkAlive(session, nowMs);
      return;
    case "pubrel": // of a QoS 2 message that was subscribed elsewhere under this client id
      writeLink(core, session, encodeAcknowledgement("pubcomp", packet.packetId));
      return;
    case "connack":
      onConnack(core, session, packet, nowMs);
  }
}

function onConnack(
  core: Core,
  session: Session,
  packet: Extract<BrokerPacket, { kind: "connack" }>,
  nowMs: number,
): void {
  if (session.link.state !== "connecting") return;
  if (session.state === "opening") {
    if (packet.returnCode === 0) linkReady(core, session, nowMs);
    onBrokerConnack(core, session, packet.returnCode, nowMs);
    if (packet.returnCode === 0 && !packet.sessionPresent) subscribeAgain(core, session);
    return;
  }
  if (packet.returnCode === 0) {
    linkReady(core, session, nowMs);
    if (!packet.sessionPresent) subscribeAgain(core, session);
    restoreWillState(core, session);
  } else if (packet.returnCode === MQTT_SERVER_UNAVAILABLE) {
    loseLink(core, session, nowMs);
  } else {
    dismiss(core, session);
  }
}

function subscribeAgain(core: Core, session: Session): void {
  if (session.subscriptions.size === 0) return;
  const packetId = takePacketId(session, 0);
  session.uplink.set(packetId, OWN_EXCHANGE);
  const filters = [...session.subscriptions.values()].map(({ filter, qos }) => ({
    topic: filter,
    qos,
  }));
  writeLink(core, session, encodeSubscribe(packetId, filters));
}

function restoreWillState(core: Core, session: Session): void {
  const { will, willState: payload } = session;
  if (will === undefined || payload === undefined || !will.retain) return;
  const packetId = takePacketId(session, 0);
  session.uplink.set(packetId, OWN_EXCHANGE);
  core.counters.willsRestored++;
  const { topic } = will;
  writeLink(
    core,
    session,
    encodePublish({ topic, payload, qos: 1, retain: true, dup: false, packetId }),
  );
}

/** The connection is lost or given up. A waiting client is refused, a served one keeps its session. */
export function loseLink(core: Core, session: Session, nowMs: number): void {
  const wasReady = session.link.state === "ready";
  core.counters.brokerFailures++;
  closeLink(core, session, false);
  if (session.state === "opening") {
    fail(core, session, RETURN_CONGESTION);
  } else if (session.state === "active") {
    downlinkLost(session);
    planReconnection(core, session, wasReady, nowMs);
    pumpDownlink(core, session, nowMs); // what waited for a SUBACK that will not come
  }
}
