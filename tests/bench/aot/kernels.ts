// SPDX-License-Identifier: MIT
// The kernels of the bench: what is compiled, how often it runs, what V8 gives.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "assemblyscript/asc";
import { PROJECT } from "../../../scripts/build/sources.ts";

export interface Kernel {
  name: string;
  n: number; // argument: steps, or octets of a CRC
  rounds: number; // that figures are divided by: a step, a map, a CRC of all octets
  source: string;
  c: string;
}

const FOLDER = join(import.meta.dirname, "kernels");
const ARGUMENTS: Record<string, number> = {
  pid_fir: 1000,
  pid_f32: 1000,
  crc16_bit: 256,
  crc16_table: 256,
  cbor_map: 100,
  senml_pack: 20,
  modbus_tap: 20,
  mqttsn_parse: 100,
  biquad_i64: 200,
  median9: 200,
  fft256: 4,
  sha256: 10,
};

// Of the firmware a tap of Modbus RTU on one wire, which is what the C by hand has.
const USES = "firmware/generated/uses.ts";
const LEFT_OUT = /(USES_(?:MODBUS_ASCII|TWO_WIRES): bool = )true/g;

const ONE_ROUND = ["crc16_bit", "crc16_table"];

export const KERNELS: readonly Kernel[] = Object.entries(ARGUMENTS).map(([name, n]) => ({
  name,
  n,
  rounds: ONE_ROUND.includes(name) ? 1 : n,
  source: join(FOLDER, `${name}.ts`),
  c: join(FOLDER, `${name}.c`),
}));

/** The module of a kernel, as asc -O3 makes it, from the real firmware/; unchecked: each a[i] as unchecked(a[i]). */
export async function compileKernel(
  { name, source }: Kernel,
  indices: "checked" | "unchecked" = "checked",
): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  let said = "";
  const talk = { write: (text: string | Uint8Array) => ((said += String(text)), true) };
  const path = `tests/bench/aot/kernels/${name}.ts`;
  const args = [
    path,
    "-O3",
    "--runtime",
    "stub",
    "--use",
    "abort=",
    "--noExportMemory",
    ...(indices === "unchecked" ? ["--uncheckedBehavior", "always"] : []),
    "--outFile",
    "out.wasm",
  ];
  const { error } = await main(args, {
    stdout: talk,
    stderr: talk,
    readFile: (file: string) => readSource(file, path, source),
    writeFile: (_file: string, content: Uint8Array | string) => {
      if (typeof content !== "string") wasm = new Uint8Array(content);
    },
    listFiles: () => null,
  });
  if (error !== null || wasm === undefined) throw new Error(`${name}: ${said}`);
  return wasm;
}

function readSource(file: string, entry: string, source: string): string | null {
  try {
    const text = readFileSync(file === entry ? source : join(PROJECT, file), "utf8");
    return file === USES ? text.replace(LEFT_OUT, "$1false") : text;
  } catch {
    return null;
  }
}

/** What the module gives in V8. */
export function resultInEngine(wasm: Uint8Array, { n }: Kernel): number {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm as BufferSource), {});
  const { prepare, run } = instance.exports as Record<string, ((n: number) => number) | undefined>;
  prepare?.(0);
  return run!(n);
}
