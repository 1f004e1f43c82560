// SPDX-License-Identifier: MIT
// Goal: the image finds the line on a pin and decodes it within its ticks.
// Method: waves of 1,200 to 115,200 baud, of Modbus, a meter and lines of text, are on a pin.
// Nothing was said of them. PIO and DMA see the edges, the UART hears them once the image has set it. Cycles of the worst tick are printed.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { POLITE } from "../../host-sim/chips/measure/peer.ts";
import { runReport } from "../../host-sim/chips/report.ts";
import type { Rp2040 } from "../../host-sim/chips/rp2040/index.ts";
import { attachWave } from "../../host-sim/chips/rp2040/wave.ts";
import { formatOf } from "../../host-sim/line/format.ts";
import { randomLine } from "../../host-sim/line/random.ts";
import { inARow, transmit } from "../../host-sim/line/sender.ts";
import { delay, invert, type Wave } from "../../host-sim/line/wave.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { LINE_FORMATS, LINE_PROTOCOLS } from "../../firmware/wire/line-names.ts";
import { readAddresses } from "../../scripts/build/elf.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import { readRegisters } from "../support/modbus.ts";
import { program } from "../support/need.ts";

const SRAM = 0x20000000;
const PERIOD_MS = 10;
const START_NS = 300e6; // the line speaks once ticks run
const [BAUD, FORMAT] = [115_200, "8E1"] as const;
const TICKS = 370; // of the fastest line: half a second after its verdict
const POLL_NS = 6e6; // 53 octets of it
const PHASE_PROTOCOL = 2;
const INVERTED = true;

const folder = mkdtempSync(join(tmpdir(), "ferrule pico auto "));
after(() => rmSync(folder, { recursive: true, force: true }));
const needs = program("arm-none-eabi-gcc");

const NODE = {
  type: "finder",
  periodMs: PERIOD_MS,
  channels: {},
  taps: { line: { uart: 0, protocol: "auto" } },
  budgets: { sramBytes: 140_000 },
};

/** What a line is, and how long it is heard. */
interface Line {
  wave: Wave;
  baud: number;
  format: string;
  inverted: boolean;
  protocol: string;
  ticks: number;
  frames: number; // at least, once it is decoded
}

function polls(): Line {
  const count = Math.floor((TICKS * PERIOD_MS * 1e6) / POLL_NS);
  const said = Array.from({ length: count }, (_, i) => {
    const values = Array.from({ length: 16 }, (_, k) => (i * 31 + k * 997) & 0xffff);
    const [request, answer] = readRegisters(17, 3, 100, values);
    const ns = i * POLL_NS;
    return [...inARow(request, ns), ...inARow(answer, ns + 1.2e6)];
  }).flat();
  const sender = { format: formatOf(BAUD, FORMAT), clockPpm: 8000, jitterBits: 0.03 };
  const wave = delay(invert(transmit(said, sender, createPrng(5))), START_NS);
  const known = { baud: BAUD, format: FORMAT, inverted: INVERTED, protocol: "modbus-rtu" };
  return { wave, ...known, ticks: TICKS, frames: 60 };
}

/** The line of a seed over and over, with the truth about it. */
function seeded(seed: number, ticks: number): Line {
  const { truth, wave, endNs } = randomLine(seed);
  assert.ok(truth.baud !== null);
  const rounds = Math.ceil((ticks * PERIOD_MS * 1e6) / endNs);
  const edges = Array.from({ length: rounds }, (_, i) => delay(wave, START_NS + i * endNs).edges);
  return { ...truth, baud: truth.baud, wave: { ...wave, edges: edges.flat() }, ticks, frames: 3 };
}

interface Image {
  uf2: Uint8Array;
  symbols: Map<string, number>;
}

let image: Image;

before(async () => {
  if (needs.skip !== false) return;
  mkdirSync(join(folder, "node"));
  writeFileSync(join(folder, "node/node.json"), JSON.stringify(NODE));
  const built = await buildNode(join(folder, "node"));
  const { elf, program: uf2 } = buildRp2040("pico", built, join(folder, "image"));
  image = { uf2: readFileSync(uf2), symbols: readAddresses(readFileSync(elf)) };
});

for (const [name, line] of [
  ["Modbus at 115,200 baud on an inverted line", polls],
  ["Modbus at 1,200 baud", () => seeded(111, 800)],
  ["lines of text at 9,600 baud, 7E1", () => seeded(60, 480)],
  ["a meter's SML at 9,600 baud", () => seeded(166, 900)],
  ["Modbus at 19,200 baud, 8O1", () => seeded(775, 640)],
] as [string, () => Line][])
  test(`an image finds ${name}, and decodes it`, needs, (t) => {
    const { wave, ticks, frames: least, ...truth } = line();
    const { transport, taps } = readBoard("pico");
    assert.ok(transport.kind === "serial");
    let chip: Rp2040 | undefined;
    const report = runReport({
      ...{ ...image, periodUs: PERIOD_MS * 1000, ticks, seed: 1, line: transport, peer: POLITE },
      attach(attached) {
        chip = attached;
        attachWave(attached, taps[0]!.rx, wave);
      },
    });
    const { tick, periodCycles, missed, counted } = report;
    const share = ((tick.max * 100) / periodCycles).toFixed(1);
    t.diagnostic(
      `${truth.baud} ${truth.format} ${truth.protocol}: ticks of ${periodCycles} cycles: ` +
        `median ${tick.p50}, 99 % ${tick.p99}, worst ${tick.max} (${share} %)`,
    );
    const [confidence, coverage, frames] = knownOf(chip!, truth);
    t.diagnostic(`confidence ${confidence} %, coverage ${coverage} %, ${frames} frames`);
    assert.ok(coverage! >= 75 && frames! >= least);
    assert.deepEqual([missed, counted.overruns, counted.traps], [0, 0, 0]);
    assert.ok(tick.max * 2 < periodCycles, "half of a period");
  });

/** Confidence, coverage and frames of the tap in the memory of the image that knows this line. */
function knownOf(chip: Rp2040, truth: Omit<Line, "wave" | "ticks" | "frames">): number[] {
  const words = new Uint32Array(chip.sram.buffer, chip.sram.byteOffset, chip.sram.length / 4);
  const from = (image.symbols.get("loop_memory")! - SRAM) / 4;
  // AutoTap: phase, baud, format, inverted, protocol.
  const known = [
    ...[PHASE_PROTOCOL, truth.baud, codeOf(LINE_FORMATS, truth.format.replace("8N2", "8N1"))],
    ...[truth.inverted ? 1 : 0, codeOf(LINE_PROTOCOLS, truth.protocol)],
  ];
  const at = words.findIndex(
    (_, i) => i >= from && known.every((word, k) => words[i + k] === word),
  );
  assert.ok(at > 0, "the line is known");
  return [...words.subarray(at + known.length, at + known.length + 3)];
}

function codeOf(names: readonly string[], name: string): number {
  const code = names.indexOf(name);
  assert.ok(code > 0, name);
  return code;
}
