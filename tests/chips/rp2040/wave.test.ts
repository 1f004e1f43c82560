// SPDX-License-Identifier: MIT
// A wave on a pin is heard by the UART as set, and seen edge by edge.
//
// Waves of host-sim/line; the test sets registers as firmware would and reads the data register.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attachWave } from "../../../host-sim/chips/rp2040/wave.ts";
import { ERROR_BREAK, ERROR_FRAME, formatOf } from "../../../host-sim/chips/rp2040/serial.ts";
import { hear } from "../../../host-sim/line/hear.ts";
import { inARow, transmit, type Said } from "../../../host-sim/line/sender.ts";
import { delay, invert, type Wave } from "../../../host-sim/line/wave.ts";
import { createPrng } from "../../../host-sim/prng.ts";
import { createRig, startClocks, type Rig } from "./rig.ts";

const UART1 = 0x40038000;
const RX = 5;
const CTRL = 0x40014004 + 8 * RX;
const INVERTED = 1 << 16; // INOVER
const LCR_8N1 = 0x70;
const LCR_8E1 = 0x76;
const [DR, IBRD, FBRD, LCR_H, CR] = [0x00, 0x24, 0x28, 0x2c, 0x30];
const FR_EMPTY = 0x10;

function createPort(baud: number, lcr = LCR_8N1, ctrl = 2): Rig {
  const rig = createRig();
  startClocks(rig);
  rig.release((1 << 5) | (1 << 8) | (1 << 23));
  rig.write(CTRL, ctrl);
  setUart(rig, baud, lcr);
  return rig;
}

function setUart(rig: Rig, baud: number, lcr: number): void {
  rig.write(UART1 + CR, 0);
  const divisor = Math.round((4 * 125e6) / baud);
  rig.write(UART1 + IBRD, divisor >> 6);
  rig.write(UART1 + FBRD, divisor & 63);
  rig.write(UART1 + LCR_H, lcr);
  rig.write(UART1 + CR, 0x201);
}

/** Everything that the data register gives until the wave is over. */
function readAll(rig: Rig, wave: Wave): number[] {
  const heard: number[] = [];
  const endNs = wave.edges.at(-1)! + 5e6;
  while (rig.chip.time.nowNs() < endNs) {
    rig.passNs(50_000);
    while ((rig.read(UART1 + 0x18) & FR_EMPTY) === 0) heard.push(rig.read(UART1 + DR));
  }
  return heard;
}

function waveOf(rig: Rig, said: readonly Said[], baud: number, name = "8N1"): Wave {
  const wave = transmit(said, { format: formatOf(baud, name), jitterBits: 0.05 }, createPrng(2));
  return delay(wave, rig.chip.time.nowNs() + 1e5);
}

const TEXT = Array.from(Buffer.from("Behind the press, 20 mA."));

test("a UART hears a wave at its rate, up to 921,600 baud", () => {
  for (const baud of [300, 9600, 115_200, 921_600]) {
    const rig = createPort(baud, LCR_8E1);
    const wave = waveOf(rig, inARow(TEXT, 0), baud, "8E1");
    attachWave(rig.chip, RX, wave);
    assert.deepEqual(readAll(rig, wave), TEXT);
  }
});

test("at a wrong rate it hears what the receiver's model hears, errors and all", () => {
  const rig = createPort(9600);
  const wave = waveOf(rig, inARow(TEXT, 0), 7200);
  attachWave(rig.chip, RX, wave);
  const format = rig.chip.serial.listening(RX)!;
  const wanted = hear(wave, { format }, wave.edges.at(-1)! + 5e6);
  assert.ok(wanted.some(({ flags }) => (flags & ERROR_FRAME) !== 0));
  assert.deepEqual(
    readAll(rig, wave),
    wanted.map(({ data, flags }) => data | (flags << 8)),
  );
});

test("an inverted wire is heard through the input override, and only so", () => {
  for (const [ctrl, right] of [
    [2 | INVERTED, true],
    [2, false],
  ] as const) {
    const rig = createPort(19_200, LCR_8N1, ctrl);
    const wave = invert(waveOf(rig, inARow(TEXT, 0), 19_200));
    attachWave(rig.chip, RX, wave);
    const heard = readAll(rig, wave);
    if (right) assert.deepEqual(heard, TEXT);
    else assert.notDeepEqual(heard, TEXT);
  }
});

test("a break is one character with its flags", () => {
  const rig = createPort(9600);
  const said = [{ startNs: 0, data: 0, breakBits: 40 }, ...inARow(TEXT, 6e6)];
  const wave = waveOf(rig, said, 9600);
  attachWave(rig.chip, RX, wave);
  assert.deepEqual(readAll(rig, wave), [(ERROR_BREAK | ERROR_FRAME) << 8, ...TEXT]);
});

test("firmware that changes the rate while the wave goes on hears from then at the new one", () => {
  const rig = createPort(1200);
  const first = waveOf(rig, inARow(TEXT, 0), 9600);
  const second = waveOf(rig, inARow(TEXT, 60e6), 9600);
  const wave = { initial: 1, edges: [...first.edges, ...second.edges] };
  attachWave(rig.chip, RX, wave);
  rig.passNs(50e6);
  while ((rig.read(UART1 + 0x18) & FR_EMPTY) === 0) rig.read(UART1 + DR);
  setUart(rig, 9600, LCR_8N1);
  assert.deepEqual(readAll(rig, wave), TEXT);
});

test("every edge is on the wire at its time, and the end lets go of the pin", () => {
  const rig = createRig();
  startClocks(rig);
  const wave = waveOf(rig, inARow(TEXT, 0), 115_200);
  const seen: number[] = [];
  rig.chip.pins.onChange(RX, () => void seen.push(rig.chip.time.nowNs()));
  const end = attachWave(rig.chip, RX, wave);
  rig.chip.runToNs(wave.edges.at(-1)! + 1000);
  const edges = seen.slice(-wave.edges.length); // before them: the pin rises to the first level
  assert.ok(edges.every((ns, i) => Math.abs(ns - wave.edges[i]!) <= 8.1));
  end();
  assert.equal(rig.chip.pins.driven(RX), false);
});
