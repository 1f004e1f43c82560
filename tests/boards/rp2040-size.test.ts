// SPDX-License-Identifier: MIT
// What the images of the example nodes take: octets and cycles that only shrink.
//
// Goal: nothing grows unseen, and what a Modbus tap node and a tick at 1 kHz may take holds. Method: the real images,
// linked and run in the chip's model; the numbers stand in sizes.json.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { RunReport } from "../../host-sim/chips/report.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import type { Sizes } from "../../scripts/build/size.ts";
import { measureImage, reportTable, requireTick } from "../../scripts/run/measure.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";

const needsCompiler = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule size "));
after(() => rmSync(folder, { recursive: true, force: true }));

const KIB_64 = 65_536;
const TICK_SHARE_MAX = 0.2; // of the press at 1 kHz

interface Numbers {
  flashBytes: number;
  sramBytes: number;
  tickCycles?: number; // the worst tick of the first 3 s; not on Ethernet, which nothing plays there
}
const TABLE = JSON.parse(readFileSync(new URL("sizes.json", import.meta.url), "utf8")) as Record<
  string,
  Numbers
>;

interface Measured {
  sizes: Sizes;
  report: RunReport;
}

async function measure(node: string): Promise<Measured> {
  const built = await buildNode(node);
  const image = buildRp2040("pico", built, join(folder, `${built.type.type} image`));
  return { sizes: image.sizes, report: (await measureImage("pico", built, image))! };
}

/** The press with something else in its node.json. */
function changedPress(name: string, from: string, to: string): string {
  const changed = join(folder, name);
  cpSync(join(PROJECT, "firmware/nodes/press"), changed, { recursive: true });
  const file = join(changed, "node.json");
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from));
  writeFileSync(file, text.replace(from, to));
  return changed;
}

// Growth fails; what has shrunk is to be written down.
function compare(name: string, { sizes, report }: Pick<Measured, "sizes"> & Partial<Measured>) {
  const { flashBytes, sramBytes } = sizes;
  const found: Numbers = { flashBytes, sramBytes };
  if (report !== undefined) found.tickCycles = report.tick.max;
  const line = `"${name}": ${JSON.stringify(found)}`;
  const most = TABLE[name];
  assert.ok(most !== undefined, `tests/boards/sizes.json lacks ${line}`);
  for (const key of ["flashBytes", "sramBytes", "tickCycles"] as const) {
    const now: number = found[key] ?? 0;
    const before: number = most[key] ?? 0;
    assert.ok(now <= before, `${key} grew: ${line} (npx ferrule size --run tells where)`);
    assert.equal(now, before, `${key} shrank: put ${line} into tests/boards/sizes.json`);
  }
  assert.equal(report?.missed ?? 0, 0);
}

for (const name of ["oven", "meter", "press", "scale"])
  test(`${name} takes what the table says on a Pico`, needsCompiler, async () => {
    const measured = await measure(join(PROJECT, "firmware/nodes", name));
    compare(name, measured);
    assert.ok(measured.sizes.kept);
    if (name !== "meter") return;
    assert.ok(measured.sizes.flashBytes <= KIB_64 && measured.sizes.sramBytes <= KIB_64);
    const { tick } = measured.report;
    const refuse = (most: number) => () => requireTick("meter", "pico", most, measured.report);
    assert.doesNotThrow(refuse(tick.max));
    assert.throws(refuse(tick.max - 1), /the worst tick takes \d+ cycles, the budget is \d+/);
    const table = reportTable(measured.report);
    for (const part of ["tick ", "on_loop", "stack of link", "octets in the ring", "CPU share"])
      assert.ok(table.includes(part), part);
  });

for (const name of ["oven", "meter", "press", "scale"])
  test(`${name} takes what the table says on a W5500-EVB-Pico`, needsCompiler, async () => {
    const built = await buildNode(join(PROJECT, "firmware/nodes", name));
    const { sizes } = buildRp2040("w5500-evb-pico", built, join(folder, `${name} Ethernet`));
    compare(`${name} on w5500-evb-pico`, { sizes });
    assert.ok(sizes.kept);
  });

test(
  "the press with its accelerometer on I2C takes what the table says",
  needsCompiler,
  async () => {
    const name = "press on I2C";
    compare(name, await measure(changedPress(name, '"device": 0', '"device": 1')));
  },
);

test("the press at 1 kHz leaves four fifths of the processor", needsCompiler, async () => {
  const measured = await measure(changedPress("press", '"periodMs": 10', '"periodMs": 1'));
  compare("press at 1 kHz", measured);
  const { tick, periodCycles } = measured.report;
  assert.equal(periodCycles, 125_000);
  assert.ok(tick.share <= TICK_SHARE_MAX, `${tick.share} of all cycles`);
});
