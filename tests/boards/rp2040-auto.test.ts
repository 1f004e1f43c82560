// SPDX-License-Identifier: MIT
// Goal: the image finds the line on a pin and decodes it within its ticks.
// Method: a wave of Modbus, 115,200 baud, inverted, is on a pin.
// Nothing was said of it. PIO and DMA see its edges, the UART hears it once the image has set it. Cycles of the worst tick are printed.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { POLITE } from "../../host-sim/chips/measure/peer.ts";
import { runReport } from "../../host-sim/chips/report.ts";
import type { Rp2040 } from "../../host-sim/chips/rp2040/index.ts";
import { attachWave } from "../../host-sim/chips/rp2040/wave.ts";
import { formatOf } from "../../host-sim/line/format.ts";
import { inARow, transmit } from "../../host-sim/line/sender.ts";
import { delay, invert, type Wave } from "../../host-sim/line/wave.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { readAddresses } from "../../scripts/build/elf.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import { readRegisters } from "../support/modbus.ts";
import { program } from "../support/need.ts";

const SRAM = 0x20000000;
const PERIOD_MS = 10;
const TICKS = 500;
const START_NS = 300e6; // the line speaks once ticks run
const [BAUD, FORMAT] = [115_200, "8E1"] as const;
const POLL_NS = 6e6; // 53 octets of it
const PHASE_PROTOCOL = 2;
const CODE_8E1 = 4;
const MODBUS_RTU = 1;

const folder = mkdtempSync(join(tmpdir(), "ferrule pico auto "));
after(() => rmSync(folder, { recursive: true, force: true }));

const NODE = {
  type: "finder",
  periodMs: PERIOD_MS,
  channels: {},
  taps: { line: { uart: 0, protocol: "auto" } },
  budgets: { sramBytes: 140_000 },
};

function polls(): Wave {
  const count = Math.floor((TICKS * PERIOD_MS * 1e6) / POLL_NS);
  const said = Array.from({ length: count }, (_, i) => {
    const values = Array.from({ length: 16 }, (_, k) => (i * 31 + k * 997) & 0xffff);
    const [request, answer] = readRegisters(17, 3, 100, values);
    const ns = i * POLL_NS;
    return [...inARow(request, ns), ...inARow(answer, ns + 1.2e6)];
  }).flat();
  const sender = { format: formatOf(BAUD, FORMAT), clockPpm: 8000, jitterBits: 0.03 };
  return delay(invert(transmit(said, sender, createPrng(5))), START_NS);
}

test(
  "an image finds Modbus at 115,200 baud on an inverted line, and decodes it",
  program("arm-none-eabi-gcc"),
  async (t) => {
    mkdirSync(join(folder, "node"));
    writeFileSync(join(folder, "node/node.json"), JSON.stringify(NODE));
    const built = await buildNode(join(folder, "node"));
    const image = buildRp2040("pico", built, join(folder, "image"));
    const symbols = readAddresses(readFileSync(image.elf));
    const { transport, taps } = readBoard("pico");
    assert.ok(transport.kind === "serial");
    let chip: Rp2040 | undefined;
    const report = runReport({
      ...{ uf2: readFileSync(image.program), symbols, periodUs: PERIOD_MS * 1000, ticks: TICKS },
      ...{ seed: 1, line: transport, peer: POLITE },
      attach(attached) {
        chip = attached;
        attachWave(attached, taps[0]!.rx, polls());
      },
    });
    const words = new Uint32Array(chip!.sram.buffer, chip!.sram.byteOffset, chip!.sram.length / 4);
    // AutoTap: phase, baud, format, inverted, protocol.
    const known = [PHASE_PROTOCOL, BAUD, CODE_8E1, 1, MODBUS_RTU];
    const from = (symbols.get("loop_memory")! - SRAM) / 4;
    const at = words.findIndex(
      (_, i) => i >= from && known.every((word, k) => words[i + k] === word),
    );
    const { tick } = report;
    t.diagnostic(
      `ticks of ${report.periodCycles} cycles: median ${tick.p50}, 99 % ${tick.p99}, ` +
        `worst ${tick.max} (${((tick.max * 100) / report.periodCycles).toFixed(1)} %)`,
    );
    assert.ok(at > 0, "the line is known");
    const [confidence, coverage, frames] = [words[at + 5]!, words[at + 6]!, words[at + 7]!];
    t.diagnostic(`confidence ${confidence} %, coverage ${coverage} %, ${frames} frames`);
    assert.ok(coverage >= 99 && frames > 50);
    assert.equal(report.missed, 0);
    assert.deepEqual([report.counted.overruns, report.counted.traps], [0, 0]);
    assert.ok(tick.max * 2 < report.periodCycles, "half of a period");
  },
);
