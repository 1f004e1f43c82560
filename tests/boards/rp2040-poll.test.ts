// SPDX-License-Identifier: MIT
// A tap of the flash image that polls: its transmit pin, its driver.
//
// Goal: the pins drive the line while a question is sent and at no other time; the image of a node that listens
// touches neither. Method: the real image in the emulator, units of the simulator at its pins; every change of the
// two pins against the ends of the characters. Then the whole road with a chip, value by value.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Rp2040 } from "../../host-sim/chips/rp2040/index.ts";
import { characterBits, formatOf } from "../../host-sim/chips/rp2040/serial.ts";
import { attachDevice } from "../../host-sim/chips/rp2040/attach.ts";
import { createSlaves, type SlaveRegister } from "../../host-sim/devices/slaves.ts";
import { createPrng } from "../../host-sim/prng.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { boardText, readBoard } from "../../scripts/build/rp2040-board.ts";
import { buildRp2040, type Rp2040Image } from "../../scripts/build/rp2040.ts";
import { program } from "../support/need.ts";
import { emptyFlash, start } from "./rp2040-rig.ts";

const tools = program("arm-none-eabi-gcc");
const folder = mkdtempSync(join(tmpdir(), "ferrule pico poll "));
after(() => rmSync(folder, { recursive: true, force: true }));

const MS = 1e6;
const [RX, TX, DE] = [5, 4, 2];
const TX_PINS = [4, 8, 20, 24]; // that UART1 could drive
const REGISTERS: SlaveRegister[] = [
  { unit: 1, code: 3, address: 10, type: "u16", order: 0 },
  { unit: 1, code: 4, address: 20, type: "f32", order: 0 },
];

async function nodeOf(name: string, bus: object, more: object = {}) {
  const register = { kind: "register", tap: "bus", unitId: 1 };
  const channels = {
    speed: { ...register, table: "holding", address: 10 },
    flow: { ...register, table: "input", address: 20, type: "f32" },
  };
  const line = { uart: 0, protocol: "modbus-rtu", baud: 19_200, format: "8E1" };
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const node = { type: name, channels, taps: { bus: { ...line, ...bus } }, ...more };
  writeFileSync(join(path, "node.json"), JSON.stringify(node));
  return buildNode(path, { board: "pico" });
}

async function imageOf(name: string, bus: object, more: object = {}): Promise<Rp2040Image> {
  return buildRp2040("pico", await nodeOf(name, bus, more), join(folder, name, "out"));
}

interface Edge {
  ns: number;
  high: boolean;
  driven: boolean;
}

// What happens at a pin from now on.
function watch(chip: Rp2040, pin: number): Edge[] {
  const edges: Edge[] = [];
  chip.pins.onChange(
    pin,
    (high, driven) => void edges.push({ ns: chip.time.nowNs(), high, driven }),
  );
  return edges;
}

for (const [baud, periodMs] of [
  [9600, 10],
  [115_200, 5],
] as const)
  test(
    `at ${baud} baud the line is driven while a question is sent, and not longer`,
    tools,
    async () => {
      const bus = { mode: "poll", everyMs: 200, timeoutMs: 100, baud };
      const image = await imageOf(`asks-${baud}`, bus, { periodMs });
      const { chip, words } = start(image, emptyFlash());
      const format = formatOf(baud, "8E1");
      const characterNs = characterBits(format) * format.bitNs;
      const [sends, drives] = [watch(chip, TX), watch(chip, DE)];
      const ends: number[] = [];
      chip.serial.onSay(TX, () => void ends.push(chip.time.nowNs()));
      const setup = { tap: 0, baud, format: "8E1", ascii: false, registers: REGISTERS };
      const slaves = createSlaves(setup, createPrng(1));
      const taps = [{ rx: RX, tx: TX, format }];
      attachDevice(chip, slaves, { analog: [], digital: [], pulses: [], pwm: [], taps });
      chip.runToNs(1800 * MS);
      assert.ok(slaves.asked.length >= 6, `${slaves.asked.length} questions`);
      assert.equal(ends.length, 8 * slaves.asked.length);
      const on = drives.filter(({ high }) => high).map(({ ns }) => ns);
      const off = drives.filter(({ high }) => !high).map(({ ns }) => ns);
      assert.equal(on.length, slaves.asked.length);
      on.forEach((ns, i) => {
        const [first, last] = [ends[8 * i]! - characterNs, ends[8 * i + 7]!];
        const over = off.find((at) => at > ns)!;
        assert.ok(ns <= first && first - ns < characterNs, `on ${first - ns} ns before the start`);
        assert.ok(
          over >= last && over - last < characterNs / 2,
          `off ${over - last} ns after the end`,
        );
        const tx = sends.filter((edge) => edge.ns >= ns && edge.ns <= over + 1000);
        assert.deepEqual([tx[0]?.driven, tx.at(-1)?.driven], [true, false], "TX as long as DE");
      });
      assert.equal(chip.pins.driven(TX), false);
      const [ticks, missed, overruns] = words("rhythm", 3);
      assert.ok(ticks! > 100);
      assert.deepEqual([missed, overruns], [0, 0]);
      // Pairs of the decoder in the chip: the second question was answered as the first.
      assert.ok(slaves.asked.every(({ octets: [unit] }) => unit === 1));
    },
  );

test("a node that listens touches neither pin, and has no code that could", tools, async () => {
  const image = await imageOf("listens", {});
  const { chip } = start(image, emptyFlash());
  const edges = [...TX_PINS, DE].flatMap((pin) => watch(chip, pin));
  const slaves = createSlaves(
    { tap: 0, baud: 19_200, format: "8E1", ascii: false, registers: REGISTERS },
    createPrng(1),
  );
  const taps = [{ rx: RX, tx: TX, format: formatOf(19_200, "8E1") }];
  attachDevice(chip, slaves, { analog: [], digital: [], pulses: [], pwm: [], taps });
  chip.runToNs(1500 * MS);
  assert.deepEqual(edges, []);
  for (const pin of [...TX_PINS, DE]) {
    assert.equal(chip.bus.read(0x40014004 + 8 * pin, 4) & 31, 31, `GPIO ${pin} has no function`);
    assert.equal(chip.pins.driven(pin), false);
  }
  assert.equal(chip.bus.read(0x40038030, 4), 0x201); // CR: on, receive; no transmit
  assert.equal(slaves.asked.length, 0);
  const map = readFileSync(image.map, "utf8");
  const linked = map.slice(map.indexOf("Linker script and memory map"));
  assert.doesNotMatch(linked.replace(/^ \.\S+\n? +0x0+ .*$/gm, ""), /\bput_tap\b|\bset_up_polls\b/);
});

test("what the board has not is refused by name", async () => {
  const asks = await nodeOf("asker", { mode: "poll" });
  const board = readBoard("pico");
  const bare = { ...board, taps: [{ uart: 1, rx: RX }] };
  assert.throws(() => boardText(bare, asks), {
    message: "pico has no transmit pin for tap 0, and taps.bus polls",
  });
  const sensor = { z: { device: 0, rateHz: 1600, rangeG: 8 } };
  const both = await nodeOf("shakes", { mode: "poll" }, { accelerometers: sensor });
  assert.throws(() => boardText(board, both), {
    message: "taps.bus polls on GPIO 4 of pico, which is the sensor's here",
  });
  assert.match(boardText(board, asks), /board_polls\[\] = \{ \{ 0, 1, 4, 2, 573 \} \}/);
});
