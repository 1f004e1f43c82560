// SPDX-License-Identifier: MIT
// The images of the example nodes, running with their machines on the pins.
//
// What `ferrule build --board pico` writes is loaded as the boot ROM would take it. Seen from outside: ticks
// at their cycles, frames on the line, outputs, and boot numbers that power cuts do not turn back.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createCore } from "../../../host-sim/chips/armv6m/core.ts";
import { attachDevice, type Wiring } from "../../../host-sim/chips/rp2040/attach.ts";
import { createRp2040, FLASH_BYTES, loadUf2 } from "../../../host-sim/chips/rp2040/index.ts";
import type { Rp2040 } from "../../../host-sim/chips/rp2040/index.ts";
import { formatOf } from "../../../host-sim/chips/rp2040/serial.ts";
import { createNothing, type Device } from "../../../host-sim/devices/device.ts";
import { createOven } from "../../../host-sim/devices/oven.ts";
import { createPress } from "../../../host-sim/devices/press.ts";
import { createScale } from "../../../host-sim/devices/scale.ts";
import { newestBoot } from "../../../host-sim/flash.ts";
import { createPrng } from "../../../host-sim/prng.ts";
import { buildNode } from "../../../scripts/build/modules.ts";
import { readBoard } from "../../../scripts/build/rp2040-board.ts";
import { buildRp2040 } from "../../../scripts/build/rp2040.ts";
import { PROJECT } from "../../support/ferrule.ts";
import { program } from "../../support/need.ts";

const COMPILER = program("arm-none-eabi-gcc");
const MS = 1e6;
const LINK_SECTORS = [FLASH_BYTES - 3 * 4096, FLASH_BYTES - 4096] as const; // two sectors of link
const CUTS = 12;
const BOOTED_MS = 130; // link has programmed its boot number by then

const NODES: readonly { name: string; format: string; machine: () => Device }[] = [
  { name: "oven", format: "8N1", machine: () => createOven(createPrng(3)) },
  { name: "press", format: "8N1", machine: () => createPress(createPrng(3)) },
  { name: "scale", format: "8N1", machine: () => createScale(0, 9600, createPrng(3)) },
  { name: "meter", format: "8E1", machine: createNothing },
];

const folder = mkdtempSync(join(tmpdir(), "ferrule-chip-"));
const images = new Map<string, Uint8Array>();
before(async () => {
  if (COMPILER.skip !== false) return;
  for (const { name } of NODES) {
    const built = await buildNode(join(PROJECT, "firmware/nodes", name));
    images.set(name, readFileSync(buildRp2040("pico", built, join(folder, name)).program));
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly chip: Rp2040;
  readonly ticks: number[]; // cycles at which the alarm of the tick matched
  readonly line: number[]; // octets said to the gateway
}

function power(flash: Uint8Array, seed: number, node: (typeof NODES)[number]): Running {
  const [ticks, line]: [number[], number[]] = [[], []];
  const alarmFired = (alarm: number, cycle: number): void =>
    void (alarm === 0 && ticks.push(cycle));
  const chip = createRp2040({ flash, seed, makeCore: createCore, alarmFired });
  const { analog, digital, pulses, pwm, taps, transport, accelerometers } = readBoard("pico");
  const format = formatOf(9600, node.format);
  const lines = taps.map(({ rx }) => ({ rx, format }));
  const wiring: Wiring = { analog, digital, pulses, pwm, taps: lines, accelerometers };
  attachDevice(chip, node.machine(), wiring);
  if (transport.kind === "serial") chip.serial.onSay(transport.tx, ({ octet }) => line.push(octet));
  return { chip, ticks, line };
}

function flashOf(name: string): Uint8Array {
  const flash = new Uint8Array(FLASH_BYTES).fill(0xff);
  loadUf2(images.get(name)!, flash);
  return flash;
}

for (const node of NODES)
  test(`the image of the ${node.name} boots, ticks and looks for its gateway`, COMPILER, () => {
    const { chip, ticks, line } = power(flashOf(node.name), 1, node);
    chip.runToNs(1500 * MS); // the client waits up to a second before it speaks
    assert.deepEqual(chip.counts, { resets: 1, bites: 0 });
    assert.equal(chip.time.sysHz(), 125e6);
    assert.ok(ticks.length > 50, `${ticks.length} ticks`);
    const gaps = new Set(ticks.slice(1).map((cycle, i) => cycle - ticks[i]!));
    assert.deepEqual([...gaps], [ticks[1]! - ticks[0]!]);
    assert.equal((ticks[1]! - ticks[0]!) % 125_000, 0); // whole milliseconds
    assert.ok(line.length > 4, "a first frame");
    assert.deepEqual([line[0], line.at(-1)], [0, 0]); // frames end and begin with 0
    assert.equal(chip.serial.counts[1]!.lost, 0);
    if (node.name === "scale") assert.ok(chip.serial.counts[1]!.heard > 50);
  });

test("power cuts at any point: the node comes back, and boot numbers only grow", COMPILER, () => {
  const node = NODES[0]!;
  const flash = flashOf(node.name);
  const prng = createPrng(21);
  const boots = (): number =>
    newestBoot({ bytes: flash.slice(...LINK_SECTORS) } as Parameters<typeof newestBoot>[0]);
  let [newest, torn] = [0, 0];
  for (let cut = 0; cut < CUTS; cut++) {
    const { chip } = power(flash, cut, node);
    chip.runToNs((10 + prng.below(110)) * MS);
    if (chip.nor.busy()) torn++;
    chip.cutPower();
    assert.ok(boots() >= newest, `boot ${boots()} after ${newest}`);
    newest = boots();
  }
  assert.ok(torn > 0, "no cut was inside an operation of the flash");
  const { chip } = power(flash, 99, node);
  chip.runToNs(BOOTED_MS * MS);
  assert.equal(boots(), newest + 1);
});
