// SPDX-License-Identifier: MIT
// Goal: the two cores of the bench compute, count and refuse as their manuals say.
//
// Method: a few instructions by hand, with results and counts from the manuals; accesses that silicon would
// fault on; instructions that nobody knows. The bench itself compares whole programs with V8.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RAM_BASE, RAM_BYTES, type Ram } from "../bench/aot/image.ts";
import { callThumb } from "../bench/aot/m0plus.ts";
import { expandCompressed } from "../bench/aot/rv32c.ts";
import { callRiscv } from "../bench/aot/rv32imc.ts";

function ramOf(octets: readonly number[], bytes: 2 | 4): Ram {
  const ram = new DataView(new ArrayBuffer(RAM_BYTES));
  octets.forEach((op, i) => {
    if (bytes === 2) ram.setUint16(2 * i, op, true);
    else ram.setUint32(4 * i, op, true);
  });
  return ram;
}

const thumb = (operand: number, ...ops: number[]): { result: number; count: number } =>
  callThumb(ramOf(ops, 2), { address: RAM_BASE, operand, gp: 0 }, 1000);
const riscv = (operand: number, ...ops: number[]): { result: number; count: number } =>
  callRiscv(ramOf(ops, 4), { address: RAM_BASE, operand, gp: 0 }, 1000);

const BX_LR = 0x4770;
const RET = 0x0000_8067;

test("Cortex-M0+ counts as its manual: one, two for memory and branches, three for BL", () => {
  assert.deepEqual(thumb(20, 0x3002, BX_LR), { result: 22, count: 1 + 2 }); // ADDS r0, #2
  assert.deepEqual(thumb(7, 0x4340, BX_LR), { result: 49, count: 1 + 2 }); // MULS r0, r0
  assert.deepEqual(thumb(5, 0x9001, 0x9801, BX_LR), { result: 5, count: 2 + 2 + 2 }); // STR, LDR sp
  assert.deepEqual(thumb(3, 0xb501, 0xbd01), { result: 3, count: 1 + 2 + 3 + 2 }); // PUSH, POP pc
  // SUBS r0, #1; BNE back: two branches taken, the last one not.
  assert.deepEqual(thumb(3, 0x3801, 0xd1fd, BX_LR), { result: 0, count: 3 + 2 * 2 + 1 + 2 });
  // PUSH {lr}; BL to ADDS r0, #1; BX lr; then POP {pc}
  const call = [0xb500, 0xf000, 0xf801, 0xbd00, 0x3001, BX_LR];
  assert.deepEqual(thumb(1, ...call), { result: 2, count: 2 + 3 + 1 + 2 + 4 });
});

test("flags of Cortex-M0+ are those of the sum with carry", () => {
  const compare = (condition: number, left: number, right: number): number => {
    const branch = 0xd000 | (condition << 8) | 1; // over MOVS r0, #0; BX lr
    return thumb(left, 0x2100 | right, 0x4288, branch, 0x2000, BX_LR, 0x2001, BX_LR).result;
  };
  const [EQ, CS, MI, VS, HI, GE, GT] = [0, 2, 4, 6, 8, 10, 12] as const;
  for (const left of [0, 1, 5, 6, 255, -1, -(2 ** 31), 2 ** 31 - 1])
    for (const right of [0, 5, 255]) {
      const difference = left - right;
      assert.equal(compare(EQ, left, right), Number(left === right));
      assert.equal(compare(CS, left, right), Number(left >>> 0 >= right));
      assert.equal(compare(HI, left, right), Number(left >>> 0 > right));
      assert.equal(compare(MI, left, right), Number((difference | 0) < 0));
      assert.equal(compare(VS, left, right), Number((difference | 0) !== difference));
      assert.equal(compare(GE, left, right), Number(left >= right));
      assert.equal(compare(GT, left, right), Number(left > right));
    }
});

test("what silicon would fault on ends the run", () => {
  const misaligned = /misaligned (access|load) of 4 at 0x20000002/;
  assert.throws(() => thumb(RAM_BASE + 2, 0x6800, BX_LR), misaligned); // LDR r0, [r0]
  assert.throws(() => riscv(RAM_BASE + 2, 0x0005_2503, RET), misaligned); // lw a0, 0(a0)
  assert.throws(() => thumb(4, 0x6800, BX_LR), /access at 0x00000004: no RAM/);
  assert.throws(() => riscv(4, 0x0005_2503, RET), /access at 0x00000004: no RAM/);
  assert.throws(() => thumb(0, 0xde00), /undefined instruction 0xde00/); // UDF
  assert.throws(() => riscv(0, 0x0000_0057), /unknown instruction 0x00000057/); // a vector one
  assert.throws(() => thumb(0, 0xe7fe), /no end after 1000 cycles/); // B to itself
});

test("rv32imc computes and counts each instruction as one", () => {
  assert.deepEqual(riscv(20, 0x0025_0513, RET), { result: 22, count: 2 }); // addi a0, a0, 2
  assert.deepEqual(riscv(7, 0x02a5_0533, RET), { result: 49, count: 2 }); // mul a0, a0, a0
  assert.equal(riscv(-7, 0x02a5_1533, RET).result, 0); // mulh: 49 >> 32
  assert.equal(riscv(-7, 0x02a5_3533, RET).result, -14); // mulhu: (2^32 - 7)^2 >> 32
  assert.equal(riscv(9, 0x0200_4533, RET).result, -1); // div a0, zero, zero: §7.2
});

test("compressed instructions stand for their long forms", () => {
  const pairs: [short: number, long: number][] = [
    [0x0505, 0x0015_0513], // c.addi a0, 1
    [0x557d, 0xfff0_0513], // c.li a0, -1
    [0x852e, 0x00b0_0533], // c.mv a0, a1
    [0x952e, 0x00b5_0533], // c.add a0, a1
    [0x4188, 0x0005_a503], // c.lw a0, 0(a1)
    [0xc188, 0x00a5_a023], // c.sw a0, 0(a1)
    [0x8082, 0x0000_8067], // c.jr ra
    [0x1141, 0xff01_0113], // c.addi sp, -16
    [0x717d, 0xff01_0113], // c.addi16sp -16
    [0x0800, 0x0101_0413], // c.addi4spn s0, sp, 16
    [0xc606, 0x0011_2623], // c.swsp ra, 12(sp)
    [0x40b2, 0x00c1_2083], // c.lwsp ra, 12(sp)
    [0x8905, 0x0015_7513], // c.andi a0, 1
    [0x8d0d, 0x40b5_0533], // c.sub a0, a1
    [0x050e, 0x0035_1513], // c.slli a0, 3
    [0x8505, 0x4015_5513], // c.srai a0, 1
    [0x9002, 0x0010_0073], // c.ebreak
    [0x0000, 0],
  ];
  for (const [short, long] of pairs)
    assert.equal(expandCompressed(short) >>> 0, long >>> 0, short.toString(16));
});
