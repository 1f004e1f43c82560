// SPDX-License-Identifier: MIT
// Loads of what can be computed: tables whose entries lie on a line.
//
// Rows of a matrix follow each other in memory, and so do the objects of an array and what their fields point
// to: then the pointer read at an address is factor * address + constant, modulo 2^32, for each address that
// the load may have. No store may reach the entries. In C by hand there is no such load either.

import type { Binary, Expression, Load } from "../ir.ts";
import { eachStatement, replaceExpressions, replaceOperands } from "../walk.ts";
import type { Reach } from "./evaluate.ts";
import type { Knowledge } from "./index.ts";
import { isFixed, type MemoryFacts } from "./memory.ts";

// The value is factor * (address without displacement) + constant.
interface Line {
  factor: number;
  constant: number;
}

const ENTRIES_MAX = 64;
const FACTOR_MAX = 2 ** 12;

/** Puts products and sums in the place of loads in all functions; the last step, as ranges are lost. */
export function computeLines({ program, reaches }: Knowledge): void {
  const one = (node: Expression): Expression => {
    replaceOperands(node, one);
    const reach = node.kind === "load" ? reaches.get(node) : undefined;
    if (node.kind !== "load" || reach === undefined) return node;
    const line = lineOf(program.memory, node, reach);
    return line === undefined ? node : onLine(line, node.address);
  };
  for (const { body } of program.module.functions)
    eachStatement(body, (statement) => replaceExpressions(statement, one));
}

// Constants and shifts of the address go into factor and constant.
function onLine({ factor, constant }: Line, address: Expression): Expression {
  let [rest, by, plus] = [address, factor, constant];
  for (let part = splitOf(rest); part !== undefined; part = splitOf(rest)) {
    plus += Math.imul(by, part.plus);
    by = Math.imul(by, part.times) >>> 0;
    rest = part.rest;
  }
  const product = by === 1 ? rest : binary("mul", rest, by);
  return binary("add", product, plus);
}

// x + c, c + x, x << c.
function splitOf(node: Expression): { rest: Expression; times: number; plus: number } | undefined {
  if (node.kind !== "binary") return undefined;
  const { op, left, right } = node;
  if (op === "add" && left.kind === "const")
    return { rest: right, times: 1, plus: Number(left.value) };
  if (right.kind !== "const") return undefined;
  const value = Number(right.value);
  if (op === "add") return { rest: left, times: 1, plus: value };
  return op === "shl" ? { rest: left, times: 2 ** (value & 31), plus: 0 } : undefined;
}

function binary(op: string, left: Expression, value: number): Binary {
  const right: Expression = { kind: "const", type: "i32", value: value >>> 0 };
  return { kind: "binary", op, type: "i32", operandType: "i32", left, right, offset: 0 };
}

// The line through all that a load may read.
function lineOf(memory: MemoryFacts, node: Load, reach: Reach): Line | undefined {
  if (node.type !== "i32" || node.bytes !== 4 || !reach.inBounds) return undefined;
  const addresses = addressesOf(reach);
  if (addresses === undefined || addresses.length < 2) return undefined;
  if (!addresses.every((at) => isFixed(memory, at, at + 4))) return undefined;
  const word = (at: number): number => memory.view.getUint32(at, true);
  const [first, second] = addresses as [number, number];
  const start = word(first);
  const factor = (word(second) - start) / (second - first);
  if (!Number.isInteger(factor) || factor < 1 || factor > FACTOR_MAX) return undefined;
  const isOnLine = (at: number): boolean => word(at) === start + factor * (at - first);
  if (!addresses.every(isOnLine)) return undefined;
  return { factor, constant: (start - factor * (first - node.displacement)) >>> 0 };
}

// In ascending order; undefined when there are many.
function addressesOf({ parts, bits }: Reach): number[] | undefined {
  const step = 2 ** Math.min(bits, 12);
  const addresses: number[] = [];
  for (const [first, last] of parts)
    for (let at = first; at <= last; at += step) {
      if (addresses.length === ENTRIES_MAX) return undefined;
      addresses.push(at);
    }
  return addresses;
}
