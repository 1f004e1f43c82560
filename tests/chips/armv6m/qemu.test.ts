// SPDX-License-Identifier: MIT
// Goal: instructions compute, and fault, as those of QEMU's Cortex-M0.
//
// Method: random programs run in both from the same flash; each prints flags, r0-r12 and memory to its UART, and
// the bytes must be equal. Not generated, beside what Arm calls UNPREDICTABLE or UNKNOWN, is where QEMU's M0
// differs from Armv6-M: it knows CBZ and IT, which are UNDEFINED, and keeps a Q flag in APSR.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Core, createCore } from "../../../host-sim/chips/armv6m/core.ts";
import { hex32 } from "../../../host-sim/chips/failure.ts";
import { createPrng } from "../../../host-sim/prng.ts";
import { program } from "../../support/need.ts";
import {
  CASE_WORDS,
  CASES_A_DUMP,
  makeProgram,
  MEMORY_BYTES,
  type Program,
  RAM,
  RAM_BYTES,
  UART_BYTE,
  UART_SENT,
  UART_STOP,
} from "./programs.ts";

const QEMU = "qemu-system-arm";
const CASES = 1000;
const SEEDS = process.env["SEED"] === undefined ? [1, 2, 3, 4] : [Number(process.env["SEED"])];
const CYCLES_MAX = 50_000_000;
const OUTPUT_BYTES_MAX = 1 << 22;

function runInQemu({ flash }: Program, folder: string): Uint8Array {
  const file = join(folder, "flash.bin");
  writeFileSync(file, flash);
  const args = [
    ...["-M", "microbit", "-display", "none", "-monitor", "none", "-serial", "stdio"],
    ...["-semihosting-config", "enable=on,target=native"],
    ...["-device", `loader,file=${file},addr=0,force-raw=on`],
  ];
  const ran = spawnSync(QEMU, args, { maxBuffer: OUTPUT_BYTES_MAX, timeout: 60_000 });
  assert.equal(ran.status, 0, `${QEMU}: ${ran.error?.message ?? ran.stderr.toString()}`);
  return ran.stdout;
}

function runInOurs({ flash }: Program): Uint8Array {
  const output: number[] = [];
  const bus = {
    read: (address: number): number => (address === UART_SENT ? 1 : 0),
    write: (address: number, _: number, value: number): void => {
      if (address === UART_BYTE) output.push(value & 255);
      if (address === UART_STOP) core.limit = 0;
    },
    waits: () => 0,
  };
  const regions = [
    { base: 0, bytes: flash, writable: false },
    { base: RAM, bytes: new Uint8Array(RAM_BYTES), writable: true },
  ];
  const core: Core = createCore(regions, bus);
  core.run(CYCLES_MAX);
  assert.equal(core.limit, 0, "the program did not end");
  return Uint8Array.from(output);
}

const REGISTERS = ["APSR", ...[8, 9, 10, 11, 12, 0, 1, 2, 3, 4, 5, 6, 7].map((n) => `r${n}`)];

// What a case pushed: of a dump the last case comes first, as the stack grows down. Memory follows.
function wordsOf(output: Uint8Array, { cases }: Program, index: number): string[] {
  const dump = Math.floor(index / CASES_A_DUMP);
  const count = Math.min(CASES_A_DUMP, cases.length - dump * CASES_A_DUMP);
  const start = dump * (CASES_A_DUMP * CASE_WORDS * 4 + MEMORY_BYTES);
  const at = start + (count - 1 - (index % CASES_A_DUMP)) * CASE_WORDS * 4;
  const view = new DataView(output.buffer, output.byteOffset + at);
  return REGISTERS.map((name, i) => `${name} ${hex32(view.getUint32(4 * i, true))}`);
}

function compare(made: Program, ours: Uint8Array, theirs: Uint8Array, seed: number): void {
  const replay = `SEED=${seed} node --import tsx --test tests/chips/armv6m/qemu.test.ts`;
  made.cases.forEach(({ address, halves }, i) => {
    const code = halves.map((half) => half.toString(16).padStart(4, "0")).join(" ");
    const text = `case ${i} at ${hex32(address)}: ${code}; replay: ${replay}`;
    assert.deepEqual(wordsOf(ours, made, i), wordsOf(theirs, made, i), text);
  });
  assert.equal(ours.length, theirs.length, `length of the output; replay: ${replay}`);
  const at = ours.findIndex((byte, i) => byte !== theirs[i]);
  assert.equal(at, -1, `memory after a dump, byte ${at} of the output; replay: ${replay}`);
}

for (const seed of SEEDS)
  test(`random programs compute as in QEMU, seed ${seed}`, program(QEMU), () => {
    const prng = createPrng(seed);
    const made = makeProgram((below) => prng.below(below), CASES);
    const folder = mkdtempSync(join(tmpdir(), "ferrule-qemu-"));
    try {
      const theirs = runInQemu(made, folder);
      assert.ok(theirs.length >= CASES * CASE_WORDS * 4);
      compare(made, runInOurs(made), theirs, seed);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
