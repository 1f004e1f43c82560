// SPDX-License-Identifier: MIT
// The broker model answers the same bytes as a real broker does.
//
// Goal: what works against the model works against a broker. Method: scripted and seeded byte sessions
// played to the model and to aedes, deliveries and replies compared; where aedes leaves the standard,
// the standard's clause decides and the model stands alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Packet } from "mqtt-packet";
import { BROKER_QUEUE_MAX, BROKER_STREAM_BYTES_MAX } from "../../host-sim/limits.ts";
import { createBroker, type Message } from "../../host-sim/network/broker.ts";
import { isTopicFilter, isTopicName, topicMatches } from "../../host-sim/network/topic-filter.ts";
import { createPrng, type Prng } from "../../host-sim/prng.ts";
import { octetsOf, playAedes, playModel, type Step } from "./broker-rig.ts";

interface ConnectFields {
  clean?: boolean;
  will?: { topic: string; payload: Buffer; qos: 0 | 1; retain: boolean };
  keepalive?: number;
}

const connect = (clientId: string, fields: ConnectFields = {}): Packet => ({
  cmd: "connect",
  protocolId: "MQTT",
  protocolVersion: 4,
  clean: true,
  keepalive: 60,
  clientId,
  ...fields,
});
const publish = (topic: string, payload: string, messageId = 0, retain = false): Packet => ({
  cmd: "publish",
  topic,
  payload,
  qos: messageId === 0 ? 0 : 1,
  messageId,
  retain,
  dup: false,
});
const subscribe = (messageId: number, ...filters: [string, 0 | 1][]): Packet => ({
  cmd: "subscribe",
  messageId,
  subscriptions: filters.map(([topic, qos]) => ({ topic, qos })),
});
const on = (connection: number, ...packets: (Packet | string)[]): Step[] =>
  packets.map((send) => ({ on: connection, send }));
const client = (connection: number, packet: Packet): Step[] => [
  { open: connection },
  { on: connection, send: packet },
];
const LOST = { topic: "w", payload: Buffer.from("lost"), qos: 1 as const, retain: true };

const SESSIONS: Record<string, Step[]> = {
  "publish at both QoS to filters with wildcards, unsubscribe, ping, goodbye": [
    ...client(1, connect("a")),
    ...on(1, subscribe(1, ["x/+", 1], ["y/#", 0])),
    ...client(2, connect("b")),
    ...on(2, publish("x/1", "hi", 7), publish("y", "parent", 8), publish("z", "nobody")),
    { acknowledge: 1 },
    ...on(2, { cmd: "pingreq" }),
    ...on(1, { cmd: "unsubscribe", messageId: 9, unsubscriptions: ["x/+"] }),
    ...on(2, publish("x/1", "gone", 9), { cmd: "disconnect" }),
  ],
  "overlapping filters give one copy at the highest QoS; $ hides from wildcards": [
    ...client(1, connect("a")),
    ...on(1, subscribe(1, ["#", 1], ["x/#", 0])),
    ...on(1, publish("x/1", "me", 5), publish("$x/1", "hidden", 6)),
  ],
  "retained messages come with a subscription, live ones without the flag, empty ones delete": [
    ...client(1, connect("a")),
    ...on(1, publish("r/1", "one", 1, true), publish("r/2", "two", 0, true)),
    ...on(1, publish("r/2", "", 0, true)),
    ...client(2, connect("b")),
    ...on(2, subscribe(1, ["r/+", 1])),
    ...on(1, publish("r/1", "three", 2, true)),
  ],
  "a will is published and retained when the network fails": [
    ...client(1, connect("a", { will: LOST })),
    ...client(2, connect("b")),
    ...on(2, subscribe(1, ["w", 1])),
    { drop: 1 },
    ...client(3, connect("c")),
    ...on(3, subscribe(1, ["w", 0])),
  ],
  "a goodbye takes the will away": [
    ...client(1, connect("a", { will: LOST })),
    ...client(2, connect("b")),
    ...on(2, subscribe(1, ["w", 1])),
    ...on(1, { cmd: "disconnect" }),
  ],
  "a second connection of a client takes the session over, its will is published": [
    ...client(1, connect("a", { will: LOST })),
    ...client(2, connect("b")),
    ...on(2, subscribe(1, ["w", 1])),
    ...client(3, connect("a")),
    ...on(3, { cmd: "pingreq" }),
    ...on(1, { cmd: "pingreq" }),
  ],
  "a session that is kept gets what it missed at QoS 1": [
    ...client(1, connect("a", { clean: false })),
    ...on(1, subscribe(1, ["p/#", 1])),
    ...client(2, connect("b")),
    { drop: 1 },
    ...on(2, publish("p/1", "away", 2), publish("p/2", "away at 0")),
    ...client(3, connect("a", { clean: false })),
    { acknowledge: 3 },
    ...on(2, publish("p/3", "back", 3)),
  ],
  "a clean session forgets": [
    ...client(1, connect("a", { clean: false })),
    ...on(1, subscribe(1, ["p/#", 1])),
    { drop: 1 },
    ...client(2, connect("a")),
    ...on(2, publish("p/1", "me", 1)),
  ],
  "a second CONNECT, no CONNECT, garbage, a wildcard in a name, a bad filter end the connection": [
    ...client(1, connect("a")),
    ...on(1, connect("a")),
    { open: 2 },
    ...on(2, { cmd: "pingreq" }),
    { open: 3 },
    ...on(3, "f0ff00"),
    ...client(4, connect("d")),
    ...on(4, "00ff"),
    ...client(5, connect("e")),
    ...on(5, "300500032f2b2f78"),
    ...client(6, connect("f")),
    ...on(6, subscribe(1, ["a/#/b", 1])),
  ],
  "a client without a name gets one when its session is clean": [
    ...client(1, connect("")),
    ...on(1, { cmd: "pingreq" }),
  ],
};

for (const [name, steps] of Object.entries(SESSIONS)) {
  test(`as aedes: ${name}`, async () => {
    assert.deepEqual(playModel(steps), await playAedes(steps));
  });
}

function randomSession(prng: Prng): Step[] {
  const steps = [1, 2, 3].flatMap((c) => client(c, connect(`c${c}`)));
  const topics = ["a", "a/b", "a/b/c", "b", "b/c", "$s/a"];
  const filters = ["a", "a/+", "a/#", "+/b", "#", "+", "b/+/c", "$s/#", "+/+"];
  for (let i = 1; i <= 25; i++) {
    const connection = 1 + prng.below(3);
    const pick = <T>(list: readonly T[]): T => list[prng.below(list.length)]!;
    const choice = prng.below(10);
    if (choice < 5) {
      const messageId = prng.chance(0.5) ? i : 0;
      const payload = prng.chance(0.1) ? "" : `m${i}`;
      const topic = pick(topics);
      // aedes hands retained $ messages to wildcards, against §4.7.2; a test of the model alone has them.
      const retain = prng.chance(0.3) && !topic.startsWith("$");
      steps.push(...on(connection, publish(topic, payload, messageId, retain)));
    } else if (choice < 8) steps.push(...on(connection, subscribe(i, [pick(filters), 1])));
    else if (choice < 9) steps.push({ acknowledge: connection });
    else {
      const unsubscriptions = [pick(filters)];
      steps.push(...on(connection, { cmd: "unsubscribe", messageId: i, unsubscriptions }));
    }
  }
  return steps;
}

test("as aedes: 30 seeded sessions of three clients", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const steps = randomSession(createPrng(seed));
    const [model, aedes] = [playModel(steps), await playAedes(steps)];
    // aedes sends retained messages in the order of its own table.
    const sorted = (list: typeof model): unknown =>
      list.map(({ deliveries, replies }) => ({ deliveries: deliveries.toSorted(), replies }));
    assert.deepEqual(sorted(model), sorted(aedes), `seed ${seed}`);
  }
});

test("what was not acknowledged is sent again with DUP to the next connection (§4.4)", () => {
  const received = playModel([
    ...client(1, connect("a", { clean: false })),
    ...on(1, subscribe(1, ["p", 1])),
    ...on(1, publish("p", "x", 1)),
    { drop: 1 },
    ...client(2, connect("a", { clean: false })),
  ]);
  assert.deepEqual(received[1], { deliveries: ['p "x" q1 dup'], replies: ["connack 0 true"] });
});

test("wildcards do not reach retained messages whose name begins with $ (§4.7.2)", () => {
  const received = playModel([
    ...client(1, connect("a")),
    ...on(1, publish("$s/a", "x", 1, true), subscribe(1, ["#", 1], ["+/a", 1], ["$s/#", 0])),
  ]);
  assert.deepEqual(received[0]?.deliveries, ['$s/a "x" q0 retain']);
});

test("a filter subscribed again has the new QoS; a nameless kept session is refused", () => {
  const received = playModel([
    ...client(1, connect("a")),
    ...on(1, publish("r", "x", 1, true), subscribe(1, ["r", 1]), subscribe(2, ["r", 0])),
    { open: 2 },
    ...on(2, "100c00044d5154540400003c0000"),
    { open: 3 },
    ...on(3, { ...connect("v5"), protocolVersion: 5 } as Packet),
  ]);
  assert.deepEqual(received[0]?.deliveries, ['r "x" q1 retain', 'r "x" q0 retain']);
  assert.deepEqual(received[1]?.replies, ["connack 2 false", "closed"]);
  assert.deepEqual(received[2]?.replies, ["connack 1 false", "closed"]);
});

test("QoS 2 is granted as 1, and publishing at it ends the connection", () => {
  const received = playModel([
    ...client(1, connect("a")),
    ...on(1, "8206000100017802"), // SUBSCRIBE "x" at QoS 2
    ...on(1, "340500017800014d"), // PUBLISH "x" at QoS 2
  ]);
  assert.deepEqual(received[0]?.replies, ["connack 0 false", "suback #1 1", "closed"]);
});

interface Rig {
  broker: ReturnType<typeof createBroker>;
  closed: number[];
  accepted: Message[];
  written: number[];
}

function createRig(): Rig {
  const closed: number[] = [];
  const accepted: Message[] = [];
  const written: number[] = [];
  const broker = createBroker({
    write: (connection) => written.push(connection),
    close: (connection) => closed.push(connection),
    accepted: (message) => accepted.push(message),
  });
  return { broker, closed, accepted, written };
}

test("one and a half keep alives of silence end a connection and publish its will", () => {
  const { broker, closed, accepted } = createRig();
  broker.opened(1, 0);
  broker.bytes(1, octetsOf(connect("a", { keepalive: 10, will: LOST })), 1000);
  assert.equal(broker.poll(1000), 16_000);
  broker.bytes(1, octetsOf({ cmd: "pingreq" }), 9000);
  assert.equal(broker.poll(16_000), 24_000);
  assert.deepEqual(closed, []);
  assert.equal(broker.poll(24_000), Infinity);
  assert.deepEqual(closed, [1]);
  assert.deepEqual(
    accepted.map(({ topic, retain }) => [topic, retain]),
    [["w", true]],
  );
  assert.equal(broker.counts().connections, 0);
});

test("packets may be cut anywhere and glued together", () => {
  const stream = Buffer.concat(
    [connect("a"), subscribe(1, ["x", 1]), publish("x", "1", 5), publish("x", "2", 6)].map(
      octetsOf,
    ),
  );
  for (const chunk of [1, 2, 3, 7, stream.length]) {
    const { broker, accepted, written } = createRig();
    broker.opened(1, 0);
    for (let at = 0; at < stream.length; at += chunk) {
      broker.bytes(1, stream.subarray(at, at + chunk), 0);
    }
    assert.equal(accepted.length, 2, `chunks of ${chunk}`);
    assert.equal(written.length, 6);
  }
});

test("a packet longer than the bound ends the connection while it is still coming", () => {
  const { broker, closed } = createRig();
  broker.opened(1, 0);
  broker.bytes(1, octetsOf(connect("a")), 0);
  broker.bytes(1, Buffer.from("30ffffff7f0001", "hex"), 0);
  const piece = Buffer.alloc(65_536);
  for (let i = 0; i <= BROKER_STREAM_BYTES_MAX / piece.length && closed.length === 0; i++) {
    broker.bytes(1, piece, 0);
  }
  assert.deepEqual(closed, [1]);
});

test("a session that is away keeps its bound of messages; more are dropped and counted", () => {
  const { broker } = createRig();
  broker.opened(1, 0);
  broker.bytes(1, octetsOf(connect("a", { clean: false })), 0);
  broker.bytes(1, octetsOf(subscribe(1, ["x", 1])), 0);
  broker.closed(1, 0);
  const message = { topic: "x", payload: Buffer.from("1"), qos: 1 as const, retain: false };
  for (let i = 0; i < BROKER_QUEUE_MAX + 3; i++) broker.publish(message, "hub");
  assert.equal(broker.counts().dropped, 3);
  assert.equal(broker.counts().sessions, 1);
});

test("a subscriber in the process gets retained messages first and live ones after", () => {
  const { broker } = createRig();
  const heard: string[] = [];
  const message = (payload: string, retain: boolean): Message => ({
    topic: "t/1",
    payload: Buffer.from(payload),
    qos: 1,
    retain,
  });
  broker.publish(message("kept", true), "a");
  broker.attach("t/#", ({ payload, retain }) =>
    heard.push(`${Buffer.from(payload).toString()} ${retain}`),
  );
  broker.publish(message("live", true), "a");
  broker.publish({ ...message("other", false), topic: "u" }, "a");
  assert.deepEqual(heard, ["kept true", "live false"]);
});

test("random octets never throw, and the next connection is served", () => {
  const prng = createPrng(3);
  const { broker, accepted } = createRig();
  for (let i = 2; i < 500; i++) {
    broker.opened(i, 0);
    if (prng.chance(0.5)) broker.bytes(i, octetsOf(connect(`c${i}`)), 0);
    const bytes = new Uint8Array(1 + prng.below(60));
    prng.fill(bytes);
    broker.bytes(i, bytes, 0);
    broker.closed(i, 0);
  }
  const before = accepted.length;
  broker.opened(1, 0);
  broker.bytes(1, octetsOf(connect("good")), 0);
  broker.bytes(1, octetsOf(publish("x", "1", 1)), 0);
  assert.equal(accepted.length, before + 1);
});

test("topic names and filters follow §4.7", () => {
  const matching: [string, string, boolean][] = [
    ["a/b", "a/b", true],
    ["a/b", "a/b/c", false],
    ["a/+", "a/", true],
    ["a/+", "a", false],
    ["+/+", "/b", true],
    ["+", "/b", false],
    ["#", "a/b/c", true],
    ["a/#", "a", true],
    ["a/#", "ab", false],
    ["a/+/#", "a", false],
    ["#", "$SYS/x", false],
    ["+/x", "$SYS/x", false],
    ["$SYS/#", "$SYS/x", true],
    ["a", "A", false],
  ];
  for (const [filter, name, expected] of matching) {
    assert.equal(topicMatches(filter, name), expected, `${filter} ${name}`);
  }
  for (const good of ["#", "+", "a/+/b", "/", "a/#", "a b"]) assert.ok(isTopicFilter(good), good);
  for (const bad of ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "\0"]) {
    assert.equal(isTopicFilter(bad), false, bad);
  }
  for (const bad of ["", "a/+", "#", "a\0"]) assert.equal(isTopicName(bad), false, bad);
  assert.ok(isTopicName("/a b/$c"));
});
