// SPDX-License-Identifier: MIT
// Goal: units nobody here wrote are polled; what is told is what they hold.
// Method: pymodbus and libmodbus answer; as WebAssembly on `ferrule up --pty`, and as a process on a port.
// Registers change with each answer, so each value is told once. Patience is the only clock.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { connectAsync } from "mqtt";
import { createWire } from "../../host-sim/devices/wire.ts";
import { openPtyLine } from "../../host-sim/realtime/pty.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildPosix } from "../../scripts/build/posix.ts";
import { type NodeSaid, type Road, startRoad } from "../boards/road.ts";
import { startUp } from "../support/ferrule.ts";
import { listen } from "../support/listen.ts";
import * as need from "../support/need.ts";
import { until } from "../support/until.ts";

const PYTHON = "/usr/bin/python3";
const PEERS = join(import.meta.dirname, "modbus_peers.py");
const STEP = 300; // what a register grows by with each answer
const folder = mkdtempSync(join(tmpdir(), "ferrule-poll-"));
let road: Road | undefined;
before(async () => {
  road = await startRoad();
});
after(async () => {
  await road?.close();
  rmSync(folder, { recursive: true, force: true });
});

const register = (unitId: number, table: string, address: number, type: string): object => ({
  ...{ kind: "register", tap: "bus", unitId, table, address, type },
});

function nodeFolder(name: string, more: object = {}): string {
  const bus = { uart: 0, protocol: "modbus-rtu", baud: 9600, format: "8N1", mode: "poll" };
  const path = join(folder, name);
  const channels = {
    low: register(17, "input", 8, "u16"),
    wide: register(17, "holding", 204, "u32"),
    last: register(17, "holding", 206, "u16"),
    ...more,
  };
  const timing = { everyMs: 250, timeoutMs: 300 };
  mkdirSync(path, { recursive: true });
  const text = JSON.stringify({ type: name, channels, taps: { bus: { ...bus, ...timing } } });
  writeFileSync(join(path, "node.json"), text);
  return path;
}

interface Slave {
  said(): string;
  end(): Promise<void>;
}

async function startSlave(role: string, device: string): Promise<Slave> {
  const child = spawn(PYTHON, [PEERS, role, device], { stdio: ["ignore", "pipe", "pipe"] });
  const { all, closed } = listen(child);
  await until(all, () => all().startsWith("ready"));
  return {
    said: all,
    async end() {
      child.kill();
      await closed;
    },
  };
}

/** Values of one register, in order: each is of another answer, none is told twice. */
function assertGrows(values: readonly number[], address: number, hint: string): void {
  values.forEach((value, i) => {
    assert.equal((value - address) % STEP, 0, `${hint}: ${value} of register ${address}`);
    if (i > 0) assert.ok(value > values[i - 1]!, `${hint}: ${values.join()}`);
  });
}

const PYMODBUS = need.debianPython("/usr/lib/python3/dist-packages/pymodbus");
const ASYNCIO = need.debianPython("/usr/lib/python3/dist-packages/serial_asyncio");
const LIBMODBUS = need.program("mbpoll", "stty"); // it brings the library
const PORTS = need.program("cc", "stty");
const LIBRARIES = { skip: LIBMODBUS.skip || PYMODBUS.skip || ASYNCIO.skip };
const BOTH = { skip: LIBRARIES.skip || PORTS.skip };

for (const role of ["pymodbus-slave", "libmodbus-slave"])
  test(
    `ferrule up polls ${role} over --pty: each value is one that it held`,
    LIBRARIES,
    async (t) => {
      const [a, b] = [join(folder, `${role}-a`), join(folder, `${role}-b`)];
      const up = await startUp([nodeFolder(`asks-${role}`), "--pty", `${a},${b}`, "--page", "0"]);
      t.after(() => up.end());
      const published: Record<string, number[]> = { low: [], wide: [], last: [] };
      const client = await connectAsync(up.broker);
      t.after(() => client.endAsync(true));
      client.on("message", (topic, payload) => {
        const { value } = JSON.parse(payload.toString()) as { value: number };
        published[topic.split("/").at(-1)!]!.push(value);
      });
      await client.subscribeAsync("umh/v1/+/+/+/+/+/_raw/+/+", { qos: 1 });
      await until("both links", () => existsSync(a) && existsSync(b));
      const slave = await startSlave(role, b);
      t.after(() => slave.end());
      const told = (): string => JSON.stringify(published);
      await until(told, () => Object.values(published).every((values) => values.length >= 10));
      assertGrows(published["low"]!, 8, role);
      assertGrows(published["last"]!, 206, role);
      for (const value of published["wide"]!) {
        const [high, low] = [Math.floor(value / 65_536), value % 65_536];
        assert.deepEqual([(high - 204) % STEP, low - high], [0, 1], `${role}: ${value}`);
      }
    },
  );

interface Bench {
  said(): string;
  port: string; // of the slave
  pid: number;
  channels(): Promise<Record<string, Channel>>;
}
type Channel = NodeSaid["channels"][number];

/** The node as a process on one end of a line, whose other end is a port. */
async function startProcess(t: TestContext, name: string, path: string): Promise<Bench> {
  const [own, port] = [join(folder, `${name}-own`), join(folder, `${name}-port`)];
  const wire = createWire(0, 9600, "8N1");
  const startMs = performance.now();
  const nowUs = (): number => (performance.now() - startMs) * 1000;
  const line = openPtyLine({ paths: [own, port], wire, nowUs, log: () => undefined });
  t.after(() => line.close());
  const { program } = buildPosix(await buildNode(path), join(folder, "built", name));
  const args = ["--id", name, "--gateway", road!.gateway, "--tap", `0=${own}`];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const { all, closed } = listen(child);
  t.after(async () => {
    child.kill();
    await closed;
  });
  return {
    said: all,
    port,
    pid: child.pid!,
    async channels() {
      const list = (await road!.node(name))?.channels ?? [];
      return Object.fromEntries(list.map((one) => [one.name, one]));
    },
  };
}

/** Waits for a channel to be so; its value. */
async function untilChannel(bench: Bench, name: string, wanted: string): Promise<number | null> {
  let latest: Channel | undefined;
  const is = (): string => `${latest?.quality} ${latest?.cause ?? ""}`.trim();
  await until(
    () => `${name}: ${wanted}, not ${is()}\n${bench.said()}`,
    async () => {
      latest = (await bench.channels())[name];
      // Before its first reading a channel is neither.
      return is() === wanted && (wanted === "good") === (latest?.value !== null);
    },
  );
  return latest!.value;
}

test(
  "a process polls: values, a wrong unit, an exception, a unit that goes and one that comes",
  BOTH,
  async (t) => {
    const path = nodeFolder("asker", {
      nobody: register(18, "holding", 1, "u16"),
      refused: register(17, "input", 5000, "u16"),
    });
    const bench = await startProcess(t, "asker", path);
    await until(bench.said, () => /tap 0 polls: it sends on .*asker-own/.test(bench.said()));
    const slave = await startSlave("pymodbus-slave", bench.port);
    t.after(() => slave.end());
    const first = (await untilChannel(bench, "low", "good"))!;
    assert.equal((first - 8) % STEP, 0);
    await untilChannel(bench, "nobody", "bad stale");
    await untilChannel(bench, "refused", "bad no-input");
    const wide = (await untilChannel(bench, "wide", "good"))!;
    assert.equal((wide % 65_536) - Math.floor(wide / 65_536), 1);
    await slave.end();
    await untilChannel(bench, "low", "bad stale");
    const again = await startSlave("libmodbus-slave", bench.port);
    t.after(() => again.end());
    assert.equal(((await untilChannel(bench, "low", "good"))! - 8) % STEP, 0);
  },
);

/** How a process has a file open: 0 to read, 1 to write, 2 both. */
function openModes(pid: number, file: string): number[] {
  const wanted = realpathSync(file);
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== wanted) return [];
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8"))![1]!;
      return [parseInt(flags, 8) & 3];
    } catch {
      return []; // closed meanwhile
    }
  });
}

test(
  "a tap that listens has its port open for reading alone, one that polls once more",
  PORTS,
  async (t) => {
    const path = join(folder, "listens");
    mkdirSync(path, { recursive: true });
    const bus = { uart: 0, protocol: "modbus-rtu", baud: 9600 };
    const channels = { low: register(17, "input", 8, "u16") };
    const text = JSON.stringify({ type: "listens", channels, taps: { bus } });
    writeFileSync(join(path, "node.json"), text);
    const listener = await startProcess(t, "listens", path);
    const asker = await startProcess(t, "asks", nodeFolder("asks"));
    const modes = ({ pid }: Bench, name: string) => openModes(pid, join(folder, `${name}-own`));
    await until(asker.said, () => modes(asker, "asks").length === 2);
    assert.deepEqual(modes(asker, "asks").sort(), [0, 1]);
    await until(listener.said, () => modes(listener, "listens").length > 0);
    assert.deepEqual(modes(listener, "listens"), [0]);
    assert.doesNotMatch(listener.said(), /polls/);
  },
);
