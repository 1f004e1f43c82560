// SPDX-License-Identifier: MIT
// Runs wasm-opt and wasm2js: those of the binaryen that asc itself uses.
//
// Processes with files in a folder of their own, which is gone afterwards.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const OUTPUT_BYTES_MAX = 1 << 27;
const SAID_CHARACTERS_MAX = 500;
const RUN_MS_MAX = 120_000; // a module takes one second

// asconfig.json's features: mutable-globals and nontrapping-f2i are off there. i64.trunc_sat stops wasm2js.
const FEATURES = ["--mvp-features", "--enable-bulk-memory", "--enable-sign-ext"];

/** Of a module, what `program` writes with these options: text of wasm2js, octets of wasm-opt. */
export function runBinaryen(
  program: "wasm2js" | "wasm-opt",
  wasm: Uint8Array,
  options: readonly string[],
): Uint8Array {
  const asc = createRequire(import.meta.resolve("assemblyscript"));
  const script = join(dirname(asc.resolve("binaryen/package.json")), "bin", program);
  const folder = mkdtempSync(join(tmpdir(), "ferrule-binaryen-"));
  try {
    const [input, output] = [join(folder, "in.wasm"), join(folder, "out")];
    writeFileSync(input, wasm);
    const args = [script, ...FEATURES, ...options, input, "-o", output];
    const ran = spawnSync(process.execPath, args, {
      stdio: ["ignore", "ignore", "pipe"],
      maxBuffer: OUTPUT_BYTES_MAX,
      timeout: RUN_MS_MAX,
      encoding: "utf8",
    });
    const said = (ran.error?.message ?? ran.stderr).slice(0, SAID_CHARACTERS_MAX).trim();
    if (ran.status !== 0) throw new Error(`${program} ended with ${ran.status}: ${said}`);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
