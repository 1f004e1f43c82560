// SPDX-License-Identifier: MIT
// Goal: every command says what it does, and every refusal has its exit code.
//
// Method: the command as a person runs it, in processes of their own; exact texts on stderr, data on stdout.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ferrule, PROJECT, startUp } from "../support/ferrule.ts";
import { until } from "../support/until.ts";
import { makeFolder, nodeJson, putFiles } from "./folders.ts";

const top = makeFolder();
const COMMANDS = [
  "up",
  "sim",
  "new",
  "validate",
  "build",
  "aot",
  "gateway",
  "hub",
  "monitor",
  "doctor",
  ...["detect", "listen", "inventory", "find", "init", "record", "replay"].map(
    (name) => `tap ${name}`,
  ),
];

test("every command has help with an example and --json", async () => {
  const helps = await Promise.all(COMMANDS.map((name) => ferrule([...name.split(" "), "--help"])));
  helps.forEach(({ code, stdout, stderr }, index) => {
    const name = COMMANDS[index] ?? "";
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, new RegExp(`^Usage: ferrule ${name} `));
    assert.match(stdout, new RegExp(`\\nExamples?:\\n  ferrule ${name}`));
    assert.match(stdout, / --json /);
  });
});

const USAGE: [string[], string][] = [
  [["biuld"], "ferrule: unknown command 'biuld'\n(Did you mean build?)\n"],
  [["sim", "--sed", "1"], "ferrule: unknown option '--sed'\n(Did you mean --seed?)\n"],
  [["build"], "ferrule: missing required argument 'NODE'\n"],
  [["gateway"], "ferrule: required option '--broker <URL>' not specified\n"],
  [
    ["up", "--for", "3x"],
    "ferrule: option '--for <T>' argument '3x' is invalid. " +
      "a length of time is 30, 30s, 10m or 1h.\n",
  ],
  [
    ["validate"],
    "ferrule: which node?\n" +
      "  next: give folders, as ferrule validate firmware/nodes/oven, or --all\n",
  ],
];

test("wrong usage ends with 2 and suggests what was meant", async () => {
  const runs = await Promise.all(USAGE.map(([args]) => ferrule(args)));
  runs.forEach((run, index) => {
    assert.equal(run.stderr, USAGE[index]?.[1]);
    assert.deepEqual([run.code, run.stdout], [2, ""]);
  });
});

test("without arguments the help comes and the exit code is 2", async () => {
  const { code, stderr, stdout } = await ferrule([]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^Usage: ferrule /);
});

test("a folder that is not there ends with 3, and --json says it on stdout as well", async () => {
  const run = await ferrule(["build", "nowhere", "--json"], { cwd: top });
  assert.equal(run.code, 3);
  const message = "there is no folder nowhere";
  const next = "give a folder that holds a node.json";
  assert.equal(run.stderr, `ferrule: ${message}\n  next: ${next}\n`);
  assert.deepEqual(JSON.parse(run.stdout), { error: { code: 3, message, next } });
});

test("no stack trace reaches a user, and --debug shows it", async () => {
  const folder = putFiles(join(top, "bad"), { "node.json": "{" });
  const plain = await ferrule(["build", folder]);
  assert.equal(plain.code, 1);
  assert.doesNotMatch(plain.stderr, /^ {4}at /m);
  const debug = await ferrule(["build", folder, "--debug"]);
  assert.match(debug.stderr, /^ {4}at /m);
});

test("build writes two modules from any folder and tells their sizes and hashes", async () => {
  putFiles(join(top, "my node"), { "node.json": nodeJson() });
  const run = await ferrule(["build", "my node", "--out", "out put", "--json"], { cwd: top });
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(readdirSync(join(top, "out put")).sort(), ["link.wasm", "loop.wasm"]);
  const { modules } = JSON.parse(run.stdout) as { modules: { name: string; bytes: number }[] };
  for (const { name, bytes } of modules)
    assert.equal(readFileSync(join(top, "out put", `${name}.wasm`)).length, bytes);
});

test("a name that is a file where a folder is wanted is one clear message", async () => {
  putFiles(top, { "a-file": "" });
  const run = await ferrule(["build", "my node", "--out", "a-file/x"], { cwd: top });
  assert.equal(run.code, 1);
  assert.match(
    run.stderr,
    /^ferrule: a-file.x: a part of it is a file, and a folder is wanted\n {2}next: /,
  );
});

test("validate names all that is wrong and goes on with the next folder", async () => {
  putFiles(join(top, "v/bad"), { "node.json": nodeJson({ type: "no good" }) });
  putFiles(join(top, "v/good"), { "node.json": nodeJson() });
  const run = await ferrule(["validate", "--all"], { cwd: join(top, "v") });
  assert.equal(run.code, 1);
  assert.equal(run.stdout, "ok       good  node type probe: 2 channels, 1 outputs, 0 taps\n");
  assert.match(run.stderr, /^refused {2}bad\nbad\/node\.json:2 type: a name is /);
});

test("doctor names what it looked at, and what is missing has the line that mends it", async () => {
  const run = await ferrule(["doctor", "--json"]);
  assert.equal(run.code, 0, run.stdout);
  type Finding = { name: string; ok: boolean; mend: string };
  const { findings } = JSON.parse(run.stdout) as { findings: Finding[] };
  const names = findings.map(({ name }) => name);
  for (const name of ["Node", "npm packages", "page", "serial ports", "Debian's tshark"])
    assert.ok(names.includes(name), name);
  for (const { name, ok, mend } of findings) assert.equal(mend === "", ok, name);
});

test("a page port in use is refused when it was asked for, and passed over when not", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const run = await ferrule(["up", "--page", String(port), "--for", "1"]);
  assert.equal(run.code, 1);
  assert.equal(
    run.stderr,
    `ferrule: port ${port} of 127.0.0.1 is in use or not yours to use\n` +
      `  next: choose another one, as --page ${port + 1}, or leave --page away\n`,
  );
});

test("a broker that is down is named before anything starts", async () => {
  const broker = ["--broker", "mqtt://127.0.0.1:1"];
  const runs = await Promise.all([
    ferrule(["up", ...broker]),
    ferrule(["gateway", ...broker]),
    ferrule(["hub", ...broker]),
  ]);
  for (const { code, stderr, stdout } of runs) {
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      "ferrule: the broker mqtt://127.0.0.1:1 does not answer (ECONNREFUSED)\n" +
        "  next: start it or mend the address; " +
        "ferrule up brings a broker when --broker is left away\n",
    );
  }
});

test("sim tells its sums as JSON, and its files are there whole", async () => {
  const args = ["sim", "--seed", "5", "--for", "30", "--loss", "10%", "--json"];
  const run = await ferrule([...args, "--trace", "t.jsonl", "--pcap", "t.pcap"], { cwd: top });
  assert.equal(run.code, 0, run.stderr);
  const sums = JSON.parse(run.stdout) as Record<string, number>;
  assert.equal(sums["queued"], sums["ingested"]! + sums["dropped"]! + sums["lost"]!);
  for (const line of readFileSync(join(top, "t.jsonl"), "utf8").trimEnd().split("\n"))
    JSON.parse(line);
  assert.equal(readFileSync(join(top, "t.pcap")).readUInt32LE(0), 0xa1b2c3d4);
});

test("Ctrl-C ends a simulation with 130 and leaves no file", async () => {
  const args = ["scripts/ferrule.js", "sim", "--for", "100h", "--trace", join(top, "never.jsonl")];
  const child = spawn(process.execPath, args, {
    cwd: PROJECT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const begun = (): boolean => readdirSync(top).some((name) => name.startsWith("never.jsonl."));
  await until("the file of a trace", begun);
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 130);
  assert.ok(!begun() && !existsSync(join(top, "never.jsonl")));
});

test("up delivers all it sent and ends with the sums on the last line", async () => {
  const road = await startUp(["--page", "0", "--for", "4"]);
  const snapshot = await fetch(`${road.page}/api/snapshot`);
  assert.equal(snapshot.status, 200);
  const { code, stdout, stderr } = await road.ended();
  assert.equal(code, 0, stderr);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  const sums = /^6 nodes, (\d+) readings sent, (\d+) acknowledged, (\d+) ingested, (\d+) dropped$/;
  const [, sent, acknowledged, ingested, dropped] = sums.exec(last) ?? [];
  assert.ok(Number(sent) > 10, last);
  assert.deepEqual([acknowledged, ingested, dropped], [sent, sent, "0"]);
});

test("Ctrl-C ends up in order, with the sums and 130", async () => {
  const road = await startUp(["--page", "0"]);
  const { code, stdout, stderr } = await road.end();
  assert.equal(code, 130, stderr);
  assert.match(
    stdout,
    /\n6 nodes, \d+ readings sent, \d+ acknowledged, \d+ ingested, 0 dropped\n$/,
  );
});
