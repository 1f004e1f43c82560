// SPDX-License-Identifier: MIT
// mosquitto on a free loopback port, and mosquitto_sub as a subscriber.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "./need.ts";
import { until } from "./until.ts";

export interface Mosquitto {
  port: number;
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts mosquitto without persistence; the port may be given to start it again at the same place, and
 * more lines of its configuration.
 */
export async function startMosquitto(
  port?: number,
  more: readonly string[] = [],
): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "mosquitto-"));
  const chosen = port ?? (await freePort());
  const file = join(folder, "mosquitto.conf");
  const lines = [`listener ${chosen} 127.0.0.1`, "allow_anonymous true", "persistence false"];
  writeFileSync(file, [...lines, ...more, ""].join("\n"));
  const child = spawn(findProgram("mosquitto")!, ["-c", file], { stdio: "ignore" });
  await untilListening(chosen);
  const stop = async (): Promise<void> => {
    const closed = once(child, "close");
    child.kill();
    await closed;
    rmSync(folder, { recursive: true, force: true });
  };
  return { port: chosen, url: `mqtt://127.0.0.1:${chosen}`, stop };
}

/** Everything mosquitto_sub sees on `filter` from now on: topic and payload in hex. */
export async function subscribe(
  port: number,
  filter: string,
): Promise<{ messages: { topic: string; hex: string }[]; stop(): void }> {
  const place = ["-h", "127.0.0.1", "-p", String(port)];
  const args = [...place, "-t", filter, "-q", "1", "-F", "| %t %x", "-d"];
  // Into a pipe it would keep what it tells of itself for later.
  const line = ["-oL", "mosquitto_sub", ...args];
  const child = spawn("stdbuf", line, { stdio: ["ignore", "pipe", "ignore"] });
  const messages: { topic: string; hex: string }[] = [];
  let rest = "";
  let subscribed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      subscribed ||= line.startsWith("Subscribed ");
      const [mark, topic = "", hex = ""] = line.split(" ");
      if (mark === "|") messages.push({ topic, hex });
    }
  });
  await until(`a SUBACK for ${filter}`, () => subscribed);
  return { messages, stop: () => void child.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function untilListening(port: number): Promise<void> {
  await until(`mosquitto on port ${port}`, async () => {
    const socket = connect(port, "127.0.0.1");
    const answer = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    return answer;
  });
}
