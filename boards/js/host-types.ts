// SPDX-License-Identifier: MIT
// Refuses a module whose host functions take or return anything but i32.
//
// Spec: WebAssembly core 1.0 §5.5 (type section 1, import section 2). wasm2js would split an i64 of an import
// in two without a word, and host.h knows no such function. The engine has validated the octets.

const HEADER_BYTES = 8;
const SECTION_TYPE = 1;
const SECTION_IMPORT = 2;
const KIND_FUNCTION = 0;
const I32 = 0x7f;

interface Reader {
  wasm: Uint8Array;
  at: number;
}

/** Throws an error that names the first such import, or an import that is no function of "host". */
export function refuseWideImports(wasm: Uint8Array): void {
  const narrow: boolean[] = [];
  const types = section(wasm, SECTION_TYPE);
  for (let left = types === null ? 0 : number(types); left > 0; left--) {
    types!.at++; // 60: a function
    narrow.push([operands(types!), operands(types!)].flat().every((type) => type === I32));
  }
  const imports = section(wasm, SECTION_IMPORT);
  for (let left = imports === null ? 0 : number(imports); left > 0; left--) {
    const from = text(imports!);
    const name = `${from}.${text(imports!)}`;
    if (imports!.wasm[imports!.at++] !== KIND_FUNCTION || from !== "host")
      throw new Error(`import ${name} is no function of the host: see SPEC.md §1 for those`);
    if (narrow[number(imports!)] !== true)
      throw new Error(`import ${name} takes or returns more than i32: split it in two`);
  }
}

function operands(r: Reader): number[] {
  const types = Array.from({ length: number(r) }, (_, i) => r.wasm[r.at + i]!);
  r.at += types.length;
  return types;
}

function text(r: Reader): string {
  const bytes = number(r);
  r.at += bytes;
  return Buffer.from(r.wasm.subarray(r.at - bytes, r.at)).toString();
}

// LEB128, unsigned.
function number(r: Reader): number {
  for (let value = 0, shift = 0; ; shift += 7) {
    const octet = r.wasm[r.at++]!;
    value |= (octet & 127) << shift;
    if (octet < 128) return value >>> 0;
  }
}

function section(wasm: Uint8Array, wanted: number): Reader | null {
  for (const r = { wasm, at: HEADER_BYTES }; r.at < wasm.length;) {
    const id = wasm[r.at++];
    const bytes = number(r);
    if (id === wanted) return r;
    r.at += bytes;
  }
  return null;
}
