// SPDX-License-Identifier: MIT
// Plays the same byte sessions to the broker model and to aedes.
//
// A session is a list of steps of numbered connections. After each step aedes gets all the turns of the
// event loop it wants. What each connection received is kept as text in two lists, since MQTT does not
// order them against each other: deliveries, and everything else. Packet identifiers are the broker's choice.

import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { Aedes } from "aedes";
import { generate, parser, type Packet } from "mqtt-packet";
import { createBroker, type Message } from "../../host-sim/network/broker.ts";

export type Step =
  | { open: number }
  | { on: number; send: Packet | string } // a string is hex
  | { acknowledge: number } // every QoS 1 delivery so far
  | { drop: number }; // the network takes the connection away

/** What a connection received, in order; "closed" where the broker ended it. */
export interface Received {
  deliveries: string[];
  replies: string[];
}

const TURNS = 12; // of the event loop; aedes takes a handful for a publication

/** The octets of what a step sends. */
export function octetsOf(send: Packet | string): Buffer {
  return typeof send === "string" ? Buffer.from(send, "hex") : generate(send);
}

/** Plays a session to the model. `accepted` collects the messages that the model took. */
export function playModel(steps: readonly Step[], accepted: Message[] = []): Received[] {
  const collectors = new Map<number, Collector>();
  const broker = createBroker({
    write: (connection, bytes) => collectors.get(connection)!.bytes(Buffer.from(bytes)),
    close: (connection) => collectors.get(connection)!.closed(),
    accepted: (message) => accepted.push(message),
  });
  for (const step of steps) {
    if ("open" in step) {
      collectors.set(step.open, createCollector());
      broker.opened(step.open, 0);
    } else if ("drop" in step) {
      collectors.get(step.drop)!.closed();
      broker.closed(step.drop, 0);
    } else if ("acknowledge" in step) {
      for (const bytes of collectors.get(step.acknowledge)!.acknowledgements()) {
        broker.bytes(step.acknowledge, bytes, 0);
      }
    } else broker.bytes(step.on, octetsOf(step.send), 0);
  }
  return [...collectors.values()].map(({ received }) => received);
}

/** Plays a session to aedes. */
export async function playAedes(steps: readonly Step[]): Promise<Received[]> {
  const aedes = await Aedes.createBroker({ heartbeatInterval: 600_000 });
  const collectors = new Map<number, Collector>();
  const wires = new Map<number, Duplex>();
  const push = (connection: number, bytes: Buffer): void => {
    const wire = wires.get(connection)!;
    if (!wire.destroyed) wire.push(bytes);
  };
  for (const step of steps) {
    if ("open" in step) {
      collectors.set(step.open, createCollector());
      const wire = createWire(collectors.get(step.open)!);
      wires.set(step.open, wire);
      aedes.handle(wire as unknown as Parameters<typeof aedes.handle>[0], {} as never);
    } else if ("drop" in step) wires.get(step.drop)!.destroy();
    else if ("acknowledge" in step) {
      for (const bytes of collectors.get(step.acknowledge)!.acknowledgements()) {
        push(step.acknowledge, bytes);
      }
    } else push(step.on, octetsOf(step.send));
    for (let i = 0; i < TURNS; i++) await turn();
  }
  const result = structuredClone([...collectors.values()].map(({ received }) => received));
  for (const wire of wires.values()) wire.destroy();
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  return result;
}

/** What one connection of a client receives. */
export interface Collector {
  bytes(bytes: Buffer): void;
  packet(packet: Packet): void;
  closed(): void;
  /** A PUBACK for each QoS 1 delivery that has none yet. */
  acknowledgements(): Buffer[];
  readonly received: Received;
}

export function createCollector(): Collector {
  const received: Received = { deliveries: [], replies: [] };
  let open: number[] = [];
  const packets = parser({ protocolVersion: 4 });
  const take = (packet: Packet): void => {
    if (packet.cmd !== "publish") return void received.replies.push(describe(packet));
    received.deliveries.push(describe(packet));
    if (packet.qos === 1) open.push(packet.messageId!);
  };
  packets.on("packet", take);
  return {
    packet: take,
    bytes: (bytes) => void packets.parse(bytes),
    closed: () => received.replies.push("closed"),
    acknowledgements() {
      const ids = open;
      open = [];
      return ids.map((messageId) => generate({ cmd: "puback", messageId }));
    },
    received,
  };
}

function createWire(collector: Collector): Duplex {
  let ended = false;
  const close = (): void => {
    if (!ended) collector.closed();
    ended = true;
  };
  return new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      collector.bytes(chunk);
      done();
    },
    final(done) {
      close();
      done();
    },
    destroy(error, done) {
      close();
      done(error);
    },
  });
}

function describe(packet: Packet): string {
  switch (packet.cmd) {
    case "publish": {
      const { topic, payload, qos, retain, dup } = packet;
      const marks = `${retain ? " retain" : ""}${dup ? " dup" : ""}`;
      return `${topic} "${payload.toString()}" q${qos}${marks}`;
    }
    case "connack":
      return `connack ${packet.returnCode} ${packet.sessionPresent}`;
    case "suback":
      return `suback #${packet.messageId} ${packet.granted.join()}`;
    default:
      return `${packet.cmd}${packet.messageId === undefined ? "" : ` #${packet.messageId}`}`;
  }
}
