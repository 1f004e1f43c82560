// SPDX-License-Identifier: MIT
// Plays byte sessions to a broker behind TCP, step by step.
//
// After each step a bystander pings until the broker has answered in ROUNDS rounds of its loop, then each client pings:
// answers come in order, so all that the step caused is here. Those pings are not part of what is told.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { generate, parser } from "mqtt-packet";
import { PATIENCE_MS } from "../support/until.ts";
import {
  type Collector,
  createCollector,
  octetsOf,
  type Received,
  type Step,
} from "./broker-rig.ts";

const ROUNDS = 3; // a closed socket may be seen one round after the ping of another
const PING = generate({ cmd: "pingreq" });

interface Client {
  socket: Socket;
  collector: Collector;
  greeted: boolean; // CONNACK 0 came: it may ping
  closed: boolean;
  ownPings: number; // answers still to come that nobody is told of
  pong: (() => void) | undefined;
}

/** Plays a session to the broker on a loopback port. */
export async function playTcp(port: number, steps: readonly Step[]): Promise<Received[]> {
  const bystander = await openClient(port);
  write(bystander, generate({ cmd: "connect", protocolVersion: 4, ...BYSTANDER }));
  await until(() => bystander.greeted);
  const clients = new Map<number, Client>();
  for (const step of steps) {
    if ("open" in step) clients.set(step.open, await openClient(port));
    else if ("drop" in step) drop(clients.get(step.drop)!);
    else if ("acknowledge" in step) {
      const client = clients.get(step.acknowledge)!;
      for (const bytes of client.collector.acknowledgements()) write(client, bytes);
    } else write(clients.get(step.on)!, octetsOf(step.send));
    await settle(bystander, [...clients.values()]);
  }
  const received = [...clients.values()].map(({ collector }) => collector.received);
  const result = structuredClone(received);
  for (const { socket } of [bystander, ...clients.values()]) socket.destroy();
  return result;
}

const BYSTANDER = {
  protocolId: "MQTT" as const,
  clientId: "bystander",
  clean: true,
  keepalive: 0,
};

async function openClient(port: number): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  const client: Client = {
    socket,
    collector: createCollector(),
    greeted: false,
    closed: false,
    ownPings: 0,
    pong: undefined,
  };
  const packets = parser({ protocolVersion: 4 });
  packets.on("packet", (packet) => {
    if (packet.cmd === "connack" && packet.returnCode === 0) client.greeted = true;
    if (packet.cmd === "pingresp" && client.ownPings > 0) {
      client.ownPings--;
      client.pong?.();
    } else client.collector.packet(packet);
  });
  socket.on("data", (chunk: Buffer) => void packets.parse(chunk));
  socket.on("error", () => undefined); // a reset is a close
  socket.on("close", () => {
    if (!client.closed) client.collector.closed();
    client.closed = true;
    client.pong?.();
  });
  return client;
}

function write({ socket, closed }: Client, bytes: Uint8Array): void {
  if (!closed) socket.write(bytes);
}

function drop(client: Client): void {
  if (!client.closed) client.collector.closed();
  client.closed = true;
  client.socket.destroy();
}

async function settle(bystander: Client, clients: readonly Client[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await ping(bystander);
  for (const client of clients) if (client.greeted && !client.closed) await ping(client);
}

// Also ends when the broker ends the connection.
function ping(client: Client): Promise<void> {
  return new Promise((resolve) => {
    client.ownPings++;
    client.pong = () => {
      client.pong = undefined;
      resolve();
    };
    write(client, PING);
  });
}

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error("the broker does not answer");
    await new Promise((resolve) => setTimeout(resolve, 1)); // hundreds of times a script
  }
}
