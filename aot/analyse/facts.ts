// SPDX-License-Identifier: MIT
// What the emitter asks for: facts of accesses, safe divisions, reasons.

import type { AccessFact, Shape } from "../emit/writer.ts";
import { type Expression, functionAt, type Load, type Statement, type Store } from "../ir.ts";
import { eachExpression, eachStatement, operandsOf } from "../walk.ts";
import type { Reach } from "./evaluate.ts";
import type { Knowledge } from "./index.ts";
import { divisionIsSafe, rangeAt } from "./simplify.ts";

/** Facts of every access that something gets to. */
export function accessFacts({ reaches, program, hoisted }: Knowledge): Map<object, AccessFact> {
  const facts = new Map<object, AccessFact>();
  const { bytesMin } = program.memory;
  for (const [node, reach] of reaches) facts.set(node, factOf(reach, bytesMin));
  for (const [loop, { counter, offset }] of hoisted)
    if (!trapsAt(loop.body, offset))
      eachAccess(loop.body, (node) => {
        const fact = facts.get(node);
        if (fact?.why.startsWith("proven") !== true || !reads(node.address, counter)) return;
        const test = `test of octet ${offset} before the loop`;
        facts.set(node, { ...fact, why: `hoisted${fact.why.slice("proven".length)}, ${test}` });
      });
  return facts;
}

// The test is still in the loop.
function trapsAt(list: readonly Statement[], offset: number): boolean {
  let found = false;
  eachStatement(list, (node) => {
    found ||= node.kind === "unreachable" && node.offset === offset;
  });
  return found;
}

function factOf(reach: Reach, bytesMin: number): AccessFact {
  const { first, last, bits, low, inBounds, bytes, behind } = reach;
  const aligned = bytes === 1 || (2 ** bits >= bytes && low % bytes === 0);
  const at = `${bytes} octets at ${first === last ? first : `${first}..${last}`}`;
  const end = `of memory's ${bytesMin} octets`;
  const proven =
    behind === undefined
      ? `proven: ${at} ${end}`
      : `merged: ${at} ${end}, check at octet ${behind}`;
  const why = inBounds ? proven : `checked: ${at} may end behind ${bytesMin}`;
  return { inBounds, aligned, first, last, why };
}

function reads(node: Expression, local: number): boolean {
  if (node.kind === "local") return node.index === local;
  return operandsOf(node).some((operand) => reads(operand, local));
}

/** Divisions and remainders that cannot trap, and need no case of their own in C. */
export function safeDivisions(knowledge: Knowledge): Set<object> {
  const safe = new Set<object>();
  for (const { body } of knowledge.program.module.functions)
    eachStatement(body, (statement) =>
      eachExpression(statement, (node) => {
        if (node.kind !== "binary" || !/^(div|rem)_/.test(node.op)) return;
        const [left, right] = [rangeAt(knowledge, node.left), rangeAt(knowledge, node.right)];
        if (!divisionIsSafe(node, left, right)) return;
        const byMinusOne = node.op === "rem_s" && right?.most === 2 ** 32 - 1;
        if (!byMinusOne) safe.add(node);
      }),
    );
  return safe;
}

/** A line for each access of the module: which check was left out and why, or that it stays. */
export function reasonsOf({ module, facts }: Shape): string[] {
  const lines: string[] = [];
  for (const { body } of module.functions)
    eachAccess(body, (node) => {
      const fact = facts.get(node);
      const index = functionAt(module, node.offset);
      if (fact !== undefined) lines.push(`function ${index}, octet ${node.offset}: ${fact.why}`);
    });
  return lines;
}

function eachAccess(body: readonly Statement[], visit: (node: Load | Store) => void): void {
  eachStatement(body, (statement) => {
    eachExpression(statement, (node) => {
      if (node.kind === "load") visit(node);
    });
    if (statement.kind === "store") visit(statement);
  });
}
