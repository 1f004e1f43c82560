// SPDX-License-Identifier: MIT
// A gateway core between scripted clients and a scripted broker, virtual time.
//
// The broker answers by itself unless a test takes that from it. Octets to the core lie in a buffer that
// is wiped after each call, so a core that keeps a view instead of a copy shows at once.

import { generate, parser, type Packet as BrokerPacket } from "mqtt-packet";
import {
  createGateway,
  type Gateway,
  type GatewayConfig,
  type GatewayPorts,
} from "../../gateway/gateway.ts";
import { encode } from "../../gateway/encode.ts";
import { decode, type Packet } from "../../gateway/packet.ts";

export const WALL_START_MS = 1_767_225_600_000; // 2026-01-01T00:00Z

export interface Stream {
  readonly connection: number;
  open: boolean; // false: the core closed it
  readonly got: BrokerPacket[]; // from the core, oldest first
}

/** What the broker answers by itself. */
export interface Habits {
  opens: boolean;
  connack: number | undefined; // the return code
  sessionPresent: boolean;
  puback: boolean;
  suback: number | undefined; // the granted QoS
  unsuback: boolean;
  pingresp: boolean;
}

export interface Recorded {
  readonly peer: string;
  readonly sent: boolean; // by the gateway
  readonly bytes: Uint8Array;
}

export interface Rig {
  readonly gateway: Gateway;
  readonly recorded: Recorded[]; // all datagrams, oldest first
  readonly habits: Habits;
  readonly streams: Stream[];
  nowMs(): number;
  /** A client says something; what the gateway does at once is done when it returns. */
  say(peer: string, packet: Packet): void;
  sayBytes(peer: string, bytes: Uint8Array): void;
  /** What a peer was sent since the last look. */
  heard(peer: string): Packet[];
  /** The newest stream. */
  stream(): Stream;
  /** Packets of one command that the broker got on the newest stream. */
  got<Command extends BrokerPacket["cmd"]>(cmd: Command): Extract<BrokerPacket, { cmd: Command }>[];
  /** The broker says something on the newest stream. */
  brokerSays(packet: BrokerPacket): void;
  brokerSaysBytes(bytes: Uint8Array): void;
  /** The newest stream ends by itself. */
  brokerHangsUp(): void;
  /** Lets time pass; the core is polled at each deadline. */
  pass(ms: number): void;
  count(name: string): number;
}

/** A rig with an empty gateway. */
export function createRig(
  config: Partial<GatewayConfig> = {},
  morePorts: Partial<GatewayPorts> = {},
): Rig {
  const clock = { nowMs: 1000, dueMs: Infinity };
  const inboxes = new Map<string, Packet[]>();
  const recorded: Recorded[] = [];
  const broker = createScriptedBroker();
  const gateway: Gateway = createGateway(
    { gatewayId: 1, seed: 7, wallMs: (now) => WALL_START_MS + now, ...config },
    { sendDatagram, ...broker.ports, ...morePorts },
  );

  function sendDatagram(peer: string, bytes: Uint8Array): void {
    recorded.push({ peer, sent: true, bytes: Uint8Array.from(bytes) });
    receive(inboxes, peer, bytes);
  }
  function settle(): void {
    while (broker.actions.length > 0) broker.actions.shift()!(gateway, clock.nowMs);
    clock.dueMs = gateway.poll(clock.nowMs);
    if (broker.actions.length > 0) settle();
  }
  const newest = (): Stream => broker.streams[broker.streams.length - 1]!;
  const then = (action: (nowMs: number) => void): void => {
    action(clock.nowMs);
    settle();
  };
  const hear = (peer: string, octets: Uint8Array): void => {
    recorded.push({ peer, sent: false, bytes: octets });
    then((nowMs) => lend(octets, (bytes) => gateway.datagram(peer, bytes, nowMs)));
  };
  const hearBroker = (octets: Uint8Array): void =>
    then((now) => lend(octets, (bytes) => gateway.brokerBytes(newest().connection, bytes, now)));

  return {
    gateway,
    recorded,
    habits: broker.habits,
    streams: broker.streams,
    nowMs: () => clock.nowMs,
    say: (peer, packet) => hear(peer, encode(packet)),
    sayBytes: hear,
    heard: (peer) => take(inboxes, peer),
    stream: newest,
    got: (cmd) => newest().got.filter((packet) => packet.cmd === cmd) as never,
    brokerSays: (packet) => hearBroker(generate(packet)),
    brokerSaysBytes: hearBroker,
    brokerHangsUp() {
      const stream = newest();
      stream.open = false;
      then((nowMs) => gateway.brokerClosed(stream.connection, nowMs));
    },
    pass: (ms) => pass(clock, ms, settle),
    count: (name) => countOf(gateway, name),
  };
}

function countOf(gateway: Gateway, name: string): number {
  const value = gateway.counters()[name];
  if (value === undefined) throw new Error(`there is no counter ${name}`);
  return value;
}

// Octets of the core or for the core are gone after the call.
function lend(octets: Uint8Array, use: (view: Uint8Array) => void): void {
  const view = Uint8Array.from(octets);
  use(view);
  view.fill(0xaa);
}

function receive(inboxes: Map<string, Packet[]>, peer: string, bytes: Uint8Array): void {
  const packet = decode(Uint8Array.from(bytes));
  if (typeof packet === "string") throw new Error(`the gateway sent a bad packet: ${packet}`);
  inboxes.set(peer, [...(inboxes.get(peer) ?? []), packet]);
}

function take(inboxes: Map<string, Packet[]>, peer: string): Packet[] {
  const packets = inboxes.get(peer) ?? [];
  inboxes.delete(peer);
  return packets;
}

function pass(clock: { nowMs: number; dueMs: number }, ms: number, settle: () => void): void {
  const endMs = clock.nowMs + ms;
  settle();
  for (let turn = 0; clock.dueMs <= endMs; turn++) {
    if (turn > 100_000) throw new Error(`the deadline stays at ${clock.dueMs}`);
    clock.nowMs = Math.max(clock.nowMs, clock.dueMs);
    settle();
  }
  clock.nowMs = endMs;
  settle();
}

interface ScriptedBroker {
  readonly ports: Omit<GatewayPorts, "sendDatagram">;
  readonly streams: Stream[];
  readonly habits: Habits;
  /** What it does once the core has returned. */
  readonly actions: ((gateway: Gateway, nowMs: number) => void)[];
}

function createScriptedBroker(): ScriptedBroker {
  const streams: Stream[] = [];
  const parsers = new Map<number, ReturnType<typeof parser>>();
  const actions: ScriptedBroker["actions"] = [];
  const habits = { ...FRIENDLY };
  const find = (connection: number): Stream | undefined =>
    streams.find((stream) => stream.connection === connection && stream.open);

  function answer(stream: Stream, packet: BrokerPacket): void {
    stream.got.push(packet);
    const reply = habitual(habits, packet);
    if (reply === undefined) return;
    actions.push((gateway, nowMs) => {
      if (!stream.open) return;
      lend(generate(reply), (bytes) => gateway.brokerBytes(stream.connection, bytes, nowMs));
    });
  }

  const ports = {
    openBroker(connection: number) {
      const stream: Stream = { connection, open: true, got: [] };
      streams.push(stream);
      const incoming = parser({ protocolVersion: 4 });
      incoming.on("packet", (packet) => answer(stream, packet));
      incoming.on("error", (error: Error) => {
        throw error;
      });
      parsers.set(connection, incoming);
      if (!habits.opens) return;
      actions.push((gateway, nowMs) => stream.open && gateway.brokerOpened(connection, nowMs));
    },
    writeBroker(connection: number, bytes: Uint8Array) {
      if (find(connection) === undefined) throw new Error(`octets for closed ${connection}`);
      parsers.get(connection)!.parse(Buffer.from(bytes));
    },
    closeBroker(connection: number) {
      const stream = find(connection);
      if (stream === undefined) throw new Error(`stream ${connection} is closed twice`);
      stream.open = false;
    },
  };
  return { ports, streams, habits, actions };
}

const FRIENDLY: Habits = {
  opens: true,
  connack: 0,
  sessionPresent: false,
  puback: true,
  suback: 1,
  unsuback: true,
  pingresp: true,
};

function habitual(habits: Habits, packet: BrokerPacket): BrokerPacket | undefined {
  switch (packet.cmd) {
    case "connect": {
      const { connack: returnCode, sessionPresent } = habits;
      return returnCode === undefined ? undefined : { cmd: "connack", returnCode, sessionPresent };
    }
    case "publish":
      if (packet.qos !== 1 || !habits.puback) return undefined;
      return { cmd: "puback", messageId: packet.messageId! };
    case "subscribe": {
      if (habits.suback === undefined) return undefined;
      const granted = packet.subscriptions.map(() => habits.suback!);
      return { cmd: "suback", messageId: packet.messageId!, granted };
    }
    case "unsubscribe":
      if (!habits.unsuback) return undefined;
      return { cmd: "unsuback", messageId: packet.messageId!, granted: [] };
    case "pingreq":
      return habits.pingresp ? { cmd: "pingresp" } : undefined;
    default:
      return undefined;
  }
}
