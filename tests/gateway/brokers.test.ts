// SPDX-License-Identifier: MIT
// Goal: real sockets and real brokers show what virtual time showed.
// Method: scripted UDP clients; mqtt.js sees the other side; aedes in process and Debian's mosquitto.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { type RunningGateway, startGateway } from "../../gateway/index.ts";
import { startBroker } from "../../scripts/run/broker.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import * as need from "../support/need.ts";
import { until } from "../support/until.ts";
import {
  connect,
  octets,
  publish,
  register,
  subscribe,
  text,
  willMessage,
  willTopic,
} from "./client.ts";
import { createUdpClient, type UdpClient } from "./udp-client.ts";

interface Site {
  gateway: RunningGateway;
  warnings: string[];
  client(): Promise<UdpClient>;
}

const BROKERS = {
  aedes: {
    options: {},
    async start(t: TestContext): Promise<string> {
      const broker = await startBroker();
      t.after(() => broker.close());
      return broker.url;
    },
  },
  mosquitto: {
    options: need.program("mosquitto"),
    async start(t: TestContext): Promise<string> {
      const broker = await startMosquitto();
      t.after(() => broker.stop());
      return broker.url;
    },
  },
};

async function startSite(t: TestContext, brokerUrl: string): Promise<Site> {
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (line: string) => void warnings.push(line) };
  const gateway = await startGateway({ udpHost: "127.0.0.1", udpPort: 0, brokerUrl, log });
  t.after(() => gateway.close());
  return {
    gateway,
    warnings,
    async client() {
      const client = await createUdpClient(gateway.udpPort);
      t.after(() => client.close());
      return client;
    },
  };
}

interface Seen {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
}

async function watch(t: TestContext, url: string, filter: string) {
  const client: MqttClient = await connectAsync(url, { reconnectPeriod: 100 });
  t.after(() => client.endAsync(true));
  const seen: Seen[] = [];
  client.on("message", (topic, payload, { qos, retain }) => {
    seen.push({ topic, payload: payload.toString(), qos, retain });
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return { client, seen };
}

async function connectClient(
  client: UdpClient,
  clientId: string,
  fields: { will?: boolean; duration?: number } = {},
): Promise<void> {
  client.say(connect({ clientId, ...fields }));
  if (fields.will === true) {
    await client.next("WILLTOPICREQ");
    client.say(willTopic(`ferrule/${clientId}/presence`));
    await client.next("WILLMSGREQ");
    client.say(willMessage());
  }
  const { returnCode } = await client.next("CONNACK");
  assert.equal(returnCode, 0);
}

for (const [name, { options, start }] of Object.entries(BROKERS)) {
  test(`${name}: readings of two clients go up, each under its own topic`, options, async (t) => {
    const url = await start(t);
    const site = await startSite(t, url);
    const { seen } = await watch(t, url, "ferrule/#");
    for (const clientId of ["oven-01", "meter-01"]) {
      const client = await site.client();
      await connectClient(client, clientId);
      const { topicId } = await client.ask(register(`ferrule/${clientId}/data`), "REGACK");
      for (let msgId = 1; msgId <= 20; msgId++) {
        const data = octets(`${clientId} ${msgId}`);
        const answer = await client.ask(publish(topicId, { msgId, data }), "PUBACK");
        assert.deepEqual([answer.msgId, answer.returnCode], [msgId, 0]);
      }
      client.say(publish(topicId, { qos: 0, data: octets(`${clientId} last`) }));
    }
    await until("42 messages", () => seen.length === 42);
    const meter = seen.filter((m) => m.topic === "ferrule/meter-01/data").map((m) => m.payload);
    assert.equal(meter.length, 21);
    assert.deepEqual(meter.slice(0, 2), ["meter-01 1", "meter-01 2"]);
  });

  test(`${name}: messages come down, retained ones after SUBACK`, options, async (t) => {
    const url = await start(t);
    const site = await startSite(t, url);
    const { client: hub } = await watch(t, url, "none");
    await hub.publishAsync("c/oven-01/sp", "80", { qos: 1, retain: true });
    const client = await site.client();
    await connectClient(client, "oven-01");
    await client.ask(subscribe("c/oven-01/#"), "SUBACK");
    const asked = await client.next("REGISTER");
    assert.equal(text(asked.topicName), "c/oven-01/sp");
    const { topicId, msgId } = asked;
    client.say({ type: "REGACK", topicId, msgId, returnCode: 0 });
    const retained = await client.next("PUBLISH");
    assert.deepEqual([text(retained.data), retained.retain, retained.qos], ["80", true, 1]);
    client.say({ type: "PUBACK", topicId, msgId: retained.msgId, returnCode: 0 });
    for (let i = 0; i < 30; i++) await hub.publishAsync("c/oven-01/sp", String(i), { qos: 1 });
    for (let i = 0; i < 30; i++) {
      const message = await client.next("PUBLISH");
      assert.deepEqual([text(message.data), message.retain], [String(i), false]);
      client.say({ type: "PUBACK", topicId, msgId: message.msgId, returnCode: 0 });
    }
  });

  test(`${name}: the will is published for a lost client only`, options, async (t) => {
    const url = await start(t);
    const site = await startSite(t, url);
    const { client: reader, seen } = await watch(t, url, "ferrule/+/presence");
    const [lost, leaving, moving, moved] = await Promise.all([
      site.client(),
      site.client(),
      site.client(),
      site.client(),
    ]);
    await connectClient(lost!, "lost-01", { will: true, duration: 1 });
    await connectClient(leaving!, "leaving-01", { will: true, duration: 60 });
    await connectClient(moving!, "moving-01", { will: true, duration: 60 });
    await leaving!.ask({ type: "DISCONNECT" }, "DISCONNECT");
    await connectClient(moved!, "moving-01", { will: true, duration: 60 });
    await moving!.next("DISCONNECT"); // taken over
    await until("a will", () => seen.length > 0);
    await reader.publishAsync("ferrule/after/presence", "", { qos: 1 });
    await until("what comes after the will", () => seen.length > 1);
    const topic = "ferrule/lost-01/presence";
    assert.deepEqual(seen[0], { topic, payload: "lost", qos: 1, retain: false });
    assert.equal(seen[1]!.topic, "ferrule/after/presence");
    assert.equal(site.gateway.gateway.counters()["lost"], 1);
  });

  test(`${name}: a gateway that ends lets the wills go`, options, async (t) => {
    const url = await start(t);
    const site = await startSite(t, url);
    const { seen } = await watch(t, url, "ferrule/+/presence");
    await connectClient(await site.client(), "oven-01", { will: true });
    const other = await startGateway({
      udpHost: "127.0.0.1",
      udpPort: 0,
      brokerUrl: url,
      log: { info: () => undefined, warn: () => undefined },
      group: false,
    });
    const client = await createUdpClient(other.udpPort);
    await connectClient(client, "meter-01", { will: true });
    await other.close();
    await client.close();
    await until("a will", () => seen.length > 0);
    assert.equal(seen[0]?.topic, "ferrule/meter-01/presence");
  });

  test(`${name}: 200 clients at once, each acknowledged`, options, async (t) => {
    const url = await start(t);
    const site = await startSite(t, url);
    const { seen } = await watch(t, url, "load/#");
    const clients = await Promise.all(Array.from({ length: 200 }, () => site.client()));
    await Promise.all(
      clients.map(async (client, i) => {
        // As a node does, it asks again where a busy broker lets the gateway wait too long.
        await until("CONNACK 0", async () => {
          return (await client.ask(connect({ clientId: `load-${i}` }), "CONNACK")).returnCode === 0;
        });
        const { topicId } = await client.ask(register(`load/${i}`), "REGACK");
        for (let msgId = 1; msgId <= 5; msgId++) {
          const { returnCode } = await client.ask(publish(topicId, { msgId }), "PUBACK");
          assert.equal(returnCode, 0);
        }
      }),
    );
    await until("1,000 messages", () => seen.length === 1000);
    assert.equal(site.gateway.gateway.clients().length, 200);
  });
}

test("mosquitto: a restart costs no session", need.program("mosquitto"), async (t) => {
  const first = await startMosquitto();
  const site = await startSite(t, first.url);
  const client = await site.client();
  await connectClient(client, "oven-01");
  const { topicId } = await client.ask(register("p/t"), "REGACK");
  const sub = await client.ask(subscribe("c/sp", { msgId: 9 }), "SUBACK");
  await first.stop();
  await client.next("PINGREQ");
  client.say({ type: "PINGRESP" });
  const refused = await client.ask(publish(topicId, { msgId: 1 }), "PUBACK");
  assert.equal(refused.returnCode, 1);
  await until("a warning", () => site.warnings.length > 0);

  const second = await startMosquitto(first.port);
  t.after(() => second.stop());
  const hub = await watch(t, second.url, "p/#");
  for (let returnCode = 1, msgId = 2; returnCode !== 0; msgId++) {
    ({ returnCode } = await client.ask(publish(topicId, { msgId }), "PUBACK"));
    await delay(20); // until the gateway is at the broker again
  }
  assert.equal(site.warnings.length, 1, "said once");
  await until("the message", () => hub.seen.length > 0);
  await hub.client.publishAsync("c/sp", "80", { qos: 0 });
  const message = await client.next("PUBLISH");
  assert.equal(message.topicId, sub.topicId);
});

test("a broker that is down: clients get 01, the log says it once", async (t) => {
  const broker = await startBroker();
  await broker.close();
  const site = await startSite(t, broker.url);
  const client = await site.client();
  for (let i = 0; i < 3; i++) {
    const { returnCode } = await client.ask(connect(), "CONNACK");
    assert.equal(returnCode, 1);
  }
  assert.equal(site.warnings.length, 1);
  assert.match(
    site.warnings[0]!,
    /^broker mqtt:\/\/127.0.0.1:\d+ cannot be reached \(ECONNREFUSED\)/,
  );
});

test("SEARCHGW to the group on loopback is answered", async (t) => {
  const broker = await startBroker();
  t.after(() => broker.close());
  const site = await startSite(t, broker.url);
  const client = await site.client();
  client.shout({ type: "SEARCHGW", radius: 1 }, "239.255.77.78");
  assert.equal((await client.next("GWINFO")).gwId, 1);
  assert.deepEqual(site.warnings, []);
});

test("a start that cannot be is refused with a sentence that says what to change", async (t) => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  const log = { info: () => undefined, warn: () => undefined };
  const start = (udpHost: string, udpPort: number, brokerUrl: string) =>
    startGateway({ udpHost, udpPort, brokerUrl, log });
  const { port } = socket.address();
  await assert.rejects(start("127.0.0.1", port, "mqtt://127.0.0.1"), {
    message: `udp 127.0.0.1:${port} is in use: stop what listens there or take another port`,
  });
  await assert.rejects(start("192.0.2.1", 0, "mqtt://127.0.0.1"), {
    message: "udp 192.0.2.1:0 is no address of this machine",
  });
  for (const url of ["127.0.0.1:1883", "http://127.0.0.1", "mqtt://", "what"]) {
    await assert.rejects(start("127.0.0.1", 0, url), /is no broker: use mqtt:\/\/HOST\[:PORT\]$/);
  }
});
