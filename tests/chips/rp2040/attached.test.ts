// SPDX-License-Identifier: MIT
// Goal: what is attached to the chip is reached through bus, pins and requests.
//
// Method: a test is the bus master; an Ethernet chip on SPI0, octets on UART0 into memory by DMA, volts, duty.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createW5500 } from "../../../host-sim/chips/w5500/index.ts";
import { CLOCKS, CLR, createRig, startClocks, type Rig } from "./rig.ts";

const SPI0 = 0x4003c000;
const ADC = 0x4004c000;
const PWM = 0x40050000;
const UART0 = 0x40034000;
const DMA = 0x50000000;
const IO_BANK0 = 0x40014000;
const PADS_BANK0 = 0x4001c000;
const SIO_OUT_SET = 0xd0000014;
const SIO_OUT_CLR = 0xd0000018;
const SIO_OE_SET = 0xd0000024;
const IO_AND_PADS = (1 << 5) | (1 << 8);

function give(rig: Rig, pin: number, fn: number): void {
  rig.write(PADS_BANK0 + 4 + 4 * pin, 0x56);
  rig.write(IO_BANK0 + 8 * pin + 4, fn);
}

function startRig(bits: number): Rig {
  const rig = createRig();
  startClocks(rig);
  rig.release(IO_AND_PADS | bits);
  return rig;
}

test("an Ethernet chip on SPI0 says its version through pins 16 to 19", () => {
  const rig = startRig(1 << 16);
  const { chip } = rig;
  const port = { link: () => true, answerNs: () => undefined, send: () => undefined };
  const host = {
    after: (ns: number, call: () => void) => void chip.time.atNs(chip.time.nowNs() + ns, call),
    interrupt: (low: boolean) => chip.pins.drive(21, !low),
  };
  const ethernet = createW5500(port, host);
  chip.blocks.attachSpi(0, { pins: [18, 19, 16], exchange: (sent) => ethernet.exchange(sent) });
  chip.pins.onChange(17, (level) => ethernet.select(!level));
  for (const pin of [16, 18, 19]) give(rig, pin, 1);
  give(rig, 17, 5);
  rig.write(SIO_OUT_SET, 1 << 17);
  rig.write(SIO_OE_SET, 1 << 17);
  rig.write(SPI0 + 0x10, 2);
  rig.write(SPI0, 0x0107);
  rig.write(SPI0 + 4, 2);
  rig.passNs(1_000_000);
  rig.write(SIO_OUT_CLR, 1 << 17);
  for (const octet of [0x00, 0x39, 0x00, 0xff]) rig.write(SPI0 + 8, octet);
  rig.passNs(2_000);
  const answer = [1, 2, 3, 4].map(() => rig.read(SPI0 + 8));
  assert.deepEqual(answer, [0, 0, 0, 4]);
});

test("octets of UART0 reach memory by DMA, and the core is told", () => {
  const rig = startRig((1 << 22) | (1 << 2));
  give(rig, 1, 2);
  rig.write(UART0 + 0x24, 13);
  rig.write(UART0 + 0x28, 36); // 576,000 baud
  rig.write(UART0 + 0x2c, 0x70);
  rig.write(UART0 + 0x30, 0x201);
  rig.write(UART0 + 0x48, 1);
  rig.write(DMA, UART0);
  rig.write(DMA + 4, 0x20001000);
  rig.write(DMA + 8, 5);
  rig.write(DMA + 12, 1 | (1 << 5) | (21 << 15));
  const { serial } = rig.chip;
  const sent = [..."hello"].map((letter) => letter.charCodeAt(0));
  for (const octet of sent) {
    const format = { bitNs: 1e9 / 576_000, dataBits: 8, parity: "none", stopBits: 1 } as const;
    serial.hear(1, { octet, format, errors: 0 });
    rig.passNs(20_000);
  }
  assert.deepEqual([...rig.chip.sram.subarray(0x1000, 0x1005)], sent);
});

test("volts at a pin become a code, and a compare value a duty that devices hear of", () => {
  const rig = startRig((1 << 0) | (1 << 14));
  const { chip } = rig;
  rig.release(1 << 13);
  rig.write(0x4002c000, 1);
  rig.write(0x4002c008, 100);
  rig.write(0x4002c004 + CLR, 0x21);
  rig.wait(0x4002c000, 0x80000000);
  rig.write(0x4002c00c, (5 << 16) | (5 << 12));
  rig.write(0x4002c004 + CLR, 8);
  rig.write(CLOCKS + 0x60, 1 << 11);
  chip.pins.setVolts(26, 1.65);
  rig.write(ADC, 5);
  rig.wait(ADC, 0x100);
  assert.equal(rig.read(ADC + 4), 2048);
  const heard: number[] = [];
  chip.blocks.onPwm((output) => heard.push(output));
  rig.write(PWM + 0x10, 99);
  rig.write(PWM + 0x0c, 25);
  rig.write(PWM, 1);
  assert.equal(chip.blocks.pwm[0]!.duty, 0.25);
  assert.ok(heard.includes(0));
});
