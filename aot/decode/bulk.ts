// SPDX-License-Identifier: MIT
// Instructions behind 0xfc: saturating conversions, bulk memory and tables.
//
// Spec: WebAssembly 2.0 §5.4.6, §5.4.7, §5.4.8.

import { refuseAt } from "../failure.ts";
import type { Bulk } from "../ir.ts";
import { decodeNumeric, type Decoding, popMany } from "./code.ts";
import { saturatingOperator } from "./opcodes.ts";
import { readU32 } from "./reader.ts";
import { disturbsCall, settle } from "./stack.ts";

// What follows the opcode: a segment ("s"), or the index of the one memory or table ("0").
const BULK: Record<number, { op: Bulk["op"]; operands: string }> = {
  8: { op: "memory.init", operands: "s0" },
  10: { op: "memory.copy", operands: "00" },
  11: { op: "memory.fill", operands: "0" },
  12: { op: "table.init", operands: "s0" },
  14: { op: "table.copy", operands: "00" },
};

/** Decodes what follows 0xfc. */
export function decodeBulk(decoding: Decoding, offset: number): void {
  const { reader } = decoding;
  const opcode = readU32(reader);
  const numeric = saturatingOperator(opcode);
  if (numeric !== undefined) return decodeNumeric(decoding, numeric, offset);
  if (opcode === 9 || opcode === 13) {
    const of = opcode === 9 ? "data" : "element";
    settle(decoding, disturbsCall);
    decoding.statements.push({ kind: "dropSegment", of, segment: readU32(reader) });
    return;
  }
  const bulk = BULK[opcode];
  if (bulk === undefined)
    return refuseAt(decoding.functionIndex, offset, `opcode 0xfc ${opcode}`, "is not supported");
  const [segment = 0] = [...bulk.operands]
    .map((what) => [what, readU32(reader)] as const)
    .filter(([what]) => what === "s")
    .map(([, value]) => value);
  const [target, source, length] = popMany(decoding, 3).map(({ expression }) => expression);
  settle(decoding, disturbsCall);
  const operands: Bulk["operands"] = [target!, source!, length!];
  decoding.statements.push({ kind: "bulk", op: bulk.op, segment, operands, offset });
}
