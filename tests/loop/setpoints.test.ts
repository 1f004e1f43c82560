// SPDX-License-Identifier: MIT
// Goal: a command is clamped, lives its time, may be refused, is answered once.
// Method: commands in the mailbox of a release module; its records and its duty show what holds.

import assert from "node:assert/strict";
import test from "node:test";
import { COMMANDS_PER_TICK } from "../../firmware/limits.ts";
import { KIND_READING } from "../../firmware/wire/record.ts";
import {
  CODE_APPLIED,
  CODE_CLAMPED,
  CODE_REFUSED,
  CODE_STALE,
  MAILBOX_BYTES,
} from "../../firmware/wire/setpoint.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";

const TICK_US = 10_000;
const [SPEED, LEVEL] = [0, 1];
const [GUARD, SPEED_CHANNEL, LEVEL_CHANNEL] = [0, 1, 2];

const node = parseNode({
  type: "setpoints",
  channels: {
    guard: {
      kind: "analog",
      input: 0,
      everyMs: 10,
      decimals: 0,
      scale: { raw: [0, 1], value: [0, 1] },
    },
  },
  setpoints: {
    speed: { decimals: 0, min: 100, max: 9000, default: 500 },
    level: { decimals: 2, min: -5, max: 5, default: -1.5, staleMs: 1000 },
  },
  outputs: { fan: { output: 0 } },
});

// The guard of the machine refuses a new speed while it is open.
const CODE = `
import { drive, refuse, setpoint, value } from "ferrule/loop";
import { FAN_OUTPUT, GUARD, SPEED_SETPOINT } from "ferrule/node";
export function decide(): void {
  if (value(GUARD) == 1) refuse(SPEED_SETPOINT);
  drive(FAN_OUTPUT, setpoint(SPEED_SETPOINT));
}
`;
const module = new WebAssembly.Module((await buildLoop(node, CODE)) as BufferSource);

function start(nowUs = 0): LoopHost {
  const host = createLoopHost(module);
  host.nowUs = nowUs;
  host.adc = [0];
  host.init();
  return host;
}

function step(host: LoopHost, ticks = 1): void {
  for (let i = 0; i < ticks; i++) host.tick(host.nowUs + TICK_US);
}

function values(host: LoopHost, channel: number) {
  return host.records
    .filter((r) => r.kind === KIND_READING && r.channel === channel)
    .map(({ value }) => value);
}

function outcomes(host: LoopHost) {
  return host.records.flatMap(({ channel, outcome: o }) =>
    o === null ? [] : [[channel, o.request, o.requested, o.effective, o.code]],
  );
}

const fan = (host: LoopHost) => Math.round((host.duties.get(0)! * 10_000) / 65_535);

test("defaults hold from the first tick and are told once, then each heartbeat", () => {
  const host = start();
  step(host);
  assert.equal(fan(host), 500);
  assert.deepEqual([values(host, SPEED_CHANNEL), values(host, LEVEL_CHANNEL)], [[500], [-150]]);
  step(host, 1000);
  assert.deepEqual(values(host, SPEED_CHANNEL), [500, 500]);
  assert.deepEqual(outcomes(host), []);
});

test("a command acts in the tick that takes it, is answered, and its value is told", () => {
  const host = start();
  step(host);
  host.command({ setpoint: SPEED, request: 4_000_000_000, mantissa: 1234 });
  step(host);
  assert.equal(fan(host), 1234);
  assert.deepEqual(outcomes(host), [[SPEED_CHANNEL, 4_000_000_000, 1234, 1234, CODE_APPLIED]]);
  assert.deepEqual(values(host, SPEED_CHANNEL), [500, 1234]);
  step(host, 100_000); // no staleMs: for ever
  assert.equal(fan(host), 1234);
});

test("what link hands over is clamped again, at both ends and beyond 16 bits", () => {
  for (const [mantissa, effective] of [
    [9001, 9000],
    [99, 100],
    [2_147_483_647, 9000],
    [-2_147_483_648, 100],
  ] as const) {
    const host = start();
    host.command({ setpoint: SPEED, request: 1, mantissa });
    step(host);
    assert.deepEqual(outcomes(host), [[SPEED_CHANNEL, 1, mantissa, effective, CODE_CLAMPED]]);
    assert.equal(fan(host), effective);
  }
});

test("a command lives for its lifetime, or else for staleMs; then the default holds", () => {
  for (const [lifetimeMs, ticks] of [
    [0, 100],
    [250, 25],
    [2000, 200],
  ] as const) {
    const host = start(2 ** 32 - 500_000); // the host's clock wraps meanwhile
    step(host);
    host.command({ setpoint: LEVEL, request: 7, mantissa: 400, lifetimeMs });
    step(host, ticks);
    assert.deepEqual(values(host, LEVEL_CHANNEL), [-150, 400]);
    step(host);
    assert.deepEqual(values(host, LEVEL_CHANNEL), [-150, 400, -150]);
    assert.deepEqual(outcomes(host).at(-1), [LEVEL_CHANNEL, 7, 400, -150, CODE_STALE]);
    step(host, 500);
    assert.equal(outcomes(host).length, 2);
  }
});

test("a repeated command starts its life anew", () => {
  const host = start();
  for (let i = 0; i < 5; i++) {
    host.command({ setpoint: LEVEL, request: i, mantissa: 400 });
    step(host, 90);
  }
  assert.deepEqual(new Set(values(host, LEVEL_CHANNEL)), new Set([400]));
});

test("an interlock refuses the command of this tick: the value of before holds on", () => {
  const host = start();
  host.command({ setpoint: SPEED, request: 1, mantissa: 800 });
  step(host);
  host.adc = [1];
  step(host); // nothing was commanded: nothing changes
  assert.equal(fan(host), 800);
  host.command({ setpoint: SPEED, request: 2, mantissa: 3000 });
  host.command({ setpoint: LEVEL, request: 3, mantissa: 100 });
  host.command({ setpoint: SPEED, request: 4, mantissa: 99_999 });
  step(host);
  assert.equal(fan(host), 800);
  assert.deepEqual(outcomes(host).slice(1), [
    [SPEED_CHANNEL, 2, 3000, 800, CODE_REFUSED],
    [LEVEL_CHANNEL, 3, 100, 100, CODE_APPLIED],
    [SPEED_CHANNEL, 4, 99_999, 800, CODE_REFUSED],
  ]);
  assert.deepEqual(values(host, SPEED_CHANNEL), [800]);
});

test("a tick takes four commands; the rest wait in the mailbox", () => {
  const host = start();
  for (let i = 0; i < 8; i++) host.command({ setpoint: SPEED, request: i, mantissa: 1000 + i });
  step(host);
  assert.equal(host.mailbox.length, 8 - COMMANDS_PER_TICK);
  assert.equal(fan(host), 1003);
  step(host);
  assert.equal(fan(host), 1007);
  assert.deepEqual(
    outcomes(host).map(([, request]) => request),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

test("no outcome is lost in a full ring: commands wait until there is room to answer", () => {
  const host = start();
  step(host);
  host.ringFull = true;
  for (let i = 0; i < 6; i++) host.command({ setpoint: LEVEL, request: i, mantissa: i });
  step(host, 50);
  assert.equal(host.mailbox.length, 2);
  step(host, 100); // the fourth outlives its second
  host.adc = [1]; // too late to refuse
  host.ringFull = false;
  step(host, 2);
  assert.deepEqual(outcomes(host), [
    [LEVEL_CHANNEL, 0, 0, 0, CODE_APPLIED],
    [LEVEL_CHANNEL, 1, 1, 1, CODE_APPLIED],
    [LEVEL_CHANNEL, 2, 2, 2, CODE_APPLIED],
    [LEVEL_CHANNEL, 3, 3, 3, CODE_APPLIED],
    [LEVEL_CHANNEL, 3, 3, -150, CODE_STALE],
    [LEVEL_CHANNEL, 4, 4, 4, CODE_APPLIED],
    [LEVEL_CHANNEL, 5, 5, 5, CODE_APPLIED],
  ]);
});

test("a record that is not a command changes nothing, and the next good one is taken", () => {
  const host = start();
  step(host);
  host.command({ setpoint: 2, request: 1, mantissa: 300 }); // no such set-point
  host.command({ setpoint: 255, request: 2, mantissa: 300 });
  for (const length of [1, 4, MAILBOX_BYTES - 1]) host.mailbox.push(new Uint8Array(length).fill(1));
  host.command({ setpoint: SPEED, request: 3, mantissa: 300 });
  step(host, 2);
  assert.deepEqual(outcomes(host), [[SPEED_CHANNEL, 3, 300, 300, CODE_APPLIED]]);
});

test("a node without set-points has no mailbox", async () => {
  const plain = parseNode({ type: "plain", channels: { c: { kind: "computed" } } });
  const wasm = new WebAssembly.Module((await buildLoop(plain)) as BufferSource);
  assert.deepEqual(
    WebAssembly.Module.imports(wasm).map(({ name }) => name),
    ["now_us", "ring_put"],
  );
  assert.equal(GUARD, 0);
});
