// SPDX-License-Identifier: MIT
// Goal: `ferrule tap detect` tells a line and its protocol, of samples alone.
//
// Method: a recording of Modbus laid onto a wire bit by bit, with a header that lies; the same octets with their times; a
// wire that is no serial line; the octets once more through a pty, where rates are tried in turn.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import * as make from "../support/telegrams.ts";
import { replay } from "./tap-commands.ts";

const OWN = join(PROJECT, "tests/vectors/modbus-libmodbus-mbpoll.jsonl");
const BAUD = 19_200;
const RATE_HZ = 1_000_000;
const folder = mkdtempSync(join(tmpdir(), "ferrule-tap-detect-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Heard {
  t_us: number;
  hex: string;
}

function octets(): Heard[] {
  const lines = readFileSync(OWN, "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) => JSON.parse(line) as Heard);
}

// Levels of 8E1 at BAUD, the pauses of the recording between frames; distances of edges in samples.
function wave(inverted: boolean): { initial: number; edges: number[]; samples: number } {
  const idle = inverted ? 0 : 1;
  const bit = RATE_HZ / BAUD;
  const edges: number[] = [];
  let level = 1;
  let edgeAt = 0;
  let now = 0;
  let lastUs = 0;
  const drive = (to: number, at: number): void => {
    if (to === level) return;
    edges.push(Math.round(at) - edgeAt);
    edgeAt = Math.round(at);
    level = to;
  };
  for (const { t_us: atUs, hex } of octets()) {
    if (atUs - lastUs > 2000) now += atUs - lastUs;
    lastUs = atUs;
    const octet = parseInt(hex, 16);
    const ones = octet.toString(2).replaceAll("0", "").length;
    const bits = [0, ...Array.from({ length: 8 }, (_, i) => (octet >> i) & 1), ones & 1, 1];
    bits.forEach((each, i) => drive(each, now + i * bit));
    now += bits.length * bit;
  }
  return { initial: idle, edges, samples: Math.round(now + 1000) };
}

function capture(name: string, ...channels: [string, ReturnType<typeof wave>][]): string {
  const header = { kind: "edges", baud: 300, format: "7O1", inverted: true, protocol: "sml" };
  const rows = channels.map(([channel, { initial, samples, edges }]) => ({
    ...{ sample_rate_hz: RATE_HZ, channel, initial, samples, edges },
  }));
  const path = join(folder, name);
  writeFileSync(path, [header, ...rows].map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}

interface Detected {
  channel?: string;
  baud: number | null;
  format: string | null;
  inverted: boolean;
  protocol: string | null;
  confidence: number;
  why: string[];
}

async function detect(...args: string[]): Promise<Detected[]> {
  const run = await ferrule(["tap", "detect", ...args, "--json"]);
  assert.equal(run.code, 0, run.stderr);
  return run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Detected);
}

test("a wire tells its line; the header of the capture is not believed", async () => {
  const [found, ...more] = await detect(capture("one.jsonl", ["A", wave(false)]));
  assert.equal(more.length, 0);
  const { confidence, why, ...line } = found!;
  const keys = ["baud", "format", "inverted", "protocol", "confidence", "why"];
  assert.deepEqual(Object.keys(found!), keys);
  assert.deepEqual(line, { baud: BAUD, format: "8E1", inverted: false, protocol: "modbus-rtu" });
  assert.ok(confidence > 90, String(confidence));
  assert.equal(why.length, 2);
});

test("each of several channels has a line, and one can be chosen", async () => {
  const none = { initial: 1, edges: Array.from({ length: 400 }, jitter), samples: 400_000 };
  const file = capture("two.jsonl", ["up", wave(true)], ["down", none]);
  const [up, down] = await detect(file);
  assert.deepEqual([up!.channel, up!.baud, up!.inverted], ["up", BAUD, true]);
  assert.deepEqual([down!.channel, down!.baud, down!.protocol], ["down", null, null]);
  const chosen = await detect(file, "--channel", "down");
  assert.deepEqual(chosen, [down]);
  const wrong = await ferrule(["tap", "detect", file, "--channel", "x"]);
  assert.deepEqual(
    [wrong.code, wrong.stderr],
    [3, `ferrule: ${file} has no channel x\n  next: it has up, down\n`],
  );
});

// Pulses of any length: no rate fits them.
function jitter(_: unknown, i: number): number {
  return 40 + ((i * 2_654_435_761) % 1913);
}

test("octets tell rate and protocol by their times", async () => {
  const [found] = await detect(OWN);
  const { baud, format, protocol, why } = found!;
  assert.deepEqual([baud, format, protocol], [9600, "8E1", "modbus-rtu"]);
  assert.equal(
    why[0],
    "octets come 1145 us apart: 11 bits at 9600 baud; 8O1 and 8N2 would look the same",
  );
  const text = (await ferrule(["tap", "detect", OWN])).stdout;
  assert.match(text, /^9600 8E1, modbus-rtu, \d+ % sure\n {2}octets come 1145 us apart/);
});

test("at a port rates are tried in turn", async (t) => {
  const [player, path] = await replay(t, OWN, "--repeat", "50");
  const [found] = await detect(path, "--for", "50s");
  assert.equal(found!.protocol, "modbus-rtu");
  assert.equal(found!.baud !== null, true);
  player.child.kill("SIGINT");
  await player.closed;
});

function telegram(name: string, said: Iterable<number>, characterUs: number): string {
  const rows = [...said].map((octet, i) => ({
    ...{ t_us: Math.round(500_000 + i * characterUs), dir: "x" },
    hex: octet.toString(16).padStart(2, "0"),
  }));
  const path = join(folder, name);
  writeFileSync(path, [{ kind: "bytes" }, ...rows].map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

test("one telegram of a meter is enough, also one longer than a node's sample", async () => {
  const sets = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => `1-0:${i % 100}.8.${i % 7}(00${1000 + i}.5*kWh)`);
  const P1_US = 86.8;
  for (const [name, said, characterUs, wanted] of [
    ["p1", make.p1Telegram(sets(20)), P1_US, "dsmr-p1"],
    ["p1-long", make.p1Telegram(sets(60)), P1_US, "dsmr-p1"],
    ["iec-long", make.readOut(sets(80)), 1041.7, "iec62056-21"],
    ["p1-damaged", make.p1Telegram(sets(60), () => "0000"), P1_US, "ascii-line"],
    ["text", Buffer.from("temperature (1) is (2) fine (3)\r\n".repeat(9)), P1_US, "ascii-line"],
  ] as const) {
    const [found] = await detect(telegram(`${name}.jsonl`, said, characterUs));
    assert.equal(found!.protocol, wanted, `${name}: ${found!.why.join("; ")}`);
    assert.equal(found!.baud, characterUs === P1_US ? 115_200 : 9600, name);
    assert.ok(found!.confidence < 100, name);
  }
});
