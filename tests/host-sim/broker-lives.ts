// SPDX-License-Identifier: MIT
// Random lives of three MQTT clients as byte sessions, by seed.
//
// They connect with clean and kept sessions and wills, subscribe, publish, retain, delete, acknowledge or not, say
// goodbye, lose the network, take their own sessions over.

import type { Packet } from "mqtt-packet";
import { topicMatches } from "../../host-sim/network/topic-filter.ts";
import type { Prng } from "../../host-sim/prng.ts";
import type { Received, Step } from "./broker-rig.ts";

const CLIENTS = 3;
const STEPS = 40;
const TOPICS = ["a", "a/b", "a/b/c", "b", "b/c", "w/1"];
const FILTERS = ["a", "a/+", "a/#", "+/b", "#", "+", "b/+/c", "w/+", "+/+"];

export interface Habits {
  /** Everything is acknowledged before a connection ends. */
  tidy: boolean;
  /** Filters that match the same name are subscribed by one client. */
  overlaps: boolean;
  /** A filter is always subscribed at the same QoS. */
  steadyQos: boolean;
  /** Nobody whose connection has a will is taken over. */
  willsKept: boolean;
  /** Nobody hears of its own will. */
  ownWillsUnheard: boolean;
}

interface Client {
  id: string;
  connection: number; // 0: away
  filters: Set<string>;
  hasWill: boolean; // of its connection
}

interface Life {
  readonly prng: Prng;
  readonly habits: Habits;
  readonly steps: Step[];
  connections: number;
  packetId: number;
}

/** The steps of one seed. */
export function randomLife(prng: Prng, habits: Habits): Step[] {
  const life: Life = { prng, habits, steps: [], connections: 0, packetId: 0 };
  const clients = Array.from({ length: CLIENTS }, (_, i): Client => {
    return { id: `c${i + 1}`, connection: 0, filters: new Set(), hasWill: false };
  });
  for (const client of clients) connect(life, client);
  for (let i = 0; i < STEPS; i++) {
    const client = clients[prng.below(CLIENTS)]!;
    if (client.connection === 0) connect(life, client);
    else act(life, client, prng.below(100));
  }
  return life.steps;
}

/** What was received, where brokers may differ in nothing but the order of retained messages. */
export function comparable(received: readonly Received[]): Received[] {
  return received.map(({ deliveries, replies }) => {
    const runs: string[] = [];
    let retained: string[] = [];
    for (const delivery of [...deliveries, ""]) {
      if (delivery.includes(" retain")) retained.push(delivery);
      else {
        runs.push(...retained.sort(), delivery);
        retained = [];
      }
    }
    return { deliveries: runs.slice(0, -1), replies: replies.filter((text) => text !== "closed") };
  });
}

function act(life: Life, client: Client, choice: number): void {
  if (choice < 45) publish(life, client);
  else if (choice < 65) subscribe(life, client);
  else if (choice < 70) unsubscribe(life, client);
  else if (choice < 82) life.steps.push({ acknowledge: client.connection });
  else if (choice < 88) connect(life, client);
  else leave(life, client, choice < 94);
}

const send = (life: Life, client: Client, packet: Packet): void =>
  void life.steps.push({ on: client.connection, send: packet });

function pick<T>({ prng }: Life, list: readonly T[]): T {
  return list[prng.below(list.length)]!;
}

function tidyUp({ habits, steps }: Life, { connection }: Client): void {
  if (habits.tidy && connection > 0) steps.push({ acknowledge: connection });
}

// Where it has a connection already this takes the session over.
function connect(life: Life, client: Client): void {
  const { prng, habits } = life;
  if (client.connection > 0 && client.hasWill && habits.willsKept) return;
  tidyUp(life, client);
  const clean = prng.chance(0.5);
  if (clean) client.filters.clear();
  const will = {
    topic: `w/${client.id}`,
    payload: Buffer.from(`lost ${life.connections}`),
    qos: prng.chance(0.5) ? (1 as const) : (0 as const),
    retain: prng.chance(0.3),
  };
  const heard = [...client.filters].some((filter) => hearsOwnWill(client, filter));
  client.hasWill = prng.chance(0.4) && !(heard && habits.ownWillsUnheard);
  client.connection = ++life.connections;
  life.steps.push({ open: client.connection });
  send(life, client, {
    ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, keepalive: 60 },
    ...{ clean, clientId: client.id },
    ...(client.hasWill && { will }),
  } as Packet);
}

function publish(life: Life, client: Client): void {
  const { prng } = life;
  const qos = prng.chance(0.5) ? 1 : 0;
  const retain = prng.chance(0.25);
  const messageId = qos === 0 ? 0 : ++life.packetId;
  const payload = retain && prng.chance(0.25) ? "" : `m${life.steps.length}`;
  const topic = pick(life, TOPICS);
  send(life, client, { cmd: "publish", topic, payload, qos, messageId, retain, dup: false });
}

function subscribe(life: Life, client: Client): void {
  const { prng, habits } = life;
  const topic = habits.overlaps ? pick(life, FILTERS) : (lone(client) ?? pick(life, FILTERS));
  if (habits.ownWillsUnheard && client.hasWill && hearsOwnWill(client, topic)) return;
  client.filters.add(topic);
  const chosen = prng.chance(0.6) ? 1 : 0;
  const qos = habits.steadyQos ? ((topic.length & 1) as 0 | 1) : chosen;
  const messageId = ++life.packetId;
  send(life, client, { cmd: "subscribe", messageId, subscriptions: [{ topic, qos }] });
}

function hearsOwnWill({ id }: Client, filter: string): boolean {
  return topicMatches(filter, `w/${id}`);
}

// The one filter that a client has, if any.
function lone({ filters }: Client): string | undefined {
  return [...filters][0];
}

function unsubscribe(life: Life, client: Client): void {
  const topic = pick(life, FILTERS);
  client.filters.delete(topic);
  const messageId = ++life.packetId;
  send(life, client, { cmd: "unsubscribe", messageId, unsubscriptions: [topic] });
}

function leave(life: Life, client: Client, goodbye: boolean): void {
  tidyUp(life, client);
  if (goodbye) send(life, client, { cmd: "disconnect" });
  else life.steps.push({ drop: client.connection });
  client.connection = 0;
}
