// SPDX-License-Identifier: MIT
// A device on the pins: what it says and shows is what the registers read.
//
// The device is a list of facts by time; the test is the firmware.

import assert from "node:assert/strict";
import { test } from "node:test";
import { attachDevice, LAG_NS, type Wiring } from "../../../host-sim/chips/rp2040/attach.ts";
import { formatOf } from "../../../host-sim/chips/rp2040/serial.ts";
import { createScale } from "../../../host-sim/devices/scale.ts";
import { createPrng } from "../../../host-sim/prng.ts";
import { createNothing, type Device } from "../../../host-sim/devices/device.ts";
import { createRig, startClocks, type Rig } from "./rig.ts";

const SIO = 0xd0000000;
const PWM = 0x40050000;
const UART1 = 0x40038000;
const WIRING: Wiring = {
  analog: [26, 27],
  digital: [6, 7],
  pulses: [15],
  pwm: [16],
  taps: [{ rx: 5, format: formatOf(9600, "8N1") }],
};

function createReady(): Rig {
  const rig = createRig();
  startClocks(rig);
  rig.release((1 << 0) | (1 << 5) | (1 << 8) | (1 << 14) | (1 << 23));
  return rig;
}

test("an analog input is asked at each sample, an input that is not there stays open", () => {
  const { chip } = createReady();
  let nowUs = -1;
  const device: Device = {
    ...createNothing(),
    advance: (us) => void (nowUs = us),
    adc: (input) => (input === 0 ? nowUs % 4096 : -1),
  };
  attachDevice(chip, device, WIRING, 1_000_000);
  for (const us of [0, 700, 701]) {
    chip.runToNs((Math.floor(chip.time.nowNs() / 1000) + us) * 1000);
    const code = (1_000_000 + Math.floor(chip.time.nowNs() / 1000)) % 4096;
    assert.equal(Math.floor((chip.pins.volts(26)! / 3.3) * 4096), code);
  }
  assert.equal(chip.pins.volts(27), undefined);
});

test("digital inputs follow the device, outputs reach it", () => {
  const rig = createReady();
  const set: [number, number][] = [];
  let level = 0;
  const device: Device = {
    ...createNothing(),
    digital: (pin) => (pin === 0 ? level : -1),
    setDigital: (pin, value) => void set.push([pin, value]),
  };
  const attachment = attachDevice(rig.chip, device, WIRING);
  assert.equal((rig.read(SIO + 4) >>> 6) & 1, 0);
  level = 1;
  rig.passNs(60_000);
  assert.equal((rig.read(SIO + 4) >>> 6) & 1, 1);
  rig.write(0x40014004 + 8 * 7, 5);
  rig.write(SIO + 0x24, 1 << 7);
  rig.write(SIO + 0x14, 1 << 7);
  assert.deepEqual(set, [
    [1, 0],
    [1, 1],
  ]);
  attachment.end();
  assert.equal((rig.read(SIO + 4) >>> 6) & 1, 0); // pulled down
});

test("pulses of the device are pulses at the pin, none lost", () => {
  const rig = createReady();
  let [count, rises] = [1000, 0];
  const device: Device = { ...createNothing(), pulses: () => count };
  attachDevice(rig.chip, device, WIRING);
  rig.chip.pins.onChange(15, (level) => void (rises += level ? 1 : 0));
  rig.passNs(1e6);
  assert.equal(rises, 0);
  count += 3;
  rig.passNs(110_000);
  assert.equal(rises, 3);
  count += 100;
  rig.passNs(1e6);
  assert.equal(rises, 103);
});

test("a duty of PWM reaches the device in 65,535ths", () => {
  const rig = createReady();
  const duties: [number, number][] = [];
  const device: Device = {
    ...createNothing(),
    pwm: (output, duty) => void duties.push([output, duty]),
  };
  attachDevice(rig.chip, device, WIRING);
  rig.write(0x40014004 + 8 * 16, 4);
  rig.write(PWM + 0x10, 999); // slice 0: TOP
  rig.write(PWM + 0x0c, 250);
  rig.write(PWM, 1);
  rig.passNs(1e6);
  const [output, duty] = duties.at(-1)!;
  assert.equal(output, 0);
  assert.ok(Math.abs(duty - 65_535 / 4) <= 1, `${duty}`);
});

test("what the device says on a line is heard with its errors, or counted", () => {
  const rig = createReady();
  const queue: [number, number][] = [
    [0x41, 0],
    [0x42, 1],
  ];
  const device: Device = {
    ...createNothing(),
    advance(nowUs, sink) {
      const next = queue.shift();
      if (next !== undefined) sink(0, nowUs, ...next);
    },
  };
  const attachment = attachDevice(rig.chip, device, WIRING);
  rig.passNs(LAG_NS);
  assert.equal(attachment.unheard(), 1); // the pin has no function yet
  listen(rig);
  rig.passNs(2 * LAG_NS);
  assert.equal(rig.read(UART1), 0x142);
  assert.equal(attachment.unheard(), 1);
});

// UART1 at 9600 8N1 on pin 5, receiving.
function listen(rig: Rig): void {
  rig.write(UART1 + 0x24, 813);
  rig.write(UART1 + 0x28, 51);
  rig.write(UART1 + 0x2c, 0x70);
  rig.write(UART1 + 0x30, 0x201);
  rig.write(0x40014004 + 8 * 5, 2);
}

test("a scale of the simulator is heard as it speaks, each character at its time", () => {
  const rig = createReady();
  listen(rig);
  const startUs = 7_000_000;
  const said: [number, number][] = []; // of a second scale with the same seed, asked once
  const twin = createScale(0, 9600, createPrng(11));
  twin.advance(startUs, () => undefined);
  const scale = createScale(0, 9600, createPrng(11));
  scale.advance(startUs, () => undefined);
  const fromNs = rig.chip.time.nowNs();
  attachDevice(rig.chip, scale, WIRING, startUs - Math.floor(fromNs / 1000));
  const heard: [number, number][] = [];
  for (let us = 5; us < 1_500_000; us += 5) {
    rig.chip.runToNs(fromNs + us * 1000);
    if ((rig.read(UART1 + 0x18) & 0x10) === 0) heard.push([startUs + us, rig.read(UART1)]);
  }
  twin.advance(startUs + 1_500_000, (_tap, endUs, octet) => void said.push([endUs, octet]));
  const text = (list: readonly [number, number][]): string =>
    String.fromCharCode(...list.map(([, octet]) => octet));
  assert.ok(said.length > 100);
  assert.equal(text(heard), text(said).slice(0, heard.length));
  assert.ok(said.length - heard.length <= 1);
  heard.forEach(([us], index) => {
    const lateUs = us - said[index]![0] - LAG_NS / 1000;
    assert.ok(Math.abs(lateUs) <= 6, `character ${index} is ${lateUs} us off`);
  });
});
