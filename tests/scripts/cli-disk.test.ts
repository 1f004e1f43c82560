// SPDX-License-Identifier: MIT
// Goal: a full disk and a read-only one have one clear message each.
//
// Method: small file systems of their own; every command that writes; exact texts, exit codes, what is left.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ferrule } from "../support/ferrule.ts";
import { type Disk, makeDisk } from "../support/disk.ts";
import * as need from "../support/need.ts";
import { assertRefused, spoken } from "./refusals.ts";

const NODE = "firmware/nodes/oven";
const MAKE_ROOM = "make room or choose another place, then run the command again";
const MOUNT = "choose another place, or mount it so that it can be written";
const DATABASE_BYTES = 65_536; // the empty tables, and a few readings
const HISTORY = "choose another file for --history, or leave it away";

function disk(): Disk {
  const made = makeDisk();
  if (made === undefined) throw new Error("this process may not mount");
  after(() => made.remove());
  return made;
}

test("a full disk leaves nothing of what a command writes", need.mount(), async () => {
  const small = disk();
  const at = (name: string): string => join(small.folder, name);
  const full = (name: string): string => `the disk is full: ${at(name)} cannot be written`;
  const cases: [number, string[], string][] = [
    [0, ["build", NODE, "--out", at("a/b")], "a/b/loop.wasm"],
    [12_288, ["build", NODE, "--out", at("a/b")], "a/b/link.wasm"], // room for the first alone
    [0, ["new", at("n")], "n/node.json"],
    [20_480, ["new", at("n")], "n/.ferrule/node.schema.json"],
    [0, ["sim", NODE, "--for", "1m", "--trace", at("t.jsonl")], "t.jsonl"],
    [8192, ["sim", NODE, "--for", "10m", "--pcap", at("t.pcap")], "t.pcap"],
  ];
  for (const [freeBytes, args, name] of cases) {
    small.fill(freeBytes);
    assertRefused(await ferrule(args), 1, full(name), MAKE_ROOM);
    assert.deepEqual(small.names(), [], args.join(" "));
  }
});

test("what was there before a full disk is as it was", need.mount(), async () => {
  const small = disk();
  const trace = join(small.folder, "t.jsonl");
  const out = join(small.folder, "loop.wasm");
  for (const file of [trace, out]) writeFileSync(file, "before");
  small.fill(16_384);
  const sim = await ferrule(["sim", NODE, "--for", "1h", "--trace", trace]);
  assertRefused(sim, 1, `the disk is full: ${trace} cannot be written`, MAKE_ROOM);
  small.fill(8192);
  const build = await ferrule(["build", NODE, "--out", small.folder]);
  assert.equal(build.code, 1, build.stderr);
  assert.deepEqual(small.names(), ["loop.wasm", "t.jsonl"]);
  for (const file of [trace, out]) assert.equal(readFileSync(file, "utf8"), "before");
});

test("a history that finds no room says so, before and after its start", need.mount(), async () => {
  const small = disk();
  const file = join(small.folder, "past.db");
  const up = ["up", NODE, "--page", "0", "--for", "5", "--history", file];
  small.fill(0);
  const none = `history ${file} cannot be opened: the disk is full`;
  assertRefused(await ferrule(up), 1, none, HISTORY);
  assert.deepEqual(small.names(), []);
  small.fill(8192);
  assertRefused(await ferrule(up), 1, `${none} or broken`, HISTORY);
  assert.deepEqual(small.names(), []);
  small.fill(DATABASE_BYTES);
  const run = await ferrule(up);
  assert.equal(
    spoken(run.stderr),
    `hub: history ${file} cannot be written: the disk is full or broken; ` +
      "readings are held in memory until the hub is started again\n",
  );
  assert.equal(run.code, 0);
  const left = small.names().filter((name) => !/^past\.db(-journal)?$/.test(name));
  assert.deepEqual(left, [], "what SQLite needs to go on, and nothing else");
});

test("a read-only file system is told with the path that was given", need.mount(), async () => {
  const small = disk();
  const at = (name: string): string => join(small.folder, name);
  mkdirSync(at("empty"));
  writeFileSync(at("old.db"), "");
  small.makeReadOnly();
  const cases: [string[], string][] = [
    [["build", NODE, "--out", at("a/b")], "a"],
    [["build", NODE, "--out", at("empty")], "empty/loop.wasm"],
    [["new", at("n")], "n"],
    [["new", at("empty")], "empty/node.json"],
    [["sim", NODE, "--for", "1", "--trace", at("t.jsonl")], "t.jsonl"],
    [["sim", NODE, "--for", "1", "--pcap", at("t.pcap")], "t.pcap"],
  ];
  for (const [args, name] of cases) {
    const message = `${at(name)} cannot be written: its file system is read-only`;
    assertRefused(await ferrule(args), 1, message, MOUNT);
  }
  for (const name of ["old.db", "new.db"]) {
    const message = `history ${at(name)} cannot be opened: its file system is read-only`;
    const up = ["up", NODE, "--page", "0", "--for", "1", "--history", at(name)];
    assertRefused(await ferrule(up), 1, message, HISTORY);
  }
  const pty = ["up", "--page", "0", "--pty", `meter-1:${at("A")},${at("B")}`];
  const message = `no link can be made at ${at("A")} (EROFS)`;
  assertRefused(await ferrule(pty), 1, message, "give another path");
  assert.deepEqual(small.names(), ["empty", "old.db"]);
});

test("a folder, a device and a folder that is not there are no place for a file", async () => {
  const cases: [string, number, string, string][] = [
    ["/dev", 1, "/dev is a folder, and a file is wanted", "give a file"],
    ["/dev/null", 1, "/dev/null is a device, and a file is wanted", "give a file"],
    ["nowhere/t", 3, "the folder of nowhere/t is not there", "make it, or give another file"],
  ];
  for (const [file, code, message, next] of cases)
    for (const option of ["--trace", "--pcap"]) {
      const run = await ferrule(["sim", NODE, "--for", "1", option, file]);
      assertRefused(run, code, message, next);
    }
});
