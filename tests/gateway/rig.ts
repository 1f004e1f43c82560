// SPDX-License-Identifier: MIT
// A gateway core between scripted clients and a scripted byte broker, in virtual time.
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

export interface Rig {
  readonly gateway: Gateway;
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
  brokerOpens(): void;
  /** Lets time pass; the core is polled at each deadline. */
  pass(ms: number): void;
  count(name: string): number;
}

/** A rig with an empty gateway. */
export function createRig(
  config: Partial<GatewayConfig> = {},
  morePorts: Partial<GatewayPorts> = {},
): Rig {
  let nowMs = 1000;
  let dueMs = Infinity;
  const inboxes = new Map<string, Packet[]>();
  const streams: Stream[] = [];
  const parsers = new Map<number, ReturnType<typeof parser>>();
  const actions: (() => void)[] = []; // what the broker does when the core has returned
  const habits: Habits = {
    opens: true,
    connack: 0,
    sessionPresent: false,
    puback: true,
    suback: 1,
    unsuback: true,
    pingresp: true,
  };

  function lend(bytes: Uint8Array, use: (view: Uint8Array) => void): void {
    const view = Uint8Array.from(bytes);
    use(view);
    view.fill(0xaa);
  }

  function settle(): void {
    for (let action = actions.shift(); action !== undefined; action = actions.shift()) action();
    dueMs = gateway.poll(nowMs);
    if (actions.length > 0) settle();
  }

  function tell(connection: number, packet: BrokerPacket): void {
    lend(generate(packet), (bytes) => gateway.brokerBytes(connection, bytes, nowMs));
  }

  function answer(stream: Stream, packet: BrokerPacket): void {
    stream.got.push(packet);
    const reply = habitual(habits, packet);
    if (reply !== undefined) actions.push(() => stream.open && tell(stream.connection, reply));
  }

  const ports: GatewayPorts = {
    sendDatagram(peer, bytes) {
      const packet = decode(Uint8Array.from(bytes));
      if (typeof packet === "string") throw new Error(`the gateway sent a bad packet: ${packet}`);
      inboxes.set(peer, [...(inboxes.get(peer) ?? []), packet]);
    },
    openBroker(connection) {
      const stream: Stream = { connection, open: true, got: [] };
      streams.push(stream);
      const incoming = parser({ protocolVersion: 4 });
      incoming.on("packet", (packet) => answer(stream, packet));
      incoming.on("error", (error: Error) => {
        throw error;
      });
      parsers.set(connection, incoming);
      if (habits.opens) actions.push(() => stream.open && gateway.brokerOpened(connection, nowMs));
    },
    writeBroker(connection, bytes) {
      const stream = streams.find((s) => s.connection === connection);
      if (stream?.open !== true) throw new Error(`octets for the closed stream ${connection}`);
      parsers.get(connection)!.parse(Buffer.from(bytes));
    },
    closeBroker(connection) {
      const stream = streams.find((s) => s.connection === connection);
      if (stream?.open !== true) throw new Error(`stream ${connection} is closed twice`);
      stream.open = false;
    },
    ...morePorts,
  };
  const gateway = createGateway(
    { gatewayId: 1, seed: 7, wallMs: (now) => WALL_START_MS + now, ...config },
    ports,
  );
  const newest = (): Stream => streams[streams.length - 1]!;
  const then = (action: () => void): void => {
    action();
    settle();
  };

  return {
    gateway,
    habits,
    streams,
    nowMs: () => nowMs,
    say: (peer, packet) =>
      then(() => lend(encode(packet), (bytes) => gateway.datagram(peer, bytes, nowMs))),
    sayBytes: (peer, octets) =>
      then(() => lend(octets, (bytes) => gateway.datagram(peer, bytes, nowMs))),
    heard(peer) {
      const packets = inboxes.get(peer) ?? [];
      inboxes.delete(peer);
      return packets;
    },
    stream: newest,
    got: (cmd) => newest().got.filter((packet) => packet.cmd === cmd) as never,
    brokerSays: (packet) => then(() => tell(newest().connection, packet)),
    brokerSaysBytes: (octets) =>
      then(() => lend(octets, (bytes) => gateway.brokerBytes(newest().connection, bytes, nowMs))),
    brokerHangsUp() {
      const stream = newest();
      then(() => {
        stream.open = false;
        gateway.brokerClosed(stream.connection, nowMs);
      });
    },
    brokerOpens: () => then(() => gateway.brokerOpened(newest().connection, nowMs)),
    pass(ms) {
      const endMs = nowMs + ms;
      dueMs = gateway.poll(nowMs);
      for (let turn = 0; dueMs <= endMs; turn++) {
        if (turn > 100_000) throw new Error(`the deadline stays at ${dueMs}`);
        nowMs = Math.max(nowMs, dueMs);
        settle();
      }
      nowMs = endMs;
      settle();
    },
    count(name) {
      const value = gateway.counters()[name];
      if (value === undefined) throw new Error(`there is no counter ${name}`);
      return value;
    },
  };
}

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
