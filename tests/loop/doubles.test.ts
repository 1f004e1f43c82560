// SPDX-License-Identifier: MIT
// Goal: loop in doubles does to the bit what loop in 64-bit integers does.
//
// Method: both modules of one node type get the same random counts, commands and times; every record and every
// duty is compared. Set-points over all 32 bits drive controllers with the largest and the smallest gains.

import assert from "node:assert/strict";
import test from "node:test";
import { onBoard } from "../../scripts/build/board-values.ts";
import { buildLoop, createLoopHost, parseNode, type LoopHost } from "../support/loop-host.ts";
import { createPrng } from "../../host-sim/prng.ts";

const TICKS = 20_000;
const SEED = 8;
const WIDE = { decimals: 0, min: -2147483647, max: 2147483647, default: 0 };
const GAINS = [
  [1048576, 1048576, 1048576],
  [-1048576, 3, -1048576],
  [1, 1, 1],
  [5000, 250, 7],
] as const;

const node = parseNode({
  type: "wide",
  channels: {
    smooth: {
      ...{ kind: "analog", input: 0, everyMs: 10, decimals: 3, median: 5, ema: 0.07 },
      ...{ scale: { raw: [0, 4095], value: [-1000, 1096] }, deadband: 0.5 },
    },
    high: {
      ...{ kind: "analog", input: 1, everyMs: 10, decimals: 0, ema: 0.9 },
      ...{ scale: { raw: [0, 4095], value: [2_147_000_000, 2_146_000_000] }, deadband: 1 },
    },
    duty: { kind: "computed", decimals: 0 },
  },
  setpoints: { wanted: WIDE, measured: WIDE },
  outputs: Object.fromEntries(GAINS.map((_, i) => [`o${i}`, { output: i, min: 0.05, max: 0.9 }])),
});

const CODE = `
import { control, duty, pid, release, report, setpoint, value } from "ferrule/loop";
import { HIGH, MEASURED_SETPOINT, SMOOTH, WANTED_SETPOINT } from "ferrule/node";
import { DUTY } from "ferrule/node";
${GAINS.map((gains, i) => `const pid${i} = pid(${gains.join(", ")});`).join("\n")}
export function decide(): void {
  const measured = setpoint(MEASURED_SETPOINT);
  ${GAINS.map((_, i) => `control(pid${i}, ${i}, setpoint(WANTED_SETPOINT), measured);`).join("\n")}
  if ((measured & 63) == 1) release(pid1);
  report(DUTY, duty(0) * 7 + duty(1) * 5 + duty(2) * 3 + duty(3));
}
`;

test("integers and doubles give the same records and the same duties", async () => {
  const modules = [
    await buildLoop(node, CODE),
    await buildLoop(onBoard(node, "kaluma-pico"), CODE),
  ];
  assert.notDeepEqual(modules[0], modules[1]);
  const hosts = modules.map((wasm) => createLoopHost(wasm));
  for (const host of hosts) {
    host.adc = [0, 0];
    host.init();
  }
  const random = createPrng(SEED);
  const below = (count: number): number => random.below(count);
  let nowUs = 0;
  for (let tick = 0; tick < TICKS; tick++) {
    nowUs += [10_000, 1, 37, 999_983, 70_000_000][below(5)]!;
    const adc = [below(4096), below(4096)];
    const command = below(3) === 0 ? { setpoint: below(2), mantissa: wild(below) } : undefined;
    const [ours, doubles] = hosts.map((host) => step(host, nowUs, adc, command)) as [
      string,
      string,
    ];
    assert.equal(doubles, ours, `tick ${tick}`);
  }
});

// Full range, a few steps, and all that lies between.
function wild(below: (count: number) => number): number {
  return (below(2 ** 32 - 1) | 0) >> below(32);
}

function step(
  host: LoopHost,
  nowUs: number,
  adc: number[],
  command: { setpoint: number; mantissa: number } | undefined,
): string {
  host.adc = adc;
  if (command !== undefined) host.command({ ...command, request: nowUs >>> 0 });
  host.records.length = 0;
  host.tick(nowUs);
  return JSON.stringify([host.records, [...host.duties]]);
}
