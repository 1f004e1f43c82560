// SPDX-License-Identifier: MIT
// The same module through wabt's wasm2c, as it comes from npm, for the bench.
//
// Its C is compiled as ours is, by the same gcc with the same flags, with a run-time in wasm2c/ that has what
// it asks for and nothing more.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../../scripts/build/sources.ts";
import { build, type Core } from "./cores.ts";
import type { Image } from "./image.ts";

const WASM2C = join(PROJECT, "node_modules/wabt/bin/wasm2c");
const RUNTIME = join(import.meta.dirname, "wasm2c");
const LIBC_HEADERS = ["alloca.h", "assert.h", "math.h", "string.h"]; // wasm-rt.h stands for them
const NAME = "theirs";

/** Writes the C of a module and what it needs into a folder; gives the sources to compile. */
export function writeWasm2c(wasm: Uint8Array, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  const [input, output] = [join(folder, "in.wasm"), join(folder, `${NAME}.c`)];
  writeFileSync(input, wasm);
  const args = [WASM2C, input, "-n", NAME, "-o", output];
  const ran = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(`wasm2c: ${ran.stderr.slice(0, 1000)}`);
  for (const file of LIBC_HEADERS) writeFileSync(join(folder, file), "");
  for (const file of ["wasm-rt.h", "wasm-rt.c"])
    copyFileSync(join(RUNTIME, file), join(folder, file));
  const host = join(folder, "host.c");
  writeFileSync(host, hostText(readFileSync(join(folder, `${NAME}.h`), "utf8")));
  return [output, join(folder, "wasm-rt.c"), host];
}

// theirs_init(), theirs_prepare() and theirs_run(n) for the bench to call.
function hostText(header: string): string {
  const exports = ["prepare", "run"].flatMap((name) => {
    const type = new RegExp(`^(\\w+) w2c_${NAME}_${name}\\((.*)\\);$`, "m").exec(header);
    if (type === null) return [];
    const [n, operand] = type[2]!.includes(",") ? ["uint32_t n", ", n"] : ["void", ""];
    return [
      `${type[1]} ${NAME}_${name}(${n}) { return w2c_${NAME}_${name}(&instance${operand}); }`,
    ];
  });
  return [
    `#include "${NAME}.h"`,
    `static w2c_${NAME} instance;`,
    `void ${NAME}_init(void) { wasm2c_${NAME}_instantiate(&instance); }`,
    ...exports,
    "",
  ].join("\n");
}

/** Builds what writeWasm2c() wrote. */
export function buildWasm2c(core: Core, sources: readonly string[], elf: string): Image {
  const flags = [...core.flags, "-I", join(sources[0]!, "..")];
  return build({ ...core, flags }, sources, elf);
}
