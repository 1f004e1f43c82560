// SPDX-License-Identifier: MIT
// The PL011 against its manual (DDI 0183): times, FIFOs, errors, interrupts.
//
// Characters come and go at the pins; the test reads and writes registers as firmware would.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createRig, startClocks, type Rig } from "./rig.ts";
import {
  ERROR_BREAK,
  ERROR_FRAME,
  ERROR_PARITY,
  formatOf,
  hearAs,
  type Character,
} from "../../../host-sim/chips/rp2040/serial.ts";

const UART1 = 0x40038000;
const LINE = 21;
const [TX_PIN, RX_PIN] = [4, 5];
const RX = 1 << 4;
const TX = 1 << 5;
const TIMEOUT = 1 << 6;
const OVERRUN = 1 << 10;
const LCR_8N1_FIFO = 0x70;

interface Port extends Rig {
  readonly said: { octet: number; ns: number; errors: number }[];
  hear(octet: number, errors?: number): void;
}

/** UART1 at this speed, both pins connected. */
function createPort(baud = 115_200, lcr = LCR_8N1_FIFO, format = "8N1"): Port {
  const rig = createRig();
  startClocks(rig);
  rig.release((1 << 5) | (1 << 8) | (1 << 23));
  rig.write(0x40014004 + 8 * TX_PIN, 2);
  rig.write(0x40014004 + 8 * RX_PIN, 2);
  const divisor = Math.floor((8 * 125e6) / baud / 2 + 0.5);
  rig.write(UART1 + 0x24, divisor >> 6);
  rig.write(UART1 + 0x28, divisor & 63);
  rig.write(UART1 + 0x2c, lcr);
  rig.write(UART1 + 0x30, 0x301);
  const said: Port["said"] = [];
  rig.chip.serial.onSay(TX_PIN, ({ octet, errors }) =>
    said.push({ octet, errors, ns: rig.chip.time.nowNs() }),
  );
  return {
    ...rig,
    said,
    hear(octet, errors = 0) {
      const character: Character = { octet, errors, format: formatOf(baud, format) };
      assert.ok(rig.chip.serial.hear(RX_PIN, character));
    },
  };
}

const raw = (port: Port): number => port.read(UART1 + 0x3c);
const flags = (port: Port): number => port.read(UART1 + 0x18);

test("characters leave one after the other at the time of their bits", () => {
  const port = createPort(115_200);
  for (const octet of [0x41, 0x42, 0x43]) port.write(UART1, octet);
  const startNs = port.chip.time.nowNs();
  assert.equal(flags(port) & 8, 8);
  port.passNs(1e6);
  assert.deepEqual(port.said.map((c) => String.fromCharCode(c.octet)).join(""), "ABC");
  const characterNs = 10e9 / 115_200; // 10 bits
  port.said.forEach(({ ns }, index) => {
    const wanted = startNs + characterNs * (index + 1);
    assert.ok(Math.abs(ns - wanted) < 0.001 * wanted, `${ns} for ${wanted}`);
  });
  assert.equal(flags(port) & 8, 0);
  assert.equal(flags(port) & 0x80, 0x80);
});

test("over 1,000 characters the speed is the divisor's, no cycle is lost", () => {
  const port = createPort(460_800);
  const startNs = port.chip.time.nowNs();
  let sent = 0;
  while (sent < 1000) {
    while ((flags(port) & 0x20) === 0 && sent < 1000) port.write(UART1, sent++ & 0xff);
    port.passNs(20_000);
  }
  port.passNs(2e6);
  const divisor = Math.floor((8 * 125e6) / 460_800 / 2 + 0.5);
  const wantedNs = (1000 * 10 * divisor * 16 * 8) / 64;
  const tookNs = port.said[999]!.ns - startNs;
  assert.ok(Math.abs(tookNs - wantedNs) < 20, `${tookNs} for ${wantedNs}`);
});

test("a divisor is taken over by a write to LCR_H, and not while the UART is on", () => {
  const port = createPort();
  port.write(UART1 + 0x24, 100);
  assert.throws(() => port.write(UART1 + 0x2c, LCR_8N1_FIFO), /format or divisor changes while/);
  port.write(UART1 + 0x30, 0x300);
  port.write(UART1 + 0x30, 0x301); // on again, LCR_H not written: the old speed
  port.write(UART1, 0x55);
  const startNs = port.chip.time.nowNs();
  port.passNs(3e6);
  assert.ok(port.said[0]!.ns - startNs < 90_000);
});

test("the FIFO takes 32 and one is on the wire; a word more is a failure", () => {
  const port = createPort();
  for (let i = 0; i < 33; i++) port.write(UART1, i);
  assert.equal(flags(port) & 0x20, 0x20);
  assert.throws(() => port.write(UART1, 33), /UART1: transmit FIFO overflows/);
});

test("the transmit interrupt comes as the FIFO falls to its level, not before", () => {
  const port = createPort();
  port.write(UART1 + 0x34, 0); // 1/8: 4
  port.write(UART1 + 0x38, TX);
  assert.equal(port.lines[LINE], false);
  for (let i = 0; i < 6; i++) port.write(UART1, i); // one on the wire, five wait
  assert.equal(raw(port) & TX, 0);
  port.passNs(90_000);
  assert.equal(raw(port) & TX, TX);
  assert.equal(port.lines[LINE], true);
  port.write(UART1 + 0x44, TX);
  assert.equal(port.lines[LINE], false);
});

test("the receive interrupt comes at its level and goes below it", () => {
  const port = createPort();
  port.write(UART1 + 0x34, 1 << 3); // 1/4: 8
  port.write(UART1 + 0x38, RX);
  for (let i = 0; i < 7; i++) port.hear(i);
  assert.equal(port.lines[LINE], false);
  port.hear(7);
  assert.equal(port.lines[LINE], true);
  assert.equal(port.read(UART1), 0);
  assert.equal(port.lines[LINE], false);
});

test("the timeout comes after 32 bit times of silence, emptying the FIFO ends it", () => {
  const port = createPort(9600);
  port.write(UART1 + 0x38, TIMEOUT);
  port.hear(1);
  port.hear(2);
  port.passNs((31.5 * 1e9) / 9600);
  assert.equal(port.lines[LINE], false);
  port.passNs(1e9 / 9600);
  assert.equal(port.lines[LINE], true);
  port.read(UART1);
  assert.equal(port.lines[LINE], true); // one is left
  port.read(UART1);
  assert.equal(port.lines[LINE], false);
  port.passNs(1e9);
  assert.equal(port.lines[LINE], false);
});

test("what does not fit is lost, raises overrun, and marks the next that fits", () => {
  const port = createPort();
  for (let i = 0; i < 34; i++) port.hear(i);
  assert.equal(raw(port) & OVERRUN, OVERRUN);
  assert.equal(flags(port) & 0x40, 0x40);
  assert.deepEqual(port.chip.serial.counts[1], { said: 0, heard: 34, lost: 2 });
  const first = Array.from({ length: 32 }, () => port.read(UART1));
  assert.deepEqual(
    first,
    first.map((_, i) => i),
  );
  port.hear(0x77);
  port.hear(0x78);
  assert.equal(port.read(UART1), 0x877);
  assert.equal(port.read(UART1), 0x78);
  assert.equal(flags(port) & 0x10, 0x10);
});

test("errors ride with their character; a narrow read loses them", () => {
  const port = createPort(19_200, 0x76, "8E1"); // 8E1 with FIFO
  port.hear(0x31);
  port.hear(0x32, ERROR_PARITY);
  port.hear(0x33, ERROR_FRAME);
  port.hear(0x00, ERROR_BREAK);
  port.hear(0x34, ERROR_PARITY);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => port.read(UART1)),
    [0x31, 0x232, 0x133, 0x500],
  );
  assert.equal(port.chip.bus.read(UART1, 1) & 0xff, 0x34);
  assert.equal(port.read(UART1 + 0x04) & 7, 2); // RSR keeps those of the last one read
});

test("a receiver of another format or speed hears what its samples say", () => {
  const sent: Character = { octet: 0x55, errors: 0, format: formatOf(9600, "8N1") };
  assert.deepEqual(hearAs(sent, formatOf(9600, "8N1")), { octet: 0x55, errors: 0 });
  assert.deepEqual(hearAs(sent, formatOf(9800, "8N1")), { octet: 0x55, errors: 0 }); // 2 %
  assert.equal(hearAs(sent, formatOf(9600, "8O1")).errors, 0); // the stop bit is its parity
  assert.equal(hearAs(sent, formatOf(9600, "8E1")).errors, ERROR_PARITY);
  assert.deepEqual(hearAs(sent, formatOf(19_200, "8N1")), { octet: 0x66, errors: ERROR_FRAME });
  const even: Character = { octet: 0x41, errors: 0, format: formatOf(9600, "7E1") };
  assert.deepEqual(hearAs(even, formatOf(9600, "8N1")), { octet: 0x41, errors: 0 });
});

test("a UART that is off, or a pin without its function, hears nothing", () => {
  const port = createPort();
  port.write(UART1 + 0x30, 0x300);
  port.hear(1);
  assert.equal(flags(port) & 0x10, 0x10);
  port.write(0x40014004 + 8 * RX_PIN, 31);
  const character: Character = { octet: 1, errors: 0, format: formatOf(115_200, "8N1") };
  assert.equal(port.chip.serial.hear(RX_PIN, character), false);
  assert.equal(port.chip.serial.hear(TX_PIN, character), false);
});

test("loop-back hears what it says and says nothing", () => {
  const port = createPort();
  port.write(UART1 + 0x30, 0x381);
  port.write(UART1, 0x5a);
  port.passNs(1e5);
  assert.equal(port.read(UART1), 0x5a);
  assert.equal(port.said.length, 0);
});

test("the transmit pin idles high and a break holds it low", () => {
  const port = createPort();
  assert.deepEqual([port.chip.pins.driven(TX_PIN), port.chip.pins.level(TX_PIN)], [true, true]);
  port.write(UART1 + 0x2c, LCR_8N1_FIFO | 1);
  assert.equal(port.chip.pins.level(TX_PIN), false);
  assert.equal(port.chip.pins.driven(RX_PIN), false);
});
