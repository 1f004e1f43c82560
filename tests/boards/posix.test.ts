// SPDX-License-Identifier: MIT
// A node as a process: the example nodes as C against the real gateway and hub.
//
// Goal: what its pins say arrives; a trap in link costs loop no tick, a trap or a hang of loop makes outputs
// safe. Method: programs built here with this machine's compiler, pins in files, traps planted in the
// modules. Nothing is timed but for patience.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import binaryen from "binaryen";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { buildPosix } from "../../scripts/build/posix.ts";
import { plantTrap } from "../host-sim/small-modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { type Road, startRoad } from "./road.ts";

const needsCompiler = program("cc");
const folder = mkdtempSync(join(tmpdir(), "ferrule posix "));
let road: Road | undefined;

before(async () => {
  road = await startRoad();
});
after(async () => {
  await road?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  said: string;
  ticks: number;
}

function build(name: string, built: BuiltNode): string {
  return buildPosix(built, join(folder, name)).program;
}

function example(name: string): Promise<BuiltNode> {
  return buildNode(join(PROJECT, "firmware/nodes", name));
}

async function run(path: string, id: string, seconds: number, more: string[] = []): Promise<Ended> {
  const args = ["--id", id, "--gateway", road!.gateway, "--for", String(seconds), ...more];
  const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said, ticks: Number(/(\d+) ticks/.exec(said)?.[1] ?? 0) };
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test(
  "an oven reads its file, drives its output, and its readings arrive",
  needsCompiler,
  async () => {
    const path = build("oven", await example("oven"));
    const pins = ["--adc", `0=${file("adc", "1500\n")}`, "--pwm", `0=${file("pwm", "")}:1000`];
    const { code, said } = await run(path, "oven-p", 5, pins);
    assert.equal(code, 0, said);
    const node = await road!.node("oven-p");
    assert.equal(node?.host, "posix");
    assert.equal(node.state, "offline"); // it said goodbye
    const temperature = node.channels.find(({ name }) => name === "temperature");
    assert.ok(Math.abs(Number(temperature?.value) - (-50 + (400 * 1500) / 4095)) < 0.2, said);
    assert.equal(Number(readFileSync(join(folder, "pwm"), "utf8")), 0); // safe in the end
  },
);

test("an input that is not there is a cause, never a number", needsCompiler, async () => {
  const path = build("bare", await example("oven"));
  const { code, said } = await run(path, "oven-bare", 4);
  assert.equal(code, 0, said);
  const node = await road!.node("oven-bare");
  const temperature = node?.channels.find(({ name }) => name === "temperature");
  assert.deepEqual([temperature?.quality, temperature?.cause], ["bad", "no-input"]);
});

test(
  "a trap in link costs loop no tick; a trap in loop is counted and starts anew",
  needsCompiler,
  async () => {
    const oven = await example("oven");
    const linkWasm = plantTrap(oven.link.wasm, "poll", 3);
    const trapping = build("link-traps", { ...oven, link: { ...oven.link, wasm: linkWasm } });
    const pins = ["--adc", `0=${file("adc", "1500\n")}`];
    const seconds = 4;
    const link = await run(trapping, "oven-l", seconds, pins);
    assert.match(link.said, /link trapped \(kind 1, function \d+, offset \d+\): loop goes on/);
    assert.ok(Number(/link trapped (\d+) times/.exec(link.said)?.[1]) >= 3, link.said);
    // A busy machine is late or gives ticks up, which is told; late ones are less than a second behind.
    const givenUp = Number(/(\d+) given up/.exec(link.said)?.[1]);
    const dueAtLeast = ((seconds - 1) * 1000) / oven.type.periodMs;
    assert.ok(link.ticks + givenUp >= dueAtLeast, link.said);
    const loopWasm = plantTrap(oven.loop.wasm, "tick", 100);
    const broken = build("loop-traps", { ...oven, loop: { ...oven.loop, wasm: loopWasm } });
    const loop = await run(broken, "oven-o", seconds, pins);
    assert.match(loop.said, /loop trapped \(kind 1, .*: outputs are safe, it starts again/);
    assert.ok(Number(/loop trapped (\d+) and/.exec(loop.said)?.[1]) >= 2, loop.said);
  },
);

test("a trap in loop makes outputs safe before the next tick", needsCompiler, async () => {
  const oven = await example("oven");
  const wasm = plantTrap(oven.loop.wasm, "tick", 3);
  const type = { ...oven.type, periodMs: 1000 }; // long enough to look in between
  const path = build("loop-safe", { ...oven, type, loop: { ...oven.loop, wasm } });
  const pwm = file("pwm-s", "");
  const pins = ["--adc", `0=${file("adc", "1500\n")}`, "--pwm", `0=${pwm}`];
  const args = ["--id", "oven-s", "--gateway", road!.gateway, ...pins];
  const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
  const duties: number[] = [];
  const watch = setInterval(() => duties.push(Number(readFileSync(pwm, "latin1"))), 50);
  const atTrap = await new Promise<number>((resolve) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("loop trapped")) resolve(Number(readFileSync(pwm, "latin1")));
    });
  });
  clearInterval(watch);
  child.kill("SIGKILL");
  assert.ok(Math.max(...duties) > 60_000, String(duties)); // it heated
  assert.equal(atTrap, 0);
});

test("a tick without end is ended, and so is a poll", needsCompiler, async () => {
  const oven = await example("oven");
  const forever = (wasm: Uint8Array, name: string): Uint8Array => {
    const module = binaryen.readBinary(wasm);
    const item = binaryen.getExportInfo(module.getExport(name));
    const { params, results } = binaryen.getFunctionInfo(module.getFunction(item.value));
    module.removeFunction(item.value);
    const spin = module.loop("spin", module.br("spin"));
    const body = module.block(null, [spin, module.unreachable()]);
    module.addFunction(item.value, params, results, [], body);
    return module.emitBinary();
  };
  const tick = forever(oven.loop.wasm, "tick");
  const path = build("loop-hangs", { ...oven, loop: { ...oven.loop, wasm: tick } });
  const { code, said } = await run(path, "oven-h", 3, ["--pwm", `0=${file("pwm-h", "")}`]);
  assert.equal(code, 0, said);
  assert.match(said, /loop took longer than its period: outputs are safe/);
  assert.equal((await road!.node("oven-h"))?.state, "offline"); // link went on
});

test("every example node becomes a program", needsCompiler, async () => {
  for (const name of ["meter", "press"]) {
    const { code, said } = await run(build(name, await example(name)), `${name}-p`, 3);
    assert.equal(code, 0, said);
    assert.equal((await road!.node(`${name}-p`))?.host, "posix", said);
  }
});
