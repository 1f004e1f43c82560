// SPDX-License-Identifier: MIT
// A scripted MQTT-SN gateway for tests of link: answers by the book, or as the script says.
//
// A third, tiny codec: it shares nothing with the firmware's or the gateway's. All that a node published
// and the gateway accepted is kept. Faults are functions of the number of a datagram, so they repeat.

import assert from "node:assert/strict";
import type { LinkHost, SentDatagram } from "./link-host.ts";

export interface Publication {
  atMs: number;
  topic: string; // without ferrule/<node id>/
  qos: number;
  retain: boolean;
  dup: boolean;
  msgId: number;
  payload: Uint8Array;
  accepted: boolean;
}

export interface Delivery {
  bytes: Uint8Array;
  afterMs: number;
}

export interface GatewayScript {
  peer?: number; // whose datagrams these are; 1
  delayMs?: number; // each way
  wallMs?: (nowMs: number) => number | undefined; // undefined: no answer
  /** Return code for the n-th answer of a type (1 the first); undefined: accepted. */
  code?: (type: string, index: number) => number | undefined;
  /** What becomes of the n-th datagram to the node (1 the first); undefined: it arrives. */
  down?: (index: number, bytes: Uint8Array) => Delivery[] | undefined;
  /** True: the n-th datagram of the node is lost. */
  loseUp?: (index: number) => boolean;
  dead?: boolean; // hears and says nothing
  withoutTime?: boolean;
}

export interface ScriptedGateway {
  script: GatewayScript;
  publications: Publication[];
  heard: { type: string; bytes: Uint8Array; atMs: number }[];
  said: number; // datagrams to the node so far
  connects: number;
  connected: boolean;
  will: { topic: string; message: string; flags: number } | undefined;
  clientId: string;
  keepAliveS: number;
  say(bytes: Uint8Array): void;
  topicId(suffix: string): number;
}

const NAMES: Record<number, string> = {
  0x01: "SEARCHGW",
  0x04: "CONNECT",
  0x07: "WILLTOPIC",
  0x09: "WILLMSG",
  0x0a: "REGISTER",
  0x0b: "REGACK",
  0x0c: "PUBLISH",
  0x0d: "PUBACK",
  0x12: "SUBSCRIBE",
  0x16: "PINGREQ",
  0x17: "PINGRESP",
  0x18: "DISCONNECT",
};

export function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** An MQTT-SN packet with the shortest Length. */
export function packet(type: number, ...body: number[]): Uint8Array {
  const short = body.length + 2;
  return Uint8Array.from(
    short <= 255 ? [short, type, ...body] : [1, ...u16(short + 2), type, ...body],
  );
}

/** Type and body of a packet; throws when Length does not fit or is not the shortest. */
export function open(bytes: Uint8Array): { type: number; body: Uint8Array } {
  const long = bytes[0] === 1;
  const length = long ? bytes[1]! * 256 + bytes[2]! : bytes[0]!;
  assert.equal(length, bytes.length, "Length is the datagram");
  if (long) assert.ok(length > 255, "the shortest Length");
  const header = long ? 4 : 2;
  return { type: bytes[header - 1]!, body: bytes.subarray(header) };
}

const be16 = (body: Uint8Array, at: number): number => body[at]! * 256 + body[at + 1]!;
const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** CBOR of the time answer: `[token, ms]`. */
export function timeAnswer(token: Uint8Array, wallMs: number): number[] {
  const ms = Buffer.alloc(9);
  ms[0] = 0x1b;
  ms.writeBigUInt64BE(BigInt(Math.round(wallMs)), 1);
  return [0x82, ...token, ...ms];
}

/** Puts a gateway at the other end of the host's datagrams. */
export function createScriptedGateway(host: LinkHost, script: GatewayScript = {}): ScriptedGateway {
  const codes = new Map<string, number>();
  let topics = new Map<string, number>();
  let nextId = 0x101;
  let ups = 0;

  const code = (type: string): number => {
    const index = (codes.get(type) ?? 0) + 1;
    codes.set(type, index);
    return gateway.script.code?.(type, index) ?? 0;
  };
  const idOf = (name: string): number => {
    if (!topics.has(name)) topics.set(name, nextId++);
    return topics.get(name)!;
  };
  const nameOf = (id: number): string | undefined =>
    [...topics].find(([, value]) => value === id)?.[0];

  const handlers: Record<string, (body: Uint8Array, atMs: number) => void> = {
    SEARCHGW: () => gateway.say(packet(0x02, 7)),
    CONNECT(body) {
      topics = new Map();
      gateway.connected = false;
      gateway.keepAliveS = be16(body, 2);
      gateway.clientId = ascii(body.subarray(4));
      assert.equal(body[1], 1, "ProtocolId");
      assert.equal(body[0], 0x0c, "will and clean session");
      const refused = code("CONNACK");
      gateway.say(refused === 0 ? packet(0x06) : packet(0x05, refused));
    },
    WILLTOPIC(body) {
      if (gateway.connected) return;
      gateway.will = { topic: ascii(body.subarray(1)), message: "", flags: body[0]! };
      gateway.say(packet(0x08));
    },
    WILLMSG(body) {
      if (gateway.connected || gateway.will === undefined) return;
      gateway.will.message = ascii(body);
      gateway.connected = true;
      gateway.connects++;
      gateway.say(packet(0x05, 0));
    },
    REGISTER(body) {
      const answer = code("REGACK");
      const id = answer === 0 ? idOf(ascii(body.subarray(4))) : 0;
      gateway.say(packet(0x0b, ...u16(id), body[2]!, body[3]!, answer));
    },
    SUBSCRIBE(body) {
      const answer = code("SUBACK");
      const id = answer === 0 ? idOf(ascii(body.subarray(3))) : 0;
      gateway.say(packet(0x13, 0, ...u16(id), body[1]!, body[2]!, answer));
    },
    PUBLISH: (body, atMs) => takePublish(body, atMs),
    PINGREQ: () => gateway.say(packet(0x17)),
  };

  function takePublish(body: Uint8Array, atMs: number): void {
    const flags = body[0]!;
    const qos = (flags >> 5) & 3;
    const msgId = be16(body, 3);
    const name = nameOf(be16(body, 1));
    const puback = (answer: number): void =>
      gateway.say(packet(0x0d, body[1]!, body[2]!, body[3]!, body[4]!, answer));
    if (name === undefined) return puback(2);
    const answer = qos === 1 ? code("PUBACK") : 0;
    const topic = name.split("/").slice(2).join("/");
    if (topic === "time/get") return answerTime(body.subarray(5));
    const payload = body.slice(5);
    const dup = (flags & 0x80) !== 0;
    const retain = (flags & 0x10) !== 0;
    gateway.publications.push({
      atMs,
      topic,
      qos,
      retain,
      dup,
      msgId,
      payload,
      accepted: answer === 0,
    });
    if (qos === 1) puback(answer);
  }

  function answerTime(token: Uint8Array): void {
    const wallMs = (gateway.script.wallMs ?? (() => undefined))(host.nowMs);
    const id = topics.get(`ferrule/${gateway.clientId}/time`);
    if (wallMs === undefined || id === undefined) return;
    gateway.say(packet(0x0c, 0, ...u16(id), 0, 0, ...timeAnswer(token, wallMs)));
  }

  // The node's datagram reaches the gateway at once; the delay of both ways is on the answer.
  function hear({ peer, bytes, atMs }: SentDatagram): void {
    ups++;
    const { type, body } = open(bytes);
    const name = NAMES[type] ?? "unknown";
    gateway.heard.push({ type: name, bytes, atMs });
    const isMine = peer === (gateway.script.peer ?? 1) || peer === 0;
    if (gateway.script.dead || !isMine || gateway.script.loseUp?.(ups)) return;
    const isStranger = !gateway.connected && /REGISTER|SUBSCRIBE|PUBLISH|PINGREQ/.test(name);
    if (isStranger) gateway.say(packet(0x18));
    else handlers[name]?.(body, atMs);
  }

  const gateway: ScriptedGateway = {
    script,
    publications: [],
    heard: [],
    said: 0,
    connects: 0,
    connected: false,
    will: undefined,
    clientId: "",
    keepAliveS: 0,
    say(bytes) {
      gateway.said++;
      const delayMs = gateway.script.delayMs ?? 4;
      const deliveries = gateway.script.down?.(gateway.said, bytes) ?? [{ bytes, afterMs: 0 }];
      for (const { bytes: octets, afterMs } of deliveries)
        host.deliver(gateway.script.peer ?? 1, octets, delayMs + afterMs);
    },
    topicId: (suffix) => topics.get(`ferrule/${gateway.clientId}/${suffix}`) ?? 0,
  };
  host.onSend = hear;
  return gateway;
}
