// SPDX-License-Identifier: MIT
// Goal: a saved file runs on its node at once; a mistake is shown.
//
// Method: ferrule up --watch on folders of its own, edits as an editor makes them, exact texts on stderr.

import assert from "node:assert/strict";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeTotals } from "../../scripts/run/road.ts";
import { makeNode } from "../../scripts/run/template.ts";
import { startTalking, type Talking } from "../support/talk.ts";
import { until } from "../support/until.ts";
import { makeFolder, putFiles } from "./folders.ts";

const top = makeFolder();

interface Snapshot {
  nodes: { id: string; boot: number; loopHash: string; state: string }[];
}

async function nodeOf(page: string, id: string): Promise<Snapshot["nodes"][number] | undefined> {
  const snapshot = (await (await fetch(`${page}/api/snapshot`)).json()) as Snapshot;
  return snapshot.nodes.find((node) => node.id === id);
}

// The loop of a node of the page, once it told that boot.
async function loopOf(page: string, id: string, boot: number): Promise<string> {
  let node = await nodeOf(page, id);
  await until(`boot ${boot} of ${id}`, async () => {
    node = await nodeOf(page, id);
    return node?.boot === boot && node.loopHash !== null;
  });
  return node!.loopHash;
}

async function says(up: Talking, lines: string[]): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join("");
  await up.says(new RegExp(text.replace(/[[\]().^$*+?|\\]/g, "\\$&")));
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(top, file), "utf8");
  assert.ok(text.includes(from), `${file} holds ${from}`);
  writeFileSync(join(top, `${file}.new`), text.replace(from, to));
  renameSync(join(top, `${file}.new`), join(top, file)); // as many editors save
}

test("only the node whose file was saved starts anew; mistakes leave it running", async () => {
  makeNode(join(top, "mein ofen"), "oven");
  makeNode(join(top, "b"), "blank");
  const place = { enterprise: "e", site: "s", area: "a", line: "l", cell: "c" };
  const nodes = [
    { id: "ofen", node: "mein ofen" },
    { id: "other", node: "b" },
  ];
  putFiles(top, { "plant.json": JSON.stringify({ ...place, nodes }) });
  const up = startTalking(["up", ".", "--watch", "--page", "0"], { cwd: top });
  const [, page = ""] = await up.says(/page (\S+)/);
  await up.says(/watching mein ofen, b\n/);
  const first = await loopOf(page, "ofen", 1);

  edit("mein ofen/loop.ts", "pid(5000, 250, 0)", "pid(4000, 250, 0)");
  await up.says(/running mein ofen\/loop\.ts on ofen, ready after \d+ ms\n/);
  const second = await loopOf(page, "ofen", 2);
  assert.notEqual(second, first);

  edit("mein ofen/loop.ts", "pid(4000, 250, 0)", "pid(4000, twice, 0)");
  await says(up, [
    "refused mein ofen/loop.ts",
    "mein ofen/loop.ts:25:27: Cannot find name 'twice'. (AS2304)",
    "  const heating = pid(4000, twice, 0);",
    "                            ^^^^^",
    "  next: mend it and save; the last good modules go on running",
  ]);
  edit("mein ofen/node.json", '"median": 3,', '"median": 3,,');
  await says(up, [
    "refused mein ofen/node.json",
    'mein ofen/node.json:16:19: a "name" is wanted, not ","',
    '        "median": 3,,',
    "                    ^",
    "  next: mend it and save; the last good modules go on running",
  ]);
  assert.equal((await nodeOf(page, "ofen"))?.loopHash, second, "the last good module");

  edit("mein ofen/node.json", '"median": 3,,', '"median": 3,');
  edit("mein ofen/loop.ts", "pid(4000, twice, 0)", "pid(4000, 250, 0) /* as before */");
  await up.says(/mein ofen\/[^\n]*: saved, and the modules are the same as before\n/);
  assert.equal((await nodeOf(page, "ofen"))?.boot, 2);
  assert.equal((await nodeOf(page, "other"))?.boot, 1, "nobody saved its files");
  const { code, stderr } = await up.end();
  assert.equal(code, 130, stderr);
  assert.doesNotMatch(stderr, /^ {4}at /m);
});

test("what waited in the RAM of a node that a saved file starts anew is told as lost", async () => {
  makeNode(join(top, "mute"), "oven");
  // No datagram arrives, so that all readings of the first modules still wait.
  const up = startTalking(["up", "mute", "--watch", "--page", "0", "--loss", "1"], { cwd: top });
  await up.says(/watching mute\n/);
  edit("mute/loop.ts", "pid(5000, 250, 0)", "pid(4000, 250, 0)");
  await up.says(/running mute\/loop\.ts on mute, ready after \d+ ms\n/);
  const { stdout } = await up.end();
  const last = stdout.trimEnd().split("\n").at(-1)!;
  const told =
    /^1 nodes, (\d+) readings sent, (\d+) acknowledged, (\d+) ingested, (\d+) dropped, (\d+) lost$/;
  const [, sent, , ingested, dropped, lost] = (told.exec(last) ?? []).map(Number);
  assert.ok(lost! > 0, last);
  assert.equal(sent, ingested! + dropped! + lost!, last);
});

test("the last line tells what was lost where something was", () => {
  const totals = { nodes: 2, sent: 9, acknowledged: 6, ingested: 7, dropped: 1 };
  assert.equal(
    describeTotals({ ...totals, lost: 0 }),
    "2 nodes, 9 readings sent, 6 acknowledged, 7 ingested, 1 dropped",
  );
  assert.equal(
    describeTotals({ ...totals, lost: 1 }),
    "2 nodes, 9 readings sent, 6 acknowledged, 7 ingested, 1 dropped, 1 lost",
  );
});

test("a plant that does not build is built again when something is saved", async () => {
  makeNode(join(top, "late"), "blank");
  edit("late/loop.ts", "report(BEATS", "report(BEAT");
  const up = startTalking(["up", "late", "--watch", "--page", "0"], { cwd: top });
  await up.says(
    /refused late\nlate\/loop\.ts:11:10: [^]*next: mend it and save; it is built again/,
  );
  edit("late/loop.ts", "report(BEAT", "report(BEATS");
  await up.says(/watching late\n/);
  assert.equal((await up.end()).code, 130);
});
