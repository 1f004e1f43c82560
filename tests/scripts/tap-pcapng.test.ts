// SPDX-License-Identifier: MIT
// Goal: in a recording for Wireshark each frame is a packet.
//
// Method: recordings as .pcapng, dissected by tshark 4, against what an independent decoder found: registers of every
// answered read, in order; a bus with stray octets at each turn; frames of other protocols as what made them says.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule, PROJECT } from "../support/ferrule.ts";
import * as need from "../support/need.ts";

const OWN = join(PROJECT, "tests/vectors/modbus-libmodbus-mbpoll.jsonl");
const BUS = "taps/modbus/modbus-wizmodbus-bus.jsonl";
const folder = mkdtempSync(join(tmpdir(), "ferrule-tap-pcapng-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Expected {
  frames: number;
  junk_bytes: number;
  transactions: { fc: number; values?: number[]; orphan?: boolean }[];
}

function expectedOf(file: string): Expected {
  const [head = ""] = readFileSync(file, "utf8").split("\n", 1);
  return (JSON.parse(head) as { expected: Expected }).expected;
}

async function dissect(capture: string, name: string): Promise<string[][]> {
  const out = join(folder, name);
  const run = await ferrule(["tap", "record", capture, "--out", out]);
  assert.equal(run.code, 0, run.stderr);
  const fields = ["modbus.func_code", "modbus.regval_uint16", "frame.len"];
  const args = ["-r", out, "-d", "rtacser.data,mbrtu", "-T", "fields", "-E", "separator=;"];
  const text = execFileSync("tshark", [...args, ...fields.flatMap((field) => ["-e", field])], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return text
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => line.split(";"));
}

// What tshark shows of answers to FC 3 and 4.
function readsOf(rows: string[][]): string[] {
  return rows.flatMap(([code, values]) =>
    values !== "" && (code === "3" || code === "4") ? [values!] : [],
  );
}

function expectedReads({ transactions }: Expected): string[] {
  return transactions
    .filter(({ fc, values, orphan }) => (fc === 3 || fc === 4) && values && !orphan)
    .map(({ values }) => values!.join(","));
}

test("each frame is a packet, and tshark reads its registers", need.program("tshark"), async () => {
  const expected = expectedOf(OWN);
  const rows = await dissect(OWN, "own.pcapng");
  assert.equal(rows.length, expected.frames);
  assert.deepEqual(readsOf(rows), expectedReads(expected));
});

const needs = need.shared(BUS);
const options = needs.skip === false ? need.program("tshark") : needs;
test("stray octets are packets of their own", options, async () => {
  const expected = expectedOf(need.sharedFile(BUS));
  const rows = await dissect(need.sharedFile(BUS), "bus.pcapng");
  assert.deepEqual(readsOf(rows), expectedReads(expected));
  const stray = rows.filter(([, , bytes]) => Number(bytes) <= 13);
  assert.deepEqual(
    [stray.length, rows.length - stray.length],
    [expected.junk_bytes, expected.frames],
  );
});

/** Octets of each packet, read block by block; tshark has no dissector for them. */
async function packets(capture: string, name: string): Promise<Buffer[]> {
  const out = join(folder, name);
  const run = await ferrule(["tap", "record", capture, "--out", out]);
  assert.equal(run.code, 0, run.stderr);
  const file = readFileSync(out);
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) !== 6) continue;
    const bytes = file.readUInt32LE(at + 20);
    found.push(file.subarray(at + 28 + 12, at + 28 + bytes));
  }
  return found;
}

test("telegrams, frames of M-Bus and lines are a packet each", async () => {
  const p1 = await packets(join(PROJECT, "tests/vectors/meter-p1.jsonl"), "p1.pcapng");
  assert.deepEqual(
    p1.map((one) => [String.fromCharCode(one[0]!), one.at(-1)]),
    Array.from({ length: 4 }, () => ["/", 10]),
  );
  const heat = await packets(join(PROJECT, "tests/vectors/meter-heat.jsonl"), "heat.pcapng");
  assert.deepEqual(
    heat.map(([first]) => first),
    [0x10, 0xe5, 0x10, 0x68, 0x10, 0x68, 0x10, 0x68],
  );
  const scale = await packets(join(PROJECT, "tests/vectors/line-mt-sics.jsonl"), "scale.pcapng");
  assert.ok(scale.length > 3 && scale.every((one) => one.subarray(-2).equals(Buffer.of(13, 10))));
});
