// SPDX-License-Identifier: MIT
// Goal: PWM slices give duty, wrap and count pulses as the datasheet (4.5) says.
//
// Method: counts computed from cycles of clk_sys by hand; edges on an odd pin.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FUNCTION_PWM } from "../../../host-sim/chips/rp2040/pins.ts";
import { createPwm, PWM_SLICES, type PwmOutput } from "../../../host-sim/chips/rp2040/pwm.ts";
import { createBlock } from "./block.ts";

const SLICE = 0x14;
const [CSR, DIV, CTR, CC, TOP] = [0x00, 0x04, 0x08, 0x0c, 0x10] as const;
const [EN, INTR, INTE] = [0xa0, 0xa4, 0xa8] as const;
const CYCLE_NS = 8;

function createSlices() {
  const block = createBlock();
  const outputs: PwmOutput[] = Array.from({ length: 2 * PWM_SLICES }, () => ({ duty: 0, hz: 0 }));
  const changes: number[] = [];
  const pwm = createPwm(block.context, outputs, (output) => changes.push(output));
  return { block, pwm, outputs, changes };
}

test("duty is CC / (TOP + 1), frequency is clk_sys / DIV / (TOP + 1)", () => {
  const { block, pwm, outputs, changes } = createSlices();
  pwm.write(3 * SLICE + TOP, 999);
  pwm.write(3 * SLICE + CC, 250 | (1000 << 16));
  pwm.write(3 * SLICE + DIV, 0x18); // 1.5
  pwm.write(3 * SLICE + CSR, 1);
  assert.deepEqual(outputs[6], { duty: 0.25, hz: 125e6 / 1.5 / 1000 });
  assert.deepEqual(outputs[7], { duty: 1, hz: 0 });
  assert.deepEqual(block.driven.get(6), { output: false, enable: true });
  assert.deepEqual(block.driven.get(23), { output: true, enable: true });
  assert.ok(changes.includes(6) && changes.includes(7) && !changes.includes(8));
  block.run(1.5 * 10 * CYCLE_NS);
  assert.equal(pwm.read(3 * SLICE + CTR), 10);
  block.run(1.5 * 1000 * CYCLE_NS);
  assert.equal(pwm.read(3 * SLICE + CTR), 10);
});

test("CC and TOP of a running slice take effect at the wrap", () => {
  const { block, pwm, outputs } = createSlices();
  pwm.write(TOP, 99);
  pwm.write(CC, 10);
  pwm.write(CSR, 1);
  block.run(50 * CYCLE_NS);
  pwm.write(CC, 40);
  assert.equal(outputs[0]!.duty, 0.1);
  block.run(49 * CYCLE_NS);
  assert.equal(outputs[0]!.duty, 0.1);
  block.run(CYCLE_NS);
  assert.equal(outputs[0]!.duty, 0.4);
  pwm.write(TOP, 199);
  assert.equal(outputs[0]!.duty, 0.4);
  block.run(100 * CYCLE_NS);
  assert.equal(outputs[0]!.duty, 0.2);
});

test("an inverted output gives the rest, and a stopped slice keeps its level", () => {
  const { pwm, outputs, block } = createSlices();
  pwm.write(TOP, 9);
  pwm.write(CC, 3);
  pwm.write(CSR, 1 | 4);
  assert.equal(outputs[0]!.duty, 0.7);
  pwm.write(CSR, 0);
  assert.deepEqual(outputs[0], { duty: 1, hz: 0 });
  assert.equal(block.driven.get(0)?.output, true);
});

test("each wrap interrupts while INTE asks, and EN starts slices together", () => {
  const { block, pwm } = createSlices();
  pwm.write(TOP, 9);
  pwm.write(INTE, 1);
  pwm.write(EN, 3);
  assert.equal(pwm.read(EN), 3);
  block.run(9 * CYCLE_NS);
  assert.equal(block.interrupts.get(4), false);
  block.run(CYCLE_NS);
  assert.equal(block.interrupts.get(4), true);
  pwm.write(INTR, 1);
  assert.equal(block.interrupts.get(4), false);
  block.run(10 * CYCLE_NS);
  assert.equal(block.interrupts.get(4), true);
  assert.equal(pwm.read(SLICE + CTR), (20 % 65_536) & 0xffff);
});

test("rising edges on B are counted while the pin is given to PWM, and wrap", () => {
  const { block, pwm } = createSlices();
  pwm.write(2 * SLICE + CSR, 1 | (2 << 4));
  const pulse = (): void => [true, false].forEach((level) => block.input(5, level));
  pulse();
  assert.equal(pwm.read(2 * SLICE + CTR), 0, "the pin belongs to another function");
  block.selected.set(5, FUNCTION_PWM);
  for (let count = 0; count < 70_000; count++) pulse();
  assert.equal(pwm.read(2 * SLICE + CTR), 70_000 - 65_536);
  assert.equal(pwm.read(INTR), 4);
  pwm.write(2 * SLICE + DIV, 0x40);
  pwm.write(2 * SLICE + CTR, 0);
  for (let count = 0; count < 9; count++) pulse();
  assert.equal(pwm.read(2 * SLICE + CTR), 2, "one of four");
  pwm.write(2 * SLICE + CSR, 1 | (3 << 4));
  block.input(5, true);
  for (let count = 0; count < 4; count++) pulse();
  assert.equal(pwm.read(2 * SLICE + CTR), 3, "falling edges");
});

test("what the model does not know ends the run by name", () => {
  const { pwm } = createSlices();
  assert.throws(() => pwm.write(CSR, 3), /PWM: 0x3 in register \+0x0 is not modelled/);
  assert.throws(() => pwm.write(CSR, 0x11), /not modelled/);
  assert.throws(() => pwm.read(0xb4), /PWM: register \+0xb4 is not modelled/);
});
