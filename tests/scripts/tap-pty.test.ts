// SPDX-License-Identifier: MIT
// Goal: a line goes through ptys as it is; an end by Ctrl-C is whole.
//
// Method: replay makes a pty, the other commands open it as a port; octets must come through as they are.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { PROJECT } from "../support/ferrule.ts";
import { until } from "../support/until.ts";
import { replay, start } from "./tap-commands.ts";

const OWN = join(PROJECT, "tests/vectors/modbus-libmodbus-mbpoll.jsonl");
const folder = mkdtempSync(join(tmpdir(), "ferrule-tap-pty-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function octetsOf(file: string): string {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(1);
  return lines.map((line) => (JSON.parse(line) as { hex: string }).hex).join("");
}

test("what is replayed onto a pty is recorded from it, octet for octet", async (t) => {
  const [player, path] = await replay(t, OWN, "--speed", "5", "--repeat", "2");
  const out = join(folder, "heard.jsonl");
  const recorder = start(t, "record", path, "--out", out, "--baud", "9600", "--format", "8E1");
  assert.equal(await player.closed, 0);
  assert.match(player.stdout(), /^plays onto \/dev\/\S+, 9600 8E1\n962 characters played\n$/);
  assert.equal(await recorder.closed, 1, "the port went away");
  assert.match(recorder.stderr(), /went away: this is what was heard until then\n/);
  assert.match(recorder.stdout(), /heard\.jsonl: 962 characters, \d+ octets\n$/);
  assert.equal(octetsOf(out), octetsOf(OWN).repeat(2));
  const [header = ""] = readFileSync(out, "utf8").split("\n");
  const { kind, baud, format } = JSON.parse(header) as Record<string, unknown>;
  assert.deepEqual([kind, baud, format], ["bytes", 9600, "8E1"]);
});

test("Ctrl-C ends a recording whole", async (t) => {
  const [player, path] = await replay(t, OWN, "--repeat", "1000");
  const out = join(folder, "cut.jsonl");
  const recorder = start(t, "record", path, "--out", out);
  await until("octets", () => existsSync(out) && octets(out) > 20);
  recorder.child.kill("SIGINT");
  assert.equal(await recorder.closed, 130);
  assert.ok(octetsOf(OWN).repeat(20).startsWith(octetsOf(out)));
  player.child.kill("SIGINT");
  assert.equal(await player.closed, 130);
});

function octets(file: string): number {
  return readFileSync(file, "utf8").split("\n").length - 2;
}

test("listen and inventory hear a port as they hear a capture", async (t) => {
  const [player, path] = await replay(t, OWN, "--speed", "2");
  const listener = start(t, "listen", path, "--baud", "9600", "--format", "8E1");
  assert.equal(await player.closed, 0);
  await listener.closed;
  assert.match(listener.stdout(), /unit 17 {2}read holding 107 x 3: 555 0 100\n/);
  assert.match(listener.stdout(), /unit 17 {2}read holding 499 x 2: exception 2\n/);
  const [, second] = await replay(t, OWN, "--speed", "2");
  const line = ["--baud", "9600", "--format", "8E1", "--protocol", "modbus-rtu"];
  const auditor = start(t, "inventory", second, ...line, "--json");
  await auditor.closed;
  const { bus } = JSON.parse(auditor.stdout()) as { bus: Record<string, number> };
  assert.deepEqual([bus["pairs"], bus["junk"], bus["octets"]], [13, 0, 481]);
});
