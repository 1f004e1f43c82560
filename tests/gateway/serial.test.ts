// SPDX-License-Identifier: MIT
// Goal: a node on a serial line is a client, and a pulled plug ends nothing.
//
// Method: ptys in place of ports, a broker in process, frames by hand; the command itself once.

import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { connectAsync } from "mqtt";
import { encode } from "../../gateway/encode.ts";
import { createFrameDecoder, createFrameEncoder } from "../../gateway/frame.ts";
import { startGateway } from "../../gateway/index.ts";
import { decode, type Packet } from "../../gateway/packet.ts";
import { startBroker } from "../../scripts/run/broker.ts";
import { ferrule } from "../support/ferrule.ts";
import { until } from "../support/until.ts";
import { connect, publish, register, text } from "./client.ts";

interface Pty {
  readonly path: string; // of the side that the gateway opens
  write(octets: Uint8Array): void;
  say(packet: Packet): void;
  next(type: Packet["type"]): Promise<Packet>;
  pull(): void;
}

function openPty(): Pty {
  const load = createRequire(import.meta.url);
  const { open } = load("@lydell/node-pty") as {
    open(options: { encoding: null }): { ptsName: string; master: Readable; slave: Readable };
  };
  const pty = open({ encoding: null });
  const fd = Number((pty as unknown as Record<string, unknown>)["_fd"]);
  const held = openSync(pty.ptsName, constants.O_RDWR | constants.O_NOCTTY); // until it is pulled
  pty.slave.destroy(); // it would read what the gateway is to get
  const decoder = createFrameDecoder();
  const encodeFrame = createFrameEncoder();
  const inbox: Packet[] = [];
  pty.master.on("error", () => undefined); // a pulled plug
  pty.master.on("data", (octets: Buffer) =>
    decoder.push(octets, (message) => inbox.push(decode(message) as Packet)),
  );
  const write = (octets: Uint8Array): void => void writeSync(fd, octets);
  return {
    path: pty.ptsName,
    write,
    say: (packet) => write(encodeFrame(encode(packet))),
    async next(type) {
      let found: Packet | undefined;
      await until(type, () => {
        do found = inbox.shift();
        while (found !== undefined && found.type !== type);
        return found !== undefined;
      });
      return found!;
    },
    pull() {
      closeSync(held);
      pty.master.destroy();
    },
  };
}

async function startSite(t: TestContext, path: string) {
  const broker = await startBroker();
  t.after(() => broker.close());
  const said: string[] = [];
  const log = { info: (line: string) => said.push(line), warn: (line: string) => said.push(line) };
  const gateway = await startGateway({
    ...{ udpHost: "127.0.0.1", udpPort: 0, brokerUrl: broker.url, log, group: false },
    serial: [{ path, baud: 115_200 }],
  });
  t.after(() => gateway.close());
  const reader = await connectAsync(broker.url);
  t.after(() => reader.endAsync());
  await reader.subscribeAsync("#");
  const got: string[] = [];
  reader.on("message", (topic, payload) => got.push(`${topic} ${text(payload)}`));
  return { gateway, said, got };
}

/** Connects and publishes one reading, as a node would. */
async function speak(pty: Pty, clientId: string): Promise<void> {
  pty.say(connect({ clientId }));
  const answer = await pty.next("CONNACK");
  assert.ok(answer.type === "CONNACK" && answer.returnCode === 0);
  pty.say(register("plant/oven"));
  const known = await pty.next("REGACK");
  assert.ok(known.type === "REGACK");
  pty.say(publish(known.topicId));
  await pty.next("PUBACK");
}

/** A site whose line is a link that leads nowhere yet, which the log has told. */
async function startUnplugged(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "ferrule serial "));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "tty");
  const site = await startSite(t, path);
  await until("a first line", () => site.said.length > 0);
  assert.match(site.said[0]!, /^serial .*tty is not open: no such file \(plug the adapter in, or/);
  return { path, ...site };
}

test("readings of a node on a line reach the broker, through noise and mid-frame", async (t) => {
  const { path, gateway, said, got } = await startUnplugged(t);
  const pty = openPty();
  t.after(() => pty.pull());
  symlinkSync(pty.path, path);
  await until("an open port", () => said.includes(`serial ${path} is open`));
  pty.write(Uint8Array.of(0x13, 0x37, 0xff, 0x01)); // the end of a frame that began before
  await speak(pty, "oven-1");
  await until("the reading", () => got.includes("plant/oven 21.5"));
  pty.write(Uint8Array.of(0x00, 0x55, 0xaa, 0x00, 0x03, 0x02, 0x16, 0x00));
  pty.say({ type: "PINGREQ", clientId: new Uint8Array(0) });
  await pty.next("PINGRESP");
  const [line] = gateway.serial;
  assert.equal(line!.counters.badFrame + line!.counters.badCrc, 2);
  assert.equal(line!.counters.lost, 0);
  assert.deepEqual(
    gateway.gateway.clients().map(({ clientId, peer }) => [clientId, peer]),
    [["oven-1", `serial:${path}`]],
  );
});

test("a plug that is pulled is told once, and used again when it is back", async (t) => {
  const { path, said, got } = await startUnplugged(t);
  const first = openPty();
  symlinkSync(first.path, path);
  await until("an open port", () => said.includes(`serial ${path} is open`));
  await speak(first, "oven-1");
  first.pull();
  await until("the loss", () => said.length >= 3);
  assert.match(said[2]!, /is not open: .*; it is tried again$/);
  rmSync(path);
  const second = openPty();
  t.after(() => second.pull());
  symlinkSync(second.path, path);
  await until("the port again", () => said.length >= 4);
  await speak(second, "oven-1");
  const readings = (): string[] => got.filter((line) => line === "plant/oven 21.5");
  await until("both readings", () => readings().length === 2);
});

test("the command refuses what is no port, with what would be one", async () => {
  const args = ["gateway", "--broker", "mqtt://127.0.0.1:1", "--serial"];
  for (const place of ["/dev/ttyUSB0", "@9600", "/dev/ttyUSB0@0", "/dev/ttyUSB0@fast"]) {
    const run = await ferrule([...args, place]);
    assert.equal(run.code, 2, run.stderr);
    assert.match(run.stderr, /PATH@BAUD, as \/dev\/ttyUSB0@115200/);
  }
  const twice = await ferrule([...args, "/dev/a@9600", "--serial", "/dev/a@9600"]);
  assert.match(twice.stderr, /\/dev\/a is there twice/);
});
