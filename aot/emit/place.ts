// SPDX-License-Identifier: MIT
// Where an access goes in C: an element of an object, else octets.
//
// An address is taken apart as constant + terms times factors, modulo 2^32. As an index it is only used when
// no product can have lost bits: each is small by what the analysis knows.

import type { Expression, Load, Store } from "../ir.ts";
import { expression } from "./expression.ts";
import { type MemoryObject, objectAt } from "./objects.ts";
import { type AccessFact, check, hold, memoryBytes, TRAP, type Writer } from "./writer.ts";

/** An lvalue of the access's own type, or a pointer to its first octet. */
export interface Place {
  element?: string;
  octets: string;
}

interface Term {
  node: Expression;
  factor: number;
}

interface Linear {
  constant: number;
  terms: Term[];
}

const FACTOR_MAX = 2 ** 16;
const TERMS_MAX = 3;
const NEAR = 32; // octets that a load reaches from a pointer: several accesses then share it
const SMALL = 2 ** 29; // the sum of three products and a constant below it is below 2^31

/** Where an access goes; `address` is its evaluated address, which a missing proof has checked here. */
export function placeOf(writer: Writer, node: Load | Store, address: string): Place {
  const { facts, objects, names } = writer.shape;
  const fact = facts.get(node);
  const text = fact?.inBounds === true ? address : checked(writer, node, address);
  if (fact?.inBounds !== true)
    return { octets: `${anywhere(writer)} + ${plus(text, node.displacement)}` };
  const object = objectAt(objects, fact.first);
  if (object === undefined) return { octets: `${names.memory} + ${plus(text, node.displacement)}` };
  const element = elementOf(writer, node, fact, object);
  const base = object.start === 0 ? text : `(int32_t)(${text} - ${object.start}u)`;
  const octets = plus(`(uint8_t *)&${object.name} + ${base}`, node.displacement);
  return element === undefined ? { octets } : { element, octets };
}

/** A pointer to memory of which gcc cannot say that it reaches no object. */
export function anywhere(writer: Writer): string {
  const { objects, names } = writer.shape;
  if (objects.length === 0) return names.memory;
  writer.reachesAnywhere = true;
  return ANYWHERE;
}

export const ANYWHERE = "anywhere";

function plus(text: string, by: number): string {
  if (by === 0) return text;
  return by > 0 ? `(${text} + ${by}u)` : `(${text} - ${-by}u)`;
}

function checked(writer: Writer, node: Load | Store, address: string): string {
  const { bytes, grows } = writer.shape;
  const reach = node.displacement + node.bytes;
  const last = bytes - reach; // the highest address in bounds
  if (!grows && node.address.kind === "const" && Number(node.address.value) <= last) return address;
  const held = hold(writer, "i32", address);
  const bad = grows
    ? `(uint64_t)${held} + ${reach}u > ${memoryBytes(writer.shape)}`
    : last < 0
      ? "1"
      : `${held} > ${last}u`;
  check(writer, bad, TRAP.memory, node.offset);
  return held;
}

function elementOf(
  writer: Writer,
  node: Load | Store,
  fact: AccessFact,
  object: MemoryObject,
): string | undefined {
  const { start, end, element, mixed, name } = object;
  if (mixed || element !== node.bytes || !fact.aligned) return undefined;
  if (end - start === element) return name;
  if (fact.first === fact.last) return `${name}[${(fact.first - start) / element}]`;
  if (element === 1 && node.displacement > 0 && node.displacement < NEAR) return undefined;
  const linear = linearOf(node.address);
  const offset = (linear.constant + node.displacement - start) | 0;
  const few = linear.terms.length <= TERMS_MAX && Math.abs(offset) < SMALL;
  const whole = offset % element === 0 && few;
  if (!whole || !linear.terms.every((term) => isSmall(writer, term, element))) return undefined;
  const parts = linear.terms.map(({ node: part, factor }) => {
    const value = expression(writer, part);
    return factor === element ? value : `(${value} * ${factor / element}u)`;
  });
  const index = offset / element;
  if (index !== 0) parts.push(`${index >>> 0}u`);
  return `${name}[${parts.join(" + ")}]`;
}

// Such a term is evaluated a second time, so it must be one that cannot trap.
function isSmall(writer: Writer, { node, factor }: Term, element: number): boolean {
  if (factor % element !== 0 || !isPlain(writer, node)) return false;
  if (element === 1) return true; // exact modulo 2^32
  const range = writer.shape.rangeOf(node);
  if (range === undefined) return false;
  const [least, most] = [range.leastSigned * factor, range.mostSigned * factor];
  return least > -SMALL && most < SMALL;
}

function isPlain(writer: Writer, node: Expression): boolean {
  switch (node.kind) {
    case "const":
    case "local":
    case "global":
      return true;
    case "binary":
      return (
        !/^(div|rem)_/.test(node.op) && isPlain(writer, node.left) && isPlain(writer, node.right)
      );
    case "unary":
      return node.operandType === "i32" && isPlain(writer, node.operand);
    case "load":
      return writer.shape.facts.get(node)?.inBounds === true && isPlain(writer, node.address);
    default:
      return false;
  }
}

function linearOf(node: Expression): Linear {
  const whole: Linear = { constant: 0, terms: [{ node, factor: 1 }] };
  if (node.kind === "const") return { constant: Number(node.value), terms: [] };
  if (node.kind !== "binary" || node.operandType !== "i32") return whole;
  const { op, left, right } = node;
  if (op === "add") return sum(linearOf(left), linearOf(right));
  if (right.kind !== "const") return whole;
  const by = Number(right.value);
  if (op === "sub") return sum(linearOf(left), { constant: -by, terms: [] });
  if (op !== "shl" && op !== "mul") return whole;
  return scaled(linearOf(left), op === "shl" ? 2 ** (by & 31) : by) ?? whole;
}

function sum(a: Linear, b: Linear): Linear {
  return { constant: (a.constant + b.constant) >>> 0, terms: [...a.terms, ...b.terms] };
}

function scaled({ constant, terms }: Linear, by: number): Linear | undefined {
  if (terms.some(({ factor }) => factor * by > FACTOR_MAX)) return undefined;
  return {
    constant: Math.imul(constant, by) >>> 0,
    terms: terms.map(({ node, factor }) => ({ node, factor: factor * by })),
  };
}
