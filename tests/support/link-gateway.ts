// SPDX-License-Identifier: MIT
// A scripted MQTT-SN gateway: answers by the book, or as the script says.
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

interface Inside {
  gateway: ScriptedGateway;
  host: LinkHost;
  topics: Map<string, number>;
  nextId: number;
  ups: number;
  codes: Map<string, number>;
}

type Handlers = Record<string, (body: Uint8Array, atMs: number) => void>;

/** Puts a gateway at the other end of the host's datagrams. */
export function createScriptedGateway(host: LinkHost, script: GatewayScript = {}): ScriptedGateway {
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
    topicId: (suffix) => inside.topics.get(`ferrule/${gateway.clientId}/${suffix}`) ?? 0,
  };
  const inside: Inside = {
    gateway,
    host,
    topics: new Map(),
    nextId: 0x101,
    ups: 0,
    codes: new Map(),
  };
  const handlers = { ...connecting(inside), ...active(inside) };
  const before = host.onSend;
  host.onSend = (datagram) => {
    before?.(datagram);
    hear(inside, handlers, datagram);
  };
  return gateway;
}

// The node's datagram reaches the gateway at once; the delay of both ways is on the answer.
function hear(inside: Inside, handlers: Handlers, { peer, bytes, atMs }: SentDatagram): void {
  const { gateway } = inside;
  if (peer !== (gateway.script.peer ?? 1) && peer !== 0) return;
  inside.ups++;
  const { type, body } = open(bytes);
  const name = NAMES[type] ?? "unknown";
  gateway.heard.push({ type: name, bytes, atMs });
  if (gateway.script.dead || gateway.script.loseUp?.(inside.ups)) return;
  const isStranger = !gateway.connected && /REGISTER|SUBSCRIBE|PUBLISH|PINGREQ/.test(name);
  if (isStranger) gateway.say(packet(0x18));
  else handlers[name]?.(body, atMs);
}

function nextCode({ gateway, codes }: Inside, type: string): number {
  const index = (codes.get(type) ?? 0) + 1;
  codes.set(type, index);
  return gateway.script.code?.(type, index) ?? 0;
}

function idOf(inside: Inside, name: string): number {
  if (!inside.topics.has(name)) inside.topics.set(name, inside.nextId++);
  return inside.topics.get(name)!;
}

function connecting(inside: Inside): Handlers {
  const { gateway } = inside;
  return {
    SEARCHGW: () => gateway.say(packet(0x02, 7)),
    CONNECT(body) {
      inside.topics = new Map();
      gateway.connected = false;
      gateway.keepAliveS = be16(body, 2);
      gateway.clientId = ascii(body.subarray(4));
      assert.equal(body[1], 1, "ProtocolId");
      assert.equal(body[0], 0x0c, "will and clean session");
      const refused = nextCode(inside, "CONNACK");
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
  };
}

function active(inside: Inside): Handlers {
  const { gateway } = inside;
  return {
    REGISTER(body) {
      const answer = nextCode(inside, "REGACK");
      const id = answer === 0 ? idOf(inside, ascii(body.subarray(4))) : 0;
      gateway.say(packet(0x0b, ...u16(id), body[2]!, body[3]!, answer));
    },
    SUBSCRIBE(body) {
      const answer = nextCode(inside, "SUBACK");
      const id = answer === 0 ? idOf(inside, ascii(body.subarray(3))) : 0;
      gateway.say(packet(0x13, 0, ...u16(id), body[1]!, body[2]!, answer));
    },
    PUBLISH: (body, atMs) => takePublish(inside, body, atMs),
    PINGREQ: () => gateway.say(packet(0x17)),
  };
}

function takePublish(inside: Inside, body: Uint8Array, atMs: number): void {
  const { gateway, topics } = inside;
  const flags = body[0]!;
  const qos = (flags >> 5) & 3;
  const id = be16(body, 1);
  const name = [...topics].find(([, value]) => value === id)?.[0];
  const puback = (answer: number): void =>
    gateway.say(packet(0x0d, body[1]!, body[2]!, body[3]!, body[4]!, answer));
  if (name === undefined) return puback(2);
  const topic = name.split("/").slice(2).join("/");
  if (topic === "time/get") return answerTime(inside, body.subarray(5));
  const answer = qos === 1 ? nextCode(inside, "PUBACK") : 0;
  gateway.publications.push({
    atMs,
    topic,
    qos,
    retain: (flags & 0x10) !== 0,
    dup: (flags & 0x80) !== 0,
    msgId: be16(body, 3),
    payload: body.slice(5),
    accepted: answer === 0,
  });
  if (qos === 1) puback(answer);
}

function answerTime({ gateway, host }: Inside, token: Uint8Array): void {
  const wallMs = gateway.script.wallMs?.(host.nowMs);
  const id = gateway.topicId("time");
  if (wallMs === undefined || id === 0) return;
  gateway.say(packet(0x0c, 0, ...u16(id), 0, 0, ...timeAnswer(token, wallMs)));
}
