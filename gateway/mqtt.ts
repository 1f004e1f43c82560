// SPDX-License-Identifier: MIT
// The broker's language: MQTT 3.1.1 through mqtt-packet, whose types end here.
//
// Spec: MQTT 3.1.1 §2, §3. Octets of a stream in, packets out; what a client never receives, a packet
// above BROKER_PACKET_BYTES_MAX and anything malformed end the stream. Nothing is thrown.

import { generate, parser, type Packet as AnyPacket, type Parser } from "mqtt-packet";
import { BROKER_PACKET_BYTES_MAX } from "./limits.ts";

export type MqttQos = 0 | 1 | 2;

export interface BrokerPublish {
  kind: "publish";
  topic: string;
  payload: Uint8Array; // a view, valid until the next octets come
  qos: MqttQos;
  retain: boolean;
  dup: boolean;
  packetId: number; // 0 at QoS 0
}

/** What a broker says to a client. */
export type BrokerPacket =
  | { kind: "connack"; returnCode: number; sessionPresent: boolean }
  | BrokerPublish
  | { kind: "puback" | "unsuback" | "pubrel"; packetId: number }
  | { kind: "suback"; packetId: number; granted: number } // of the first filter; 0x80: refused
  | { kind: "pingresp" };

export interface Will {
  topic: string;
  payload: Uint8Array;
  qos: MqttQos;
  retain: boolean;
}

export interface BrokerDecoder {
  /** Packets that `bytes` completed, oldest first; undefined: the stream is no MQTT for us. */
  push(bytes: Uint8Array): BrokerPacket[] | undefined;
}

/** A decoder of one stream. */
export function createBrokerDecoder(): BrokerDecoder {
  const stream: Parser = parser({ protocolVersion: 4 });
  let packets: BrokerPacket[] = [];
  let broken = false;
  stream.on("packet", (packet: AnyPacket) => {
    const known = fromBroker(packet);
    if (known === undefined) broken = true;
    else packets.push(known);
  });
  stream.on("error", () => {
    broken = true;
  });
  return {
    push(bytes) {
      if (broken) return undefined;
      packets = [];
      try {
        const pending = stream.parse(asBuffer(bytes));
        if (pending > BROKER_PACKET_BYTES_MAX) broken = true;
      } catch {
        broken = true; // the parser reads past the end of some short packets
      }
      return broken ? undefined : packets;
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  // The parser keeps unfinished packets, and `bytes` are ours during the call only.
  return Buffer.from(bytes);
}

function fromBroker(packet: AnyPacket): BrokerPacket | undefined {
  const packetId = packet.messageId ?? 0;
  // The parser gives -1 for a packet that is too short for its id.
  if (packetId < 1 && needsPacketId(packet)) return undefined;
  switch (packet.cmd) {
    case "publish":
      return {
        kind: "publish",
        topic: packet.topic,
        payload: packet.payload as Buffer,
        qos: packet.qos,
        retain: packet.retain,
        dup: packet.dup,
        packetId,
      };
    case "puback":
    case "unsuback":
    case "pubrel":
      return { kind: packet.cmd, packetId };
    case "suback":
      return { kind: "suback", packetId, granted: Number(packet.granted[0] ?? 0x80) };
    case "connack":
      return {
        kind: "connack",
        returnCode: packet.returnCode ?? 0xff,
        sessionPresent: packet.sessionPresent,
      };
    case "pingresp":
      return { kind: "pingresp" };
    default:
      return undefined;
  }
}

function needsPacketId(packet: AnyPacket): boolean {
  const { cmd } = packet;
  return cmd === "publish" ? packet.qos > 0 : !cmd.startsWith("conn") && !cmd.startsWith("ping");
}

/** CONNECT of one client. */
export function encodeConnect(
  clientId: string,
  clean: boolean,
  keepAliveS: number,
  will: Will | undefined,
): Uint8Array {
  return generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId,
    clean,
    keepalive: keepAliveS,
    ...(will !== undefined && { will: { ...will, payload: Buffer.from(will.payload) } }),
  });
}

/** PUBLISH; `packetId` 0 at QoS 0. */
export function encodePublish(message: Omit<BrokerPublish, "kind">): Uint8Array {
  const { topic, payload, qos, retain, dup, packetId } = message;
  return generate({
    cmd: "publish",
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length),
    qos,
    retain,
    dup,
    messageId: packetId,
  });
}

/** SUBSCRIBE to some filters. */
export function encodeSubscribe(
  packetId: number,
  subscriptions: readonly { topic: string; qos: MqttQos }[],
): Uint8Array {
  return generate({
    cmd: "subscribe",
    messageId: packetId,
    subscriptions: [...subscriptions],
  });
}

/** UNSUBSCRIBE from one filter. */
export function encodeUnsubscribe(packetId: number, filter: string): Uint8Array {
  return generate({ cmd: "unsubscribe", messageId: packetId, unsubscriptions: [filter] });
}

/** An acknowledgement of something that the broker sent. */
export function encodeAcknowledgement(
  kind: "puback" | "pubrec" | "pubcomp",
  packetId: number,
): Uint8Array {
  return generate({ cmd: kind, messageId: packetId });
}

/** PINGREQ. */
export function encodePing(): Uint8Array {
  return generate({ cmd: "pingreq" });
}

/** DISCONNECT: the broker forgets the will. */
export function encodeDisconnect(): Uint8Array {
  return generate({ cmd: "disconnect" });
}
