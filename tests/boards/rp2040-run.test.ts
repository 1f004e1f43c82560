// SPDX-License-Identifier: MIT
// The oven's flash image on the emulated RP2040: ticks, frames, traps, overruns.
//
// Goal: the image that a Pico gets ticks without drift whatever link does, talks in frames that the gateway's own codec
// reads, and makes its outputs safe when loop is gone. Method: the UF2 itself in the emulator, in virtual time; any access
// that the chip's model does not know ends the run.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import binaryen from "binaryen";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { plantTrap } from "../host-sim/small-modules.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";
import { emptyFlash, start } from "./rp2040-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico run "));
const SECOND = 1e9;
const LATE_CYCLES_MAX = 60;
let oven: BuiltNode;
let image: Rp2040Image;

before(async () => {
  oven = await buildNode(join(PROJECT, "firmware/nodes/oven"));
  if (tools.skip === false) image = build("oven", oven);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function build(name: string, built: BuiltNode): Rp2040Image {
  return buildRp2040("pico", built, join(folder, name));
}

const withLoop = (wasm: Uint8Array): BuiltNode => ({ ...oven, loop: { ...oven.loop, wasm } });
const withLink = (wasm: Uint8Array): BuiltNode => ({ ...oven, link: { ...oven.link, wasm } });

// The same module, but an export never returns.
function forever(wasm: Uint8Array, name: string): Uint8Array {
  const module = binaryen.readBinary(wasm);
  const item = binaryen.getExportInfo(module.getExport(name));
  const { params, results } = binaryen.getFunctionInfo(module.getFunction(item.value));
  module.removeFunction(item.value);
  const spin = module.loop("spin", module.br("spin"));
  module.addFunction(
    item.value,
    params,
    results,
    [],
    module.block(null, [spin, module.unreachable()]),
  );
  return module.emitBinary();
}

const worst = (late: Map<number, number>): number => Math.max(...late.keys());
const typesOf = (messages: readonly Uint8Array[]): number[] =>
  messages.map((message) => (message[0] === 1 ? message[3]! : message[1]!));

test("it boots, ticks on time and publishes over the line", tools, () => {
  const { chip, late, matches, messages, damaged, words } = start(image);
  chip.runToNs(5 * SECOND);
  assert.equal(chip.time.sysHz(), 125e6);
  const [ticks, missed, overruns] = words("rhythm", 3);
  assert.ok(ticks! > 480 && ticks! < 500, String(ticks)); // a period of 10 ms, after start-up
  assert.deepEqual([missed, overruns], [0, 0]);
  for (let i = 1; i < matches.length; i++) assert.equal(matches[i]! - matches[i - 1]!, 1_250_000); // cycles: no drift
  assert.ok(worst(late) <= LATE_CYCLES_MAX, String([...late]));
  assert.ok(Math.min(...late.keys()) >= 15);
  assert.equal(damaged(), 0);
  assert.match(Buffer.from(messages[0]!).toString("latin1"), /pico-[0-9a-f]{16}$/);
  const types = typesOf(messages);
  assert.ok(
    types.includes(0x0a) && types.filter((type) => type === 0x0c).length >= 4,
    String(types),
  );
  assert.deepEqual(words("host_counters", 4), [0, 0, 0, 0]);
  assert.deepEqual(chip.counts, { resets: 1, bites: 0 });
});

test("a boot number is taken with each start", tools, () => {
  const flash = emptyFlash();
  const boots = [1, 2, 3].map(() => {
    const { chip } = start(image, flash, false);
    chip.runToNs(SECOND);
    chip.cutPower();
    const link = new DataView(flash.buffer, flash.length - 3 * 4096);
    let boot = 0;
    for (let at = 0; at < 8192; at += 8) {
      const number = link.getUint32(at, true);
      if (number === ~link.getUint32(at + 4, true) >>> 0 && number > boot) boot = number;
    }
    return boot;
  });
  assert.deepEqual(boots, [1, 2, 3]);
});

test("a trap in link costs loop no tick", tools, () => {
  const { chip, late, words } = start(
    build("link traps", withLink(plantTrap(oven.link.wasm, "poll", 3))),
  );
  chip.runToNs(3 * SECOND);
  // The third poll after a start comes after a random part of a second.
  assert.ok(words("host_counters", 4)[3]! >= 2);
  const [ticks, missed] = words("rhythm", 2);
  assert.ok(ticks! > 280, String(ticks));
  assert.equal(missed, 0);
  assert.ok(worst(late) <= LATE_CYCLES_MAX, String([...late]));
  assert.equal(chip.counts.bites, 0);
});

test("a poll without end is taken away after two seconds", tools, () => {
  const { chip, words } = start(build("link hangs", withLink(forever(oven.link.wasm, "poll"))));
  chip.runToNs(5 * SECOND);
  assert.equal(words("host_counters", 4)[3], 2);
  assert.equal(words("rhythm", 2)[1], 0);
  assert.equal(chip.counts.bites, 0);
});

test("a trap in loop makes the output safe and loop starts again", tools, () => {
  const { chip, words } = start(
    build("loop traps", withLoop(plantTrap(oven.loop.wasm, "tick", 50))),
  );
  let heated = false;
  let trappedMs = -2;
  let traps = 0;
  for (let ms = 0; ms < 2000; ms++) {
    chip.runToNs(ms * 1e6);
    const { duty } = chip.blocks.pwm[0]!;
    heated ||= duty > 0.5;
    const [, now] = words("host_counters", 2);
    if (now! > traps) trappedMs = ms;
    if (ms === trappedMs + 1) assert.equal(duty, 0, `at ${ms} ms`); // CC counts from the next wrap
    traps = now!;
  }
  assert.ok(heated);
  assert.ok(traps >= 3 && traps <= 4, String(traps));
  assert.equal(words("rhythm", 3)[2], 0);
});

test("a tick without end is taken away within a period, and link goes on", tools, () => {
  const { chip, words, messages, late } = start(
    build("loop hangs", withLoop(forever(oven.loop.wasm, "tick"))),
  );
  chip.runToNs(3 * SECOND);
  const [ticks, missed, overruns] = words("rhythm", 3);
  assert.ok(overruns! > 80, String(overruns));
  assert.equal(words("host_counters", 4)[2], overruns);
  assert.ok(ticks! > 280);
  assert.equal(missed, 0);
  assert.ok(worst(late) <= LATE_CYCLES_MAX, String([...late]));
  assert.ok(messages.length > 0);
  assert.equal(chip.blocks.pwm[0]!.duty, 0);
});

test("noise on the line costs frames, not the link", tools, () => {
  const { chip, say, damaged, messages, words } = start(image);
  for (let at = 0; at < 20; at++) {
    chip.runToNs((0.2 + at / 10) * SECOND);
    say(Uint8Array.from({ length: 30 }, (_, i) => (i * 37 + at * 11) & 255));
  }
  chip.runToNs(6 * SECOND);
  assert.ok(typesOf(messages).includes(0x0c));
  assert.equal(damaged(), 0);
  assert.deepEqual(words("host_counters", 4), [0, 0, 0, 0]);
});
