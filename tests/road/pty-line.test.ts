// SPDX-License-Identifier: MIT
// Goal: programs nobody here wrote talk over --pty while a meter taps.
//
// Links come and go as promised. Method: mbpoll (libmodbus) asks pymodbus, and pymodbus asks libmodbus, on the two links of `ferrule up`. Registers
// change with each answer, so what the broker carries must be what the master got, value by value.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { connectAsync } from "mqtt";
import { ferrule, PROJECT, startUp } from "../support/ferrule.ts";
import { listen } from "../support/listen.ts";
import * as need from "../support/need.ts";
import { until } from "../support/until.ts";

const METER = join(PROJECT, "firmware/nodes/meter");
const PYTHON = "/usr/bin/python3";
const PEERS = join(import.meta.dirname, "modbus_peers.py");
const folder = mkdtempSync(join(tmpdir(), "ferrule-pty-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Talker {
  said(): string;
  end(): Promise<void>;
}

function talk(program: string, args: string[]): Talker {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const { all, closed } = listen(child);
  return {
    said: all,
    async end() {
      child.kill();
      await closed;
    },
  };
}

/** What a master got, by tag of the meter, in steps of its channel. */
type Values = Record<string, number[]>;

function gotByPymodbus(said: string): Values {
  const values: Values = { voltage: [], power: [], energy: [] };
  for (const line of said.split("\n").slice(0, -1)) {
    const [table, address, ...registers] = line.split(" ");
    const [a = 0, b = 0, c = 0, d = 0] = registers.map(Number);
    if (table === "input" && address === "8") values["voltage"]!.push(a);
    if (table !== "holding" || address !== "204") continue;
    values["power"]!.push(((a << 16) | b) >> 0);
    values["energy"]!.push(c * 65_536 + d);
  }
  return values;
}

function gotByMbpoll(said: string): Values {
  const voltage = [...said.matchAll(/^\[9\]:\s+(\d+)/gm)].map(([, value]) => Number(value));
  return { voltage };
}

const SCALES: Record<string, number> = { voltage: 0.1, power: 0.1, energy: 360 };

interface Pairing {
  slave: string;
  master: (link: string) => Talker;
  got: (said: string) => Values;
  answers: number;
}

async function talkAndCompare(t: TestContext, pairing: Pairing): Promise<void> {
  const [a, b] = [join(folder, `${pairing.slave}-a`), join(folder, `${pairing.slave}-b`)];
  const road = await startUp([METER, "--pty", `${a},${b}`, "--page", "0"]);
  const talkers: Talker[] = [];
  const published: Values = {};
  t.after(async () => {
    await Promise.all(talkers.map((talker) => talker.end()));
    await road.end();
  });
  const client = await connectAsync(road.broker);
  t.after(() => client.endAsync(true));
  client.on("message", (topic, payload) => {
    const tag = topic.split("/").at(-1)!;
    const { value } = JSON.parse(payload.toString()) as { value: number };
    (published[tag] ??= []).push(Math.round(value / SCALES[tag]!));
  });
  await client.subscribeAsync("umh/v1/+/+/+/+/+/_raw/meter/+", { qos: 1 });
  await until("both links", () => existsSync(a) && existsSync(b));
  const slave = talk(PYTHON, [PEERS, pairing.slave, b]);
  talkers.push(slave);
  await until(slave.said, () => slave.said().startsWith("ready"));
  const master = pairing.master(a);
  talkers.push(master);
  const got = (): Values => pairing.got(master.said());
  await until(master.said, () =>
    Object.values(got()).every((values) => values.length >= pairing.answers),
  );
  await master.end();
  const told = (): string => `${master.said()}\npublished: ${JSON.stringify(published)}`;
  await until(told, () =>
    Object.entries(got()).every(([tag, values]) => (published[tag] ?? []).includes(values.at(-1)!)),
  );
  for (const [tag, values] of Object.entries(got())) {
    assert.equal(new Set(values).size, values.length, `${tag} did not change: ${values.join()}`);
    // The master may have been ended between the answer on the line and its own line of text.
    const heard = published[tag]!.slice(0, values.length);
    assert.deepEqual(heard, values, tag);
    assert.ok(published[tag]!.length <= values.length + 1, `${tag} was published too often`);
  }
}

const PYMODBUS = need.debianPython("/usr/lib/python3/dist-packages/pymodbus");
const ASYNCIO = need.debianPython("/usr/lib/python3/dist-packages/serial_asyncio");
const MBPOLL = need.program("mbpoll", "stdbuf", "stty");
const BOTH = { skip: MBPOLL.skip || PYMODBUS.skip || ASYNCIO.skip };

test("what mbpoll gets of pymodbus over --pty is what is published, in order", BOTH, async (t) => {
  const ask = [
    "-m",
    "rtu",
    "-a",
    "17",
    "-b",
    "9600",
    "-P",
    "even",
    "-t",
    "3",
    "-r",
    "9",
    "-c",
    "1",
  ];
  await talkAndCompare(t, {
    slave: "pymodbus-slave",
    master: (link) => talk("stdbuf", ["-oL", "mbpoll", ...ask, "-l", "200", "-o", "5", link]),
    got: gotByMbpoll,
    answers: 12,
  });
});

test("what pymodbus gets of libmodbus over --pty is what is published", BOTH, async (t) => {
  await talkAndCompare(t, {
    slave: "libmodbus-slave",
    master: (link) => talk(PYTHON, [PEERS, "pymodbus-master", link]),
    got: gotByPymodbus,
    answers: 8,
  });
});

const STTY = need.program("stty");

test(
  "sim --pty tells its links, takes them away at the end and sums up as sim does",
  STTY,
  async () => {
    const [a, b] = [join(folder, "sim-a"), join(folder, "sim-b")];
    symlinkSync("/dev/pts/999", a); // left by a run that was killed
    const run = await ferrule(["sim", METER, "--pty", `meter/bus:${a},${b}`, "--for", "1"]);
    assert.equal(run.code, 0, run.stderr);
    const lines = run.stdout.trimEnd().split("\n");
    assert.ok(lines.includes(`line meter/bus ${a} ${b}`), run.stdout);
    assert.match(run.stdout, /\n(\d+) queued = \1 ingested \+ 0 dropped \+ 0 lost\n/);
    assert.match(run.stdout, / s passed, seed 1, 1 nodes\n {2}meter: \d+ queued, boot 1\n$/);
    assert.ok(!existsSync(a) && !existsSync(b), "a link stayed");
  },
);

test("Ctrl-C takes the links away and ends with 130", STTY, async (t) => {
  const [a, b] = [join(folder, "int-a"), join(folder, "int-b")];
  const args = ["scripts/ferrule.js", "sim", METER, "--pty", `${a},${b}`, "--for", "10m"];
  // In a session of its own, which has no terminal: the ptys must not become that.
  const child = spawn(process.execPath, args, { cwd: PROJECT, stdio: "ignore", detached: true });
  t.after(() => child.kill("SIGKILL"));
  const closed = once(child, "close");
  await until("both links", () => existsSync(a) && existsSync(b));
  child.kill("SIGINT");
  assert.deepEqual((await closed)[0], 130);
  assert.ok(!existsSync(a) && !existsSync(b), "a link stayed");
});

test("a wish that cannot be had is one clear message before anything starts", async () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "mine");
  const free = join(folder, "free");
  const two = join(folder, "two.json");
  const place = { enterprise: "e", site: "s", area: "a", line: "l", cell: "c" };
  const nodes = ["m-1", "m-2"].map((id) => ({ id, node: METER }));
  writeFileSync(two, JSON.stringify({ ...place, nodes }));
  const oven = join(PROJECT, "firmware/nodes/oven");
  const cases: [string[], number, string, string][] = [
    [
      [METER, "--pty", `${file},${free}`],
      1,
      `${file} is taken by a file`,
      "give a path where nothing is",
    ],
    [
      [METER, "--pty", `${free},${folder}/no/b`],
      1,
      `the folder of ${folder}/no/b is not there`,
      "make it, or give another path",
    ],
    [
      [METER, "--pty", `bus-2:${free},${free}2`],
      3,
      "there is no tap bus-2",
      `choose one of meter/bus, as --pty meter/bus:${free},${free}2`,
    ],
    [
      [two, "--pty", `${free},${free}2`],
      3,
      "2 taps could be meant by --pty",
      `choose one of m-1/bus, m-2/bus, as --pty m-1/bus:${free},${free}2`,
    ],
    [
      [oven, "--pty", `${free},${free}2`],
      3,
      "no node of this plant has a tap, so there is no line for --pty",
      "leave --pty away, or give a node a tap in its node.json",
    ],
    [
      [METER, "--pty", `${free},${free}`],
      1,
      "the two ends of a line need two paths",
      "give two, as --pty a,b",
    ],
    [
      [METER, "--realtime", "--trace", free],
      2,
      "--trace is for virtual time",
      "leave it away, or leave --realtime and --pty away",
    ],
  ];
  for (const [args, code, message, next] of cases) {
    const run = await ferrule(["sim", ...args]);
    assert.equal(run.stderr, `ferrule: ${message}\n  next: ${next}\n`);
    assert.deepEqual([run.code, run.stdout], [code, ""], args.join(" "));
  }
  assert.ok(!existsSync(free), "nothing was made");
});
