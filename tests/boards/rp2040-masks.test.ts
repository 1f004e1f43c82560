// SPDX-License-Identifier: MIT
// Masks of interrupts in an image: 25 cycles at most, today none.
//
// Goal: a mask that is too long, or whose length has no bound, is found. Method: assembly with known cycles, assembled and
// disassembled by binutils; then the image of the oven.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findMasks, type Mask, MASK_CYCLES_MAX } from "../../scripts/build/masks.ts";
import { buildNode } from "../../scripts/build/modules.ts";
import { buildRp2040 } from "../../scripts/build/rp2040.ts";
import { PROJECT } from "../support/ferrule.ts";
import { program } from "../support/need.ts";

const tools = program("arm-none-eabi-gcc", "arm-none-eabi-objdump");
const folder = mkdtempSync(join(tmpdir(), "ferrule masks "));
after(() => rmSync(folder, { recursive: true, force: true }));

function disassemble(file: string): string {
  const args = ["-d", "--no-show-raw-insn", file];
  const { stdout } = spawnSync("arm-none-eabi-objdump", args, {
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  assert.match(stdout, /<\w+>:/);
  return stdout;
}

function masksOf(...lines: string[]): Mask[] {
  const source = join(folder, "masks.S");
  const head = [".syntax unified", ".thumb", ".globl planted", ".thumb_func", "planted:"];
  writeFileSync(source, [...head, ...lines, ""].join("\n"));
  const object = join(folder, "masks.o");
  const args = ["-mcpu=cortex-m0plus", "-c", source, "-o", object];
  assert.equal(spawnSync("arm-none-eabi-gcc", args).status, 0);
  return findMasks(disassemble(object));
}

const one = (...lines: string[]): Mask => {
  const [mask, ...others] = masksOf(...lines);
  assert.equal(others.length, 0);
  return mask!;
};
const nops = (count: number): string[] => new Array<string>(count).fill("nop");

test("cycles are added up to the end of the mask, on the longest path", tools, () => {
  const straight = one("cpsid i", "adds r0, #1", "push {r0, r4-r7, lr}", "cpsie i", "bx lr");
  assert.deepEqual([straight.cycles, straight.problems], [1 + 7 + 1, []]);
  const forked = one("cpsid i", "cmp r0, #0", "beq 1f", ...nops(5), "1: cpsie i", "bx lr");
  assert.deepEqual([forked.cycles, forked.problems], [1 + 1 + 5 + 1, []]);
});

test("what a mask ends with may be MSR PRIMASK; alone it is a problem", tools, () => {
  const saved = one("mrs r3, primask", "cpsid i", "nop", "msr primask, r3", "bx lr");
  assert.deepEqual([saved.cycles, saved.problems], [1 + 3, []]);
  assert.deepEqual(one("msr primask, r0", "bx lr").problems, ["MSR PRIMASK, no CPSID"]);
});

test("a mask of 26 cycles is too long, one of 25 is not", tools, () => {
  assert.deepEqual(one("cpsid i", ...nops(24), "cpsie i", "bx lr").problems, []);
  const long = one("cpsid i", ...nops(25), "cpsie i", "bx lr");
  assert.deepEqual(long.problems, [`takes ${MASK_CYCLES_MAX + 1} cycles`]);
});

test("calls, returns, waits and loops have no bound", tools, () => {
  const problem = (...lines: string[]): string =>
    one("cpsid i", ...lines, "cpsie i", "bx lr").problems.join("; ");
  assert.match(problem("bl planted"), /^bl at 2/);
  assert.match(problem("blx r0"), /^blx at 2/);
  assert.match(problem("pop {r4, pc}"), /^pop at 2/);
  assert.match(problem("wfi"), /^wfi at 2/);
  assert.match(problem("1: subs r0, #1", "bne 1b"), /^a loop at 2/);
});

test("memory by a literal is no problem, APB and unknown addresses are", tools, () => {
  const access = (address: string): string[] =>
    one("cpsid i", `ldr r1, =${address}`, "ldr r0, [r1]", "cpsie i", "bx lr", ".ltorg").problems;
  assert.deepEqual(access("0x20000100"), []);
  assert.deepEqual(access("0xd0000004"), []);
  assert.deepEqual(access("0x40054028"), ["an access that may be slow at 4"]);
  const unknown = one("cpsid i", "str r0, [r2]", "cpsie i", "bx lr");
  assert.deepEqual(unknown.problems, ["an access that may be slow at 2"]);
});

test("the image of the oven has no mask", tools, async () => {
  const built = await buildNode(join(PROJECT, "firmware/nodes/oven"));
  const text = disassemble(buildRp2040("pico", built, join(folder, "oven")).elf);
  assert.ok(text.includes("<on_tick>:"));
  assert.deepEqual(findMasks(text), []);
});
