// SPDX-License-Identifier: MIT
// How many QoS 1 messages a second the gateway carries, beside two baselines.
//
// Closed loop: each client has one message of 32 octets outstanding. Baselines: raw MQTT publishers without a
// gateway, and a UDP echo in Node without a broker. mosquitto, load and gateway share this machine; gateway and
// echo run in a process of their own, the load is this process. Rounds alternate and only ratios count.
// A subscriber at QoS 0 counts what arrived: acknowledged and never seen must be 0, else the figures are void.

import { spawn } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { generate } from "mqtt-packet";
import { encode } from "../../gateway/encode.ts";
import { startGateway } from "../../gateway/index.ts";
import { decode, type Packet } from "../../gateway/packet.ts";
import { median } from "../../scripts/bench/rounds.ts";
import { QUICK, report, type Figure } from "../../scripts/bench/report.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { findProgram } from "../support/need.ts";

const ROUNDS = QUICK ? 1 : 5;
const ROUND_MS = QUICK ? 200 : 2000;
const CLIENT_COUNTS = QUICK ? [5] : [50, 200];
const GOAL_RATIO = 0.6; // of raw MQTT
const PAYLOAD = Buffer.alloc(32, 0x78);
const TOPIC = "bench/qos1";
const REPEAT_MS = 1000; // a datagram may be lost
const SETTLE_MS = 300;

interface Load {
  start(): void;
  stop(): void;
  acknowledged(): number;
  repeats(): number;
  close(): void;
}

async function openMqtt(port: number, clientId: string): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await once(socket, "connect");
  const packet = { cmd: "connect", clientId, clean: true, keepalive: 0 } as const;
  socket.write(generate({ ...packet, protocolId: "MQTT", protocolVersion: 4 }));
  await once(socket, "data"); // CONNACK
  return socket;
}

/** Publishers that speak MQTT to the broker themselves. */
async function createRawLoad(port: number, clients: number): Promise<Load> {
  let acknowledged = 0;
  let running = false;
  const packet = { cmd: "publish", topic: TOPIC, payload: PAYLOAD, qos: 1 } as const;
  const message = generate({ ...packet, messageId: 1, retain: false, dup: false });
  const sockets = await Promise.all(
    Array.from({ length: clients }, (_, i) => openMqtt(port, `raw-${i}`)),
  );
  for (const socket of sockets) {
    socket.on("data", () => {
      acknowledged++; // one is outstanding, so one PUBACK
      if (running) socket.write(message);
    });
  }
  return {
    start() {
      running = true;
      for (const socket of sockets) socket.write(message);
    },
    stop: () => void (running = false),
    acknowledged: () => acknowledged,
    repeats: () => 0,
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
}

/** Publishers that speak MQTT-SN to the gateway. */
async function createNodeLoad(port: number, clients: number): Promise<Load> {
  const names = Array.from({ length: clients }, (_, i) => `node-${clients}-${i}`);
  return together(await Promise.all(names.map((name) => openNode(port, name))));
}

/** The same datagrams to an echo. */
async function createEchoLoad(port: number, clients: number): Promise<Load> {
  const sockets = Array.from({ length: clients }, () => openSocket(port));
  return together((await Promise.all(sockets)).map((socket) => runNode(socket, 1)));
}

function together(nodes: Load[]): Load {
  const sum = (of: (node: Load) => number): number => nodes.reduce((all, n) => all + of(n), 0);
  return {
    start: () => nodes.forEach((node) => node.start()),
    stop: () => nodes.forEach((node) => node.stop()),
    acknowledged: () => sum((node) => node.acknowledged()),
    repeats: () => sum((node) => node.repeats()),
    close: () => nodes.forEach((node) => node.close()),
  };
}

async function openSocket(port: number): Promise<UdpSocket> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function openNode(port: number, clientId: string): Promise<Load> {
  const socket = await openSocket(port);
  const ask = async (packet: Packet): Promise<Packet> => {
    socket.send(encode(packet));
    const [bytes] = (await once(socket, "message")) as [Buffer];
    return decode(bytes) as Packet;
  };
  const base = { will: false, cleanSession: true, protocolId: 1, duration: 600 } as const;
  await ask({ type: "CONNECT", ...base, clientId: Buffer.from(clientId) });
  const name = Buffer.from(TOPIC);
  const answer = await ask({ type: "REGISTER", topicId: 0, msgId: 1, topicName: name });
  if (answer.type !== "REGACK") throw new Error(`REGISTER was answered with ${answer.type}`);
  return runNode(socket, answer.topicId);
}

function runNode(socket: UdpSocket, topicId: number): Load {
  let acknowledged = 0;
  let repeats = 0;
  let running = false;
  let sentMs = 0;
  const kind = { type: "PUBLISH", qos: 1, retain: false, topicIdType: "normal" } as const;
  const message = Buffer.from(encode({ ...kind, dup: false, topicId, msgId: 1, data: PAYLOAD }));
  const send = (): void => {
    sentMs = performance.now();
    socket.send(message);
  };
  socket.on("message", () => {
    acknowledged++;
    message[2]! &= 0x7f; // no DUP
    message.writeUInt16BE((message.readUInt16BE(5) % 0xffff) + 1, 5);
    if (running) send();
  });
  const timer = setInterval(() => {
    if (!running || performance.now() - sentMs < REPEAT_MS) return;
    repeats++;
    message[2]! |= 0x80;
    send();
  }, REPEAT_MS);
  return {
    start() {
      running = true;
      send();
    },
    stop: () => void (running = false),
    acknowledged: () => acknowledged,
    repeats: () => repeats,
    close() {
      clearInterval(timer);
      socket.send(encode({ type: "DISCONNECT" }), () => socket.close());
    },
  };
}

/** Counts messages by octets: each has the same length. */
async function countArrivals(port: number): Promise<() => number> {
  const socket = await openMqtt(port, "counter");
  socket.write(
    generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: TOPIC, qos: 0 }] }),
  );
  await once(socket, "data"); // SUBACK
  const message = { cmd: "publish", topic: TOPIC, payload: PAYLOAD, qos: 0 } as const;
  const each = generate({ ...message, retain: false, dup: false }).length;
  let octets = 0;
  socket.on("data", (bytes: Buffer) => (octets += bytes.length));
  return () => octets / each;
}

async function runRound(load: Load, seen: () => number): Promise<{ rate: number; lost: number }> {
  const [acknowledgedBefore, seenBefore] = [load.acknowledged(), seen()];
  const startMs = performance.now();
  load.start();
  await delay(ROUND_MS);
  const rate = ((load.acknowledged() - acknowledgedBefore) * 1000) / (performance.now() - startMs);
  load.stop();
  await delay(SETTLE_MS);
  const lost = load.acknowledged() - acknowledgedBefore - (seen() - seenBefore);
  return { rate, lost: Math.max(0, lost) };
}

interface Ports {
  broker: number;
  gateway: number;
  echo: number;
}

const BASELINES = ["raw MQTT", "UDP echo"] as const;

async function measure(ports: Ports, clients: number): Promise<Figure[]> {
  const seen = await countArrivals(ports.broker);
  const loads = {
    "raw MQTT": await createRawLoad(ports.broker, clients),
    "UDP echo": await createEchoLoad(ports.echo, clients),
    gateway: await createNodeLoad(ports.gateway, clients),
  };
  const rates = new Map<string, number[]>(Object.keys(loads).map((name) => [name, []]));
  let lost = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, load] of Object.entries(loads)) {
      const result = await runRound(load, seen);
      rates.get(name)!.push(result.rate);
      if (name !== "UDP echo") lost += result.lost;
    }
  }
  const repeats = loads.gateway.repeats();
  for (const load of Object.values(loads)) load.close();
  const named = (name: string): string => `${clients} clients, ${name}`;
  const rate = (name: string) => ({ value: median(rates.get(name)!), unit: "messages/s" });
  return [
    ...BASELINES.map((name) => ({ name: named(name), ...rate(name) })),
    ...BASELINES.map((name) => ({
      ...{ name: named(`gateway to ${name}`), ...rate("gateway"), beside: named(name) },
      ...(name === "raw MQTT" && { goal: { of: "ratio", atLeast: GOAL_RATIO } as const }),
    })),
    { name: named("repeats"), value: repeats, unit: "datagrams" },
    { name: named("acknowledged, never seen"), value: lost, unit: "messages" },
  ];
}

async function serveGateway(brokerUrl: string): Promise<void> {
  const log = { info: () => undefined, warn: (text: string) => console.error(text) };
  const options = { udpHost: "127.0.0.1", udpPort: 0, group: false, log } as const;
  const gateway = await startGateway({ ...options, brokerUrl });
  console.log(gateway.udpPort);
}

async function serveEcho(): Promise<void> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4_194_304 });
  socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  console.log(socket.address().port);
}

async function startApart(what: string, brokerUrl: string) {
  const args = ["--import", "tsx", import.meta.filename, what, brokerUrl];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, port: Number(line) };
}

async function main(): Promise<void> {
  if (findProgram("mosquitto") === undefined) {
    report({ bench: "gateway", notes: ["left out: mosquitto is not installed"], figures: [] });
    return;
  }
  const broker = await startMosquitto();
  const gateway = await startApart("gateway", broker.url);
  const echo = await startApart("echo", broker.url);
  const figures: Figure[] = [];
  for (const clients of CLIENT_COUNTS) {
    const ports = { broker: broker.port, gateway: gateway.port, echo: echo.port };
    figures.push(...(await measure(ports, clients)));
  }
  report({
    bench: "gateway",
    notes: [
      `QoS 1, 32 octets, one outstanding a client, median of ${ROUNDS} rounds of ${ROUND_MS} ms`,
      `Node ${process.version}; broker, gateway and load share ${availableParallelism()} cores`,
    ],
    figures,
  });
  gateway.child.kill();
  echo.child.kill();
  await broker.stop();
  process.exit();
}

const [what, brokerUrl = ""] = process.argv.slice(2);
if (what === "gateway") await serveGateway(brokerUrl);
else if (what === "echo") await serveEcho();
else await main();
