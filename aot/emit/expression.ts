// SPDX-License-Identifier: MIT
// Expressions in C: nested as in the module, with their checks as lines before.

import type { Expression, Load, Store } from "../ir.ts";
import { binary, compare, comparison, isTruth, unary } from "./numeric.ts";
import { placeOf } from "./place.ts";
import { C_SIGNED, C_TYPES, literal, use, type Writer } from "./writer.ts";

/** C text of an expression; checks go to the writer's lines. */
export function expression(writer: Writer, node: Expression): string {
  switch (node.kind) {
    case "const":
      return literal(writer, node.type, node.value);
    case "local":
      return `l${node.index}`;
    case "global":
      return writer.shape.names.globals[node.index]!;
    case "load":
      return load(writer, node);
    case "unary":
      return unary(writer, node, expression(writer, node.operand));
    case "binary":
      return binary(writer, node, expression(writer, node.left), expression(writer, node.right));
    case "select":
      return select(writer, node);
    case "memorySize":
      return memorySize(writer);
  }
}

/** C text that is a truth value. */
export function condition(writer: Writer, node: Expression): string {
  if (node.kind === "unary" && node.op === "eqz")
    return node.operandType === "i32"
      ? `!${condition(writer, node.operand)}`
      : `(${expression(writer, node.operand)} == 0)`;
  if (node.kind === "binary" && comparison(node.op) !== undefined)
    return compare(writer, node, expression(writer, node.left), expression(writer, node.right));
  if (node.kind === "binary" && isTruth(node)) {
    const sign = node.op === "and" ? "&&" : "||";
    return `(${condition(writer, node.left)} ${sign} ${condition(writer, node.right)})`;
  }
  if (node.kind === "select") return choiceOfTruths(writer, node) ?? expression(writer, node);
  return expression(writer, node);
}

// c ? x : 0 and c ? 1 : x. Both arms are evaluated before, with what can trap in them.
function choiceOfTruths(
  writer: Writer,
  { yes, no, condition: test }: Extract<Expression, { kind: "select" }>,
): string | undefined {
  if (no.kind === "const" && no.type === "i32" && no.value === 0) {
    const arm = condition(writer, yes);
    return `(${condition(writer, test)} && ${arm})`;
  }
  if (yes.kind !== "const" || yes.type !== "i32" || yes.value !== 1) return undefined;
  const arm = condition(writer, no);
  return `(${condition(writer, test)} || ${arm})`;
}

/** True when the address is a multiple of the access's size, or of 4. */
export function isAligned(writer: Writer, node: Load | Store): boolean {
  if (node.bytes === 1 || writer.shape.facts.get(node)?.aligned === true) return true;
  if (node.address.kind !== "const") return false;
  return (Number(node.address.value) + node.displacement) % Math.min(node.bytes, 4) === 0;
}

function load(writer: Writer, node: Load): string {
  const width = node.bytes * 8;
  const { element, octets } = placeOf(writer, node, expression(writer, node.address));
  const raw =
    element ??
    (isAligned(writer, node)
      ? `*(const u${width}m *)(${octets})`
      : `${use(writer, `load${width}`)}(${octets})`);
  if (node.type === "f32" || node.type === "f64")
    return `${use(writer, `${node.type}_of`)}(${raw})`;
  const c = C_TYPES[node.type];
  if (!node.signed) return node.type === "i32" && width === 32 ? `(${raw})` : `(${c})(${raw})`;
  return `(${c})(${C_SIGNED[node.type]})(int${width}_t)(${raw})`;
}

function select(writer: Writer, node: Extract<Expression, { kind: "select" }>): string {
  const yes = expression(writer, node.yes);
  const no = expression(writer, node.no);
  return `(${condition(writer, node.condition)} ? ${yes} : ${no})`;
}

function memorySize(writer: Writer): string {
  const { module, grows, names } = writer.shape;
  if (grows) return `${names.memory}_size.pages`;
  return `${module.memory?.pages ?? 0}u`;
}
