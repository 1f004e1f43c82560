// SPDX-License-Identifier: MIT
// A line between two ends: characters take their time, the tap hears both ends.
//
// Goal: outside programs talk over ptys while a node taps. Method: the wire in virtual time at its bounds; then a
// Modbus master and a server in python3 on two ptys, what the master got against what the hub has.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, existsSync, lstatSync, mkdtempSync, openSync } from "node:fs";
import { readlinkSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { TAP_FLAG_OVERRUN } from "../../firmware/wire/tap.ts";
import { characterUs, createWire, type End } from "../../host-sim/devices/wire.ts";
import { WIRE_CHARACTERS_MAX } from "../../host-sim/limits.ts";
import { openPtyLine, PtyError } from "../../host-sim/realtime/pty.ts";
import { startRealtime } from "../../host-sim/realtime/run.ts";
import { buildPlant } from "../scenarios/plants.ts";
import { listen, type Listener } from "../support/listen.ts";
import * as need from "../support/need.ts";
import { until } from "../support/until.ts";
import { startRealtimeRoad } from "./realtime-road.ts";

const folder = mkdtempSync(join(tmpdir(), "ferrule-"));
after(() => rmSync(folder, { recursive: true }));

test("a character takes start, data, parity and stop bits", () => {
  assert.equal(Math.round(characterUs(9600, "8N1")), 1042);
  assert.equal(Math.round(characterUs(9600, "8E1")), 1146);
  assert.equal(Math.round(characterUs(19_200, "8N2")), 573);
  assert.equal(characterUs(1000, "7O1"), 10_000);
});

test("octets cross one after the other, and the tap hears both ends in order of time", () => {
  const wire = createWire(1, 1000, "8N1"); // 10 ms a character
  const reached: [End, number, number][] = [];
  const heard: [number, number, number][] = [];
  const runTo = (nowMs: number): void => {
    wire.deliver(nowMs * 1000, (to, byte) => reached.push([to, byte, nowMs]));
    wire.device.advance(nowMs * 1000, (tap, endUs, byte) => heard.push([tap, endUs / 1000, byte]));
  };
  wire.say(0, Uint8Array.of(1, 2), 0);
  wire.say(1, Uint8Array.of(9), 5000);
  assert.equal(wire.nextDueUs(), 10_000);
  for (let ms = 1; ms <= 40; ms++) runTo(ms);
  wire.say(0, Uint8Array.of(3), 40_000);
  assert.equal(wire.nextDueUs(), 50_000);
  runTo(50);
  assert.equal(wire.nextDueUs(), Infinity);
  assert.deepEqual(reached, [
    [1, 1, 10],
    [0, 9, 15],
    [1, 2, 20],
    [1, 3, 50],
  ]);
  assert.deepEqual(
    heard,
    [
      [10, 1],
      [15, 9],
      [20, 2],
      [50, 3],
    ].map(([ms, byte]) => [1, ms, byte]),
  );
});

test("an end that floods is cut off and counted; the other end is not", () => {
  const wire = createWire(0, 9600, "8N1");
  wire.say(0, new Uint8Array(WIRE_CHARACTERS_MAX + 7), 0);
  wire.say(1, Uint8Array.of(5), 0);
  assert.equal(wire.dropped(), 7);
  const counts: [number, number] = [0, 0];
  wire.deliver(10_000_000, (to) => counts[to]++);
  assert.deepEqual(counts, [1, WIRE_CHARACTERS_MAX]);
  assert.equal(wire.dropped(), 8, "the tap's queue has its bound too");
  wire.device.advance(10_000_000, () => undefined);
  wire.say(1, Uint8Array.of(6, 7), 10_000_000);
  wire.deliver(11_000_000, () => undefined);
  const heard: number[][] = [];
  wire.device.advance(11_000_000, (_, __, byte, flags) => heard.push([byte, flags]));
  assert.deepEqual(heard, [
    [6, TAP_FLAG_OVERRUN],
    [7, 0],
  ]);
});

const ptys = need.program("python3", "stty");

test("a path that is taken is refused; a link of an earlier run is not", ptys, () => {
  const options = (a: string, b: string): Parameters<typeof openPtyLine>[0] => ({
    paths: [join(folder, a), join(folder, b)],
    wire: createWire(0, 9600, "8N1"),
    nowUs: () => 0,
    log: assert.fail,
  });
  writeFileSync(join(folder, "file"), "mine");
  assert.throws(() => openPtyLine(options("file", "b")), PtyError);
  assert.throws(() => openPtyLine(options("a", "a")), PtyError);
  assert.throws(() => openPtyLine(options("a", "absent/b")), PtyError);
  assert.ok(!existsSync(join(folder, "a")), "the other end is taken back");
  const left = openPtyLine(options("a", "b"));
  const again = openPtyLine(options("a", "b"));
  left.close();
  assert.match(readlinkSync(join(folder, "a")), /^\/dev\/pts\//, "it is the other run's now");
  again.close();
  assert.ok(!existsSync(join(folder, "a")) && !existsSync(join(folder, "b")));
  assert.ok(lstatSync(join(folder, "file")).isFile());
});

test(
  "an end that nobody reads loses what does not fit, counted, and stops nothing",
  ptys,
  async () => {
    const [a, b] = [join(folder, "loud"), join(folder, "deaf")] as const;
    const startMs = performance.now();
    const line = openPtyLine({
      paths: [a, b],
      wire: createWire(0, 50_000_000, "8N1"), // 200 octets in 40 µs
      nowUs: () => Math.floor((performance.now() - startMs) * 1000),
      log: assert.fail,
    });
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
    const loud = openSync(a, O_RDWR | O_NOCTTY | O_NONBLOCK); // this process also reads the other side
    try {
      await until("octets that no longer fit", () => {
        try {
          writeSync(loud, Buffer.alloc(2000));
        } catch (error) {
          assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
        }
        return line.unread() > 0;
      });
    } finally {
      closeSync(loud);
      line.close();
    }
  },
);

test("a machine without ptys is told with the next step, and nothing is left", () => {
  const options = {
    paths: [join(folder, "none-a"), join(folder, "none-b")] as const,
    wire: createWire(0, 9600, "8N1"),
    nowUs: () => 0,
    log: assert.fail,
    open(): never {
      throw new Error("openpty(3) failed.\nmore");
    },
  };
  assert.throws(() => openPtyLine(options), {
    name: "PtyError",
    message: "this machine gives no pseudo-terminal (openpty(3) failed.)",
    next: "leave --pty away",
  });
  assert.ok(!existsSync(options.paths[0]), "no link");
});

// A Modbus RTU server or master of a few lines, with nothing of ours.
const TALKER = `
import os, sys, time, tty
def crc(octets):
    value = 0xffff
    for octet in octets:
        value ^= octet
        for _ in range(8): value = (value >> 1) ^ 0xa001 if value & 1 else value >> 1
    return octets + bytes([value & 255, value >> 8])
line = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY)
tty.setraw(line)
print("ready", flush=True)
def read(count):
    got = b""
    while len(got) < count: got += os.read(line, count - len(got))
    return got
value = 2300
while True:
    if sys.argv[1] == "server":
        if read(8) != crc(bytes([17, 4, 0, 8, 0, 1])): sys.exit("a broken request")
        value += 1
        os.write(line, crc(bytes([17, 4, 2, value >> 8, value & 255])))
    else:
        start = time.monotonic()
        os.write(line, crc(bytes([17, 4, 0, 8, 0, 1])))
        answer = read(7)
        if answer != crc(answer[:5]): sys.exit("a broken answer")
        print(answer[3] * 256 + answer[4], round((time.monotonic() - start) * 1000), flush=True)
        time.sleep(0.1)
`;

test(
  "two programs talk Modbus over ptys while a meter taps what the master gets",
  ptys,
  async (t) => {
    const plan = await buildPlant({ "meter-1": "meter" });
    const road = await startRealtimeRoad(plan.hub);
    t.after(() => road.close()); // whatever fails: what stays open would keep this process from ending
    const paths = [join(folder, "master"), join(folder, "server")] as const;
    const nodes = startRealtime(plan, {
      gateway: { host: "127.0.0.1", port: road.port },
      seed: 1,
      log: () => undefined,
      pty: { node: "meter-1", tap: "bus", paths },
    });
    const talkers: ChildProcess[] = [];
    const talk = (role: string, path: string): Listener => {
      const stdio = ["ignore", "pipe", "inherit"] as const;
      const talker = spawn("python3", ["-c", TALKER, role, path], { stdio: [...stdio] });
      talkers.push(talker);
      return listen(talker);
    };
    try {
      await talk("server", paths[1]).says(/ready/); // what meets an unready server is lost for ever
      const master = talk("master", paths[0]);
      const lines = (): number[][] =>
        master
          .all()
          .split("\n")
          .slice(1, -1) // without "ready"
          .map((line) => line.split(" ").map(Number));
      const heard = (): number[] =>
        (road.hub.history("meter-1", "voltage", 0) ?? []).flatMap(([, value]) =>
          value === null ? [] : [Math.round(value * 10)],
        );
      await until(
        () => `answers; master: ${master.all()}; hub: ${heard().join()}`,
        () => lines().length >= 10 && heard().length >= 8,
      );
      const got = lines().map(([value]) => value);
      const published = heard();
      const common = published.slice(0, got.length);
      assert.deepEqual(common, got.slice(got.indexOf(common[0]!)).slice(0, common.length));
      // 8 and 7 characters of 1.146 ms each.
      assert.ok(
        lines().every(([, ms]) => ms! >= 17),
        `an answer was too fast: ${master.all()}`,
      );
    } finally {
      for (const talker of talkers) talker.kill();
      await nodes.close();
    }
    assert.ok(!existsSync(paths[0]));
  },
);
