// SPDX-License-Identifier: MIT
// One kernel of the bench, from AssemblyScript and C to counts on both cores.
//
// A result that is not V8's ends the bench: what computes something else is not compared.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { translate } from "../../../aot/index.ts";
import { findProgram } from "../../support/need.ts";
import { build, type Core, CORES, type Counted, measure } from "./cores.ts";
import { compileKernel, type Kernel, resultInEngine } from "./kernels.ts";
import type { Outcome } from "./table.ts";
import { buildWasm2c, writeWasm2c } from "./wasm2c.ts";

/** Compilers that are not on this machine. */
export function missingCompilers(): string[] {
  return CORES.map(({ compiler }) => compiler).filter((name) => findProgram(name) === undefined);
}

/** Builds and counts a kernel; what is built stays in `folder`. */
export async function runKernel(
  kernel: Kernel,
  folder: string,
  checks: "needed" | "all",
): Promise<Outcome> {
  const wasm = await compileKernel(kernel);
  const expected = resultInEngine(wasm, kernel);
  const place = join(folder, kernel.name);
  const source = write(place, wasm, checks);
  const unproven = write(
    join(place, "unchecked"),
    await compileKernel(kernel, "unchecked"),
    checks,
  );
  const theirSources = writeWasm2c(wasm, join(place, "wasm2c"));
  const [m0plus, rv32imc] = CORES.map((core) => {
    const elf = (whose: string): string => join(place, `${core.name}-${whose}.elf`);
    const { n } = kernel;
    const native = runOn(core, kernel.c, { elf: elf("native"), prefix: "native", n });
    const tested = runOn(core, kernel.c, { elf: elf("tested"), prefix: "native", n }, TESTED);
    const ours = runOn(core, source, { elf: elf("ours"), prefix: "ours", n });
    const unchecked = runOn(core, unproven, { elf: elf("unchecked"), prefix: "ours", n });
    const image = buildWasm2c(core, theirSources, elf("wasm2c"));
    const wasm2c = measure(core, image, functionsOf("theirs"), kernel.n);
    const all = { native, ours, wasm2c, unchecked, tested };
    for (const [whose, { result }] of Object.entries(all))
      if (result !== expected)
        throw new Error(`${kernel.name} on ${core.name}: ${whose} gives ${result}, V8 ${expected}`);
    const per = ({ count }: Counted): number => count / kernel.rounds;
    return {
      ...{ native: per(native), ours: per(ours), wasm2c: per(wasm2c) },
      ...{ unchecked: per(unchecked), tested: per(tested) },
    };
  });
  return { name: kernel.name, m0plus: m0plus!, rv32imc: rv32imc! };
}

// Every index of an array whose length is known; beyond it: a trap instruction.
const TESTED = ["-fsanitize=bounds", "-fsanitize-undefined-trap-on-error"];

function write(place: string, wasm: Uint8Array, checks: "needed" | "all"): string {
  const { c, header } = translate(wasm, { name: "ours", checks });
  mkdirSync(place, { recursive: true });
  const source = join(place, "ours.c");
  writeFileSync(source, c);
  writeFileSync(join(place, "ours.h"), header);
  return source;
}

interface Run {
  elf: string;
  prefix: string; // of the functions
  n: number;
}

function runOn(
  core: Core,
  source: string,
  { elf, prefix, n }: Run,
  flags: readonly string[] = [],
): Counted {
  return measure(core, build(core, [...flags, source], elf), functionsOf(prefix), n);
}

function functionsOf(prefix: string): string[] {
  return ["init", "prepare", "run"].map((name) => `${prefix}_${name}`);
}
