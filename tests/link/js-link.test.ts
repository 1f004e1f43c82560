// SPDX-License-Identifier: MIT
// Goal: link of a JavaScript board says what link says, but what is left out.
//
// Method: both release modules hear the same gateway, readings, commands and trouble, by seed; all that they send
// is compared octet for octet. Then each thing left out.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { createPrng, type Prng } from "../../host-sim/prng.ts";
import { onBoard } from "../../scripts/build/board-values.ts";
import { packet, u16 } from "../support/link-gateway.ts";
import { buildLink, parseNode } from "../support/link-host.ts";
import { assertAccounted, delivered, put, startLink, type Rig } from "../support/link-rig.ts";
import { encodeSet, sendSet } from "../support/link-set.ts";

const SEEDS = 12;
const STEPS = 60;
const REGISTER = 0x0a;
const NOT_SUPPORTED = 3;

const NODE = parseNode({
  type: "both",
  channels: {
    heat: { kind: "computed", decimals: 3, alarms: { high: { above: 1 } } },
    flow: { kind: "computed", decimals: 0 },
  },
  setpoints: {
    target: { decimals: 1, min: -20, max: 300, default: 20, staleMs: 5000 },
    speed: { decimals: 0, min: -2_000_000_000, max: 2_000_000_000, default: 5 },
  },
});

let modules: WebAssembly.Module[];
before(async () => {
  modules = [await buildLink(NODE), await buildLink(onBoard(NODE, "kaluma-pico"))];
});

/** All that a module sends in a run of trouble. */
function live(module: WebAssembly.Module, seed: number): { said: string[]; rig: Rig } {
  const random = createPrng(seed);
  const trouble = random.fork("road");
  const rig = startLink(module, {
    delayMs: 20,
    code: () => (trouble.chance(0.05) ? 1 + trouble.below(3) : undefined),
    loseUp: () => trouble.chance(0.1),
    down: (_, bytes) => (trouble.chance(0.1) ? [] : [{ bytes, afterMs: trouble.below(400) }]),
  });
  const said: string[] = [];
  const answer = rig.host.onSend;
  rig.host.onSend = (datagram) => {
    said.push(`${datagram.atMs} ${Buffer.from(datagram.bytes).toString("hex")}`);
    answer?.(datagram);
  };
  for (let step = 0; step < STEPS; step++) {
    for (let i = random.below(4); i > 0; i--) put(rig.host, reading(random));
    if (random.chance(0.1)) put(rig.host, { kind: 2, channel: 0, i32: 7, alarm: 0, active: 1 });
    if (random.chance(0.3)) sendSet(rig, command(random, step), 0x100 + step);
    rig.host.run(200 + random.below(3000));
    rig.host.mailbox.length = 0;
  }
  rig.host.run(400_000);
  return { said, rig };
}

function reading(random: Prng) {
  const channel = random.below(2);
  return random.chance(0.1)
    ? { channel, quality: 2, cause: 1 + random.below(6) }
    : { channel, i32: (random.nextU32() | 0) >> random.below(32) };
}

function command(random: Prng, request: number): Uint8Array {
  const mantissa = (random.nextU32() - 2 ** 31) * 2 ** random.below(22);
  const value = random.chance(0.5)
    ? mantissa
    : ([random.below(37) - 18, mantissa] as [number, number]);
  const name = ["target", "speed", "nothing"][random.below(3)]!;
  return encodeSet({ request, name, value, lifetimeMs: random.below(10_000) });
}

for (let seed = 1; seed <= SEEDS; seed++)
  test(`both say the same, and account for all, in trouble ${seed}`, () => {
    const [ours, small] = modules.map((module) => live(module, seed));
    assert.ok(ours!.said.length > 100);
    assert.deepEqual(small!.said, ours!.said);
    assert.deepEqual(small!.rig.host.counters(), ours!.rig.host.counters());
    assert.deepEqual(small!.rig.host.mailbox, ours!.rig.host.mailbox);
    assertAccounted(small!.rig);
    assert.ok(delivered(small!.rig.gateway).length > 50);
  });

test("a topic that the gateway registers is refused, and the session goes on", () => {
  const rig = startLink(modules[1]!);
  rig.host.run(3000);
  const topic = Buffer.from("ferrule/n/set");
  const [before, id] = [rig.gateway.heard.length, 77];
  rig.gateway.say(packet(REGISTER, ...u16(id), ...u16(5), ...topic));
  rig.host.run(100);
  const acks = rig.gateway.heard.slice(before).filter(({ type }) => type === "REGACK");
  assert.deepEqual(
    acks.map(({ bytes }) => [...bytes.subarray(2)]),
    [[...u16(0), ...u16(5), NOT_SUPPORTED]],
  );
  put(rig.host, { channel: 1, i32: 5 });
  rig.host.run(3000);
  assert.equal(delivered(rig.gateway).length, 1);
});

test("stop() ends it at once, without a goodbye", () => {
  const rig = startLink(modules[1]!);
  rig.host.run(3000);
  const before = rig.gateway.heard.length;
  rig.host.stop();
  assert.equal(rig.host.poll(), -1);
  rig.host.run(10_000);
  assert.equal(rig.gateway.heard.length, before);
});

test("without a gateway it asks the first one, and searches nobody", () => {
  const rig = startLink(modules[1]!, { dead: true }, { gateways: 0 });
  rig.host.run(60_000);
  assert.ok(rig.host.sent.length > 0);
  assert.ok(rig.host.sent.every(({ peer }) => peer === 1));
});
