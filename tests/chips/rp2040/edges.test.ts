// SPDX-License-Identifier: MIT
// Edge capture of the firmware on the emulated chip: times, levels, losses.
//
// Goal: every edge of a pin comes with its time to 16 ns and its level; what is lost is told, and what follows is right
// again. Method: boards/rp2040/edges.c in a program of its own; edges at cycles that the test knows.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createCore } from "../../../host-sim/chips/armv6m/core.ts";
import { createRp2040, FLASH_BYTES, type Rp2040 } from "../../../host-sim/chips/rp2040/index.ts";
import { crc32Mpeg2 } from "../../../host-sim/chips/rp2040/rom.ts";
import { createPrng } from "../../../host-sim/prng.ts";
import { program } from "../../support/need.ts";
import { PROJECT } from "../../support/ferrule.ts";

const tools = program("arm-none-eabi-gcc", "arm-none-eabi-objcopy");
const HERE = join(import.meta.dirname, "edges");
const BOARD = join(PROJECT, "boards/rp2040");
const FLAGS = [
  "-mcpu=cortex-m0plus",
  "-mthumb",
  "-O2",
  "-std=gnu11",
  "-ffreestanding",
  "-nostdlib",
];
const MORE = ["-Wall", "-Werror", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-lgcc"];
const [PIN, LOST] = [5, 8];
const DMA_CTRL = 0x50000000 + 0x40 * 6 + 0x10; // of the first input, starts nothing
const folder = mkdtempSync(join(tmpdir(), "ferrule edges "));
const flash = new Uint8Array(FLASH_BYTES).fill(0xff);

before(() => {
  if (tools.skip !== false) return;
  const [elf, bin] = [join(folder, "a.elf"), join(folder, "a.bin")];
  const sources = [join(HERE, "../boot/boot.S"), join(HERE, "program.c"), join(BOARD, "edges.c")];
  const script = ["-T", join(HERE, "../boot/program.ld"), "-o", elf];
  execFileSync("arm-none-eabi-gcc", [
    ...FLAGS,
    `-I${HERE}`,
    `-I${BOARD}`,
    ...sources,
    ...MORE,
    ...script,
  ]);
  execFileSync("arm-none-eabi-objcopy", ["-O", "binary", elf, bin]);
  flash.set(readFileSync(bin));
  new DataView(flash.buffer).setUint32(252, crc32Mpeg2(flash.subarray(0, 252)), true);
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Edge {
  cycle: number;
  level: number;
}
interface Captured {
  counts: number;
  level: number;
  flags: number;
}

interface Running {
  readonly chip: Rp2040;
  log(): Captured[];
  hush(on: boolean): void;
  /** Edges at these cycles from now on, the first one away from the present level. */
  play(gaps: readonly number[]): Edge[];
}

function start(level = false): Running {
  const chip = createRp2040({ flash: flash.slice(), seed: 1, makeCore: createCore });
  chip.pins.drive(PIN, level);
  chip.runToNs(30e6);
  const memory = new DataView(chip.sram.buffer, chip.sram.byteOffset + 0x10000);
  return {
    chip,
    hush: (on) => memory.setUint32(4, on ? 1 : 0, true),
    log: () =>
      Array.from({ length: memory.getUint32(0, true) }, (_, i) => ({
        counts: memory.getUint32(0x100 + 8 * i, true),
        level: memory.getUint8(0x104 + 8 * i),
        flags: memory.getUint8(0x105 + 8 * i),
      })),
    play(gaps) {
      let cycle = chip.clock.now() + 100;
      let now = chip.pins.level(PIN);
      const edges = gaps.map((gap) => {
        cycle += gap;
        now = !now;
        const high = now;
        chip.clock.at(cycle, () => chip.pins.drive(PIN, high));
        return { cycle, level: high ? 1 : 0 };
      });
      chip.runCycles(cycle - chip.clock.now() + 30_000);
      return edges;
    },
  };
}

const levelsOf = (edges: readonly { level: number }[]): number[] => edges.map(({ level }) => level);

/** The distance of each edge from the first is right to a cycle. */
function assertTimes(captured: readonly Captured[], edges: readonly Edge[]): void {
  assert.deepEqual(levelsOf(captured), levelsOf(edges));
  captured.forEach(({ counts }, i) => {
    const cycles = 2 * ((counts - captured[0]!.counts) >>> 0);
    const wanted = edges[i]!.cycle - edges[0]!.cycle;
    assert.ok(Math.abs(cycles - wanted) <= 1, `edge ${i}: ${cycles} for ${wanted}`);
  });
}

test("random edges, two cycles apart and more, all come with time and level", tools, () => {
  const { chip, log, play } = start();
  const prng = createPrng(9);
  const gaps = Array.from({ length: 3000 }, (_, i) =>
    i % 40 === 0 ? 3000 : 2 + prng.below(prng.chance(0.1) ? 2000 : 60),
  );
  const edges = play(gaps);
  assertTimes(log(), edges);
  assert.deepEqual(
    log().filter(({ flags }) => flags !== 0),
    [],
  );
  assert.equal(chip.pins.driven(PIN), false);
  // The count is the chip's time: microseconds of TIMER by 62.5.
  const now = chip.bus.read(0x40054028, 4) >>> 0;
  const agoUs = (chip.clock.now() - edges.at(-1)!.cycle) / 125;
  assert.ok(Math.abs(log().at(-1)!.counts / 62.5 - (now - agoUs)) < 2);
});

test("a pin that is high at the start makes no edge; the first one is the fall", tools, () => {
  const { log, play } = start(true);
  assert.deepEqual(log(), []);
  play([5000, 2, 700]);
  assert.deepEqual(levelsOf(log()), [0, 1, 0]);
});

test("a pause between edges keeps the time", tools, () => {
  const { chip, log, play } = start();
  const first = play([100, 50]);
  chip.runCycles(200_000);
  const second = play([100, 50]);
  assertTimes(log(), [...first, ...second]);
});

test("what is taken too late is lost, said once, and right again after that", tools, () => {
  const { log, play, hush } = start();
  play([100, 200, 300]);
  hush(true);
  play(Array.from({ length: 300 }, () => 90));
  hush(false);
  play([]);
  const before = log().length;
  const edges = play(Array.from({ length: 101 }, (_, i) => 40 + i));
  const fresh = log().slice(before);
  assert.equal(before, 3);
  assert.equal(fresh[0]!.flags, LOST);
  assertTimes(fresh, edges);
  assert.equal(log().filter(({ flags }) => flags !== 0).length, 1);
});

test("a DMA that comes too late stalls the machine; that is a loss as well", tools, () => {
  const { chip, log, play, hush } = start();
  play([100, 200, 300]);
  hush(true);
  const control = chip.bus.read(DMA_CTRL, 4);
  chip.bus.write(DMA_CTRL, 4, control & ~1);
  play(Array.from({ length: 20 }, () => 90));
  chip.bus.write(DMA_CTRL, 4, control | 1);
  hush(false);
  play([]);
  const before = log().length;
  const edges = play([50, 60, 70, 80]);
  const fresh = log().slice(before);
  assert.equal(fresh[0]!.flags, LOST);
  assertTimes(fresh, edges);
});
