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
  const { c, header } = translate(wasm, { name: "ours", checks });
  const place = join(folder, kernel.name);
  mkdirSync(place, { recursive: true });
  const source = join(place, "ours.c");
  writeFileSync(source, c);
  writeFileSync(join(place, "ours.h"), header);
  const theirSources = writeWasm2c(wasm, join(place, "wasm2c"));
  const [m0plus, rv32imc] = CORES.map((core) => {
    const elf = (whose: string): string => join(place, `${core.name}-${whose}.elf`);
    const native = runOn(core, kernel.c, { elf: elf("native"), prefix: "native", n: kernel.n });
    const ours = runOn(core, source, { elf: elf("ours"), prefix: "ours", n: kernel.n });
    const image = buildWasm2c(core, theirSources, elf("wasm2c"));
    const wasm2c = measure(core, image, functionsOf("theirs"), kernel.n);
    for (const [whose, { result }] of Object.entries({ native, ours, wasm2c }))
      if (result !== expected)
        throw new Error(`${kernel.name} on ${core.name}: ${whose} gives ${result}, V8 ${expected}`);
    const { rounds } = kernel;
    return {
      native: native.count / rounds,
      ours: ours.count / rounds,
      wasm2c: wasm2c.count / rounds,
    };
  });
  return { name: kernel.name, m0plus: m0plus!, rv32imc: rv32imc! };
}

interface Run {
  elf: string;
  prefix: string; // of the functions
  n: number;
}

function runOn(core: Core, source: string, { elf, prefix, n }: Run): Counted {
  return measure(core, build(core, [source], elf), functionsOf(prefix), n);
}

function functionsOf(prefix: string): string[] {
  return ["init", "prepare", "run"].map((name) => `${prefix}_${name}`);
}
