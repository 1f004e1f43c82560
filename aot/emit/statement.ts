// SPDX-License-Identifier: MIT
// Statements in C: structured where C has the structure, a goto where it has not.
//
// A loop is `for (;;) { ...; break; }`: a branch to its head is `continue` from the innermost C loop, a branch
// behind the block that only ends with it is `break`. Inside a switch `break` means the switch, so a goto.

import {
  type Bulk,
  type Call,
  type CallIndirect,
  type If,
  type Loop,
  type Signature,
  signatureOf,
  type Statement,
  type Store,
} from "../ir.ts";
import { containsLoop } from "../walk.ts";
import { countedLoop } from "../analyse/counted.ts";
import { condition, expression, isAligned } from "./expression.ts";
import { objectAt } from "./objects.ts";
import { anywhere, placeOf } from "./place.ts";
import { functionType, resultType, typeInSlot } from "./types.ts";
import {
  check,
  hold,
  line,
  memoryBytes,
  tableSlots,
  TRAP,
  trapCall,
  use,
  type Writer,
} from "./writer.ts";

const SWITCH = -1;

/** Writes statements in their order. */
export function statements(writer: Writer, list: readonly Statement[]): void {
  for (const statement of list) write(writer, statement);
}

function write(writer: Writer, node: Statement): void {
  switch (node.kind) {
    case "setLocal":
      return line(writer, `l${node.index} = ${expression(writer, node.value)};`);
    case "setGlobal":
      return setGlobal(writer, node.index, expression(writer, node.value));
    case "drop":
      return line(writer, `(void)${expression(writer, node.value)};`);
    case "store":
      return store(writer, node);
    case "call":
      return call(writer, node);
    case "callIndirect":
      return callIndirect(writer, node);
    case "bulk":
      return bulk(writer, node);
    case "grow":
      return grow(writer, node.result, expression(writer, node.delta));
    case "dropSegment":
      return dropSegment(writer, node.of, node.segment);
    case "block":
      return block(writer, node.label, node.body);
    case "loop":
      return countsUp(node) ? countingLoop(writer, node) : loop(writer, node.label, node.body);
    case "if":
      return choice(writer, node);
    case "branch":
      return line(writer, jump(writer, node.label));
    case "branchTable":
      return branchTable(writer, expression(writer, node.selector), node.labels, node.otherwise);
    case "return":
      return leave(
        writer,
        node.values.map((value) => expression(writer, value)),
      );
    case "unreachable":
      return line(writer, `${trapCall(writer, TRAP.unreachable, node.offset)};`);
  }
}

function setGlobal(writer: Writer, index: number, value: string): void {
  line(writer, `${writer.shape.names.globals[index]} = ${value};`);
}

function store(writer: Writer, node: Store): void {
  const width = node.bytes * 8;
  const { type } = node.value;
  const address = expression(writer, node.address);
  const value = expression(writer, node.value);
  const place = placeOf(writer, node, address); // checked after the value is evaluated
  const bits = type.startsWith("f") ? `${use(writer, `${type}_bits`)}(${value})` : value;
  const stored = `(uint${width}_t)${bits}`;
  if (place.element !== undefined) line(writer, `${place.element} = ${stored};`);
  else if (isAligned(writer, node)) line(writer, `*(u${width}m *)(${place.octets}) = ${stored};`);
  else line(writer, `${use(writer, `store${width}`)}(${place.octets}, ${stored});`);
}

function call(writer: Writer, node: Call): void {
  const operands = node.operands.map((operand) => expression(writer, operand));
  const name = writer.shape.names.functions[node.callee]!;
  take(writer, `${name}(${operands.join(", ")})`, node.results, node.callee);
}

function callIndirect(writer: Writer, node: CallIndirect): void {
  const { module, names } = writer.shape;
  const { table } = names;
  const operands = node.operands.map((operand) => expression(writer, operand));
  const slot = hold(writer, "i32", expression(writer, node.slot));
  check(writer, `${slot} >= ${tableSlots(writer.shape)}`, TRAP.table, node.offset);
  check(writer, `${table}[${slot}].type == 0`, TRAP.nullElement, node.offset);
  const type = typeInSlot(writer.shape, node.type);
  check(writer, `${table}[${slot}].type != ${type}`, TRAP.signature, node.offset);
  const target = `((${functionType(module.types[node.type]!)})${table}[${slot}].code)`;
  takeResults(writer, `${target}(${operands.join(", ")})`, node.results, module.types[node.type]!);
}

function take(writer: Writer, text: string, results: readonly number[], callee: number): void {
  takeResults(writer, text, results, signatureOf(writer.shape.module, callee));
}

function takeResults(
  writer: Writer,
  text: string,
  results: readonly number[],
  signature: Signature,
): void {
  if (results.length === 0) line(writer, `${text};`);
  else if (results.length === 1) line(writer, `l${results[0]} = ${text};`);
  else {
    const name = `r${writer.temporaries++}`;
    line(writer, `const ${resultType(signature)} ${name} = ${text};`);
    results.forEach((index, i) => line(writer, `l${index} = ${name}.v${i};`));
  }
}

function bulk(writer: Writer, node: Bulk): void {
  const [target, source, length] = node.operands.map((operand) =>
    hold(writer, "i32", expression(writer, operand)),
  );
  const { prefix, table } = writer.shape.names;
  const kind = node.op.startsWith("memory") ? TRAP.memory : TRAP.table;
  const spans = writer.shape.spans.get(node);
  const known = spans?.inBounds === true ? spans : undefined;
  const outside = (at: string, size: string): void =>
    known !== undefined
      ? undefined
      : check(writer, `(uint64_t)${at} + ${length} > ${size}`, kind, node.offset);
  const [octets, slots] = [memoryBytes(writer.shape), tableSlots(writer.shape)];
  const segment = `${prefix}_${kind === TRAP.memory ? "data" : "element"}${node.segment}`;
  if (node.op === "memory.copy") outside(source!, octets);
  if (node.op === "table.copy") outside(source!, slots);
  if (node.op.endsWith("init")) outside(source!, `${segment}_length`);
  outside(target!, kind === TRAP.memory ? octets : slots);
  const to =
    kind === TRAP.memory ? octetsAt(writer, target!, known?.target) : `${table} + ${target}`;
  if (node.op === "memory.fill")
    return line(writer, `memset(${to}, (int)(${source} & 255), ${length});`);
  const place =
    kind === TRAP.memory ? octetsAt(writer, source!, known?.source) : `${table} + ${source}`;
  const from = node.op.endsWith("init") ? `${segment} + ${source}` : place;
  const size = kind === TRAP.memory ? length : `${length} * sizeof(${table}[0])`;
  line(writer, `memmove(${to}, ${from}, ${size});`);
}

// In the object that the whole range is in.
function octetsAt(
  writer: Writer,
  address: string,
  span: readonly [number, number] | undefined,
): string {
  const object = span === undefined ? undefined : objectAt(writer.shape.objects, span[0]);
  if (object === undefined) return `${anywhere(writer)} + ${address}`;
  return `(uint8_t *)&${object.name} + (${address} - ${object.start}u)`;
}

function grow(writer: Writer, result: number, delta: string): void {
  const { names, module, grows } = writer.shape;
  if (grows) return line(writer, `l${result} = ${names.prefix}_grow(${delta});`);
  line(writer, `l${result} = ${delta} == 0 ? ${module.memory!.pages}u : ~0u;`);
}

function dropSegment(writer: Writer, of: "data" | "element", segment: number): void {
  line(writer, `${writer.shape.names.prefix}_${of}${segment}_length = 0;`);
}

function block(writer: Writer, label: number, body: readonly Statement[]): void {
  const last = body.at(-1);
  if (last?.kind === "loop") writer.behind.set(label, last.label);
  statements(writer, body);
  if (writer.labelsUsed.has(label)) line(writer, `L${label}:;`);
}

function loop(writer: Writer, label: number, body: readonly Statement[]): void {
  const { lines, depth } = writer;
  writer.lines = [];
  writer.loops.push(label);
  writer.depth++;
  statements(writer, body);
  if (!endsControl(body)) line(writer, "break;");
  writer.depth = depth;
  writer.loops.pop();
  const inside = writer.lines;
  writer.lines = lines;
  if (writer.labelsUsed.has(label)) line(writer, `L${label}:;`);
  line(writer, "for (;;) {");
  writer.lines.push(...inside);
  line(writer, "}");
}

// A counter that takes every value up to a variable limit: gcc then may drop it. Not around other loops, where
// gcc would move what does not change in front of both and spill it (a matrix product on Cortex-M0+: 2.3 of C
// instead of 1.2).
function countsUp(node: Loop): boolean {
  const counted = countedLoop(node);
  return counted?.step === 1 && counted.limit.kind === "local" && !containsLoop(node.body);
}

// In a loop inside another the first test stays even where it surely holds: without it gcc moves what does not
// change all the way out, and on eight registers spills it (an FFT on Cortex-M0+: 1.82 of C instead of 1.14).
// Tested once before, then at the end of each pass for being unequal.
function countingLoop(writer: Writer, node: Loop): void {
  const { choice: test, counter, limit } = countedLoop(node)!;
  const entered = writer.loops.length === 0 && writer.shape.entered.get(node) === true;
  if (!entered) line(writer, `if (${condition(writer, test.condition)}) {`);
  line(writer, "do {");
  writer.loops.push(node.label);
  writer.depth++;
  statements(writer, test.yes.slice(0, -1));
  writer.depth--;
  writer.loops.pop();
  line(writer, `} while (l${counter} != ${expression(writer, limit)});`);
  if (!entered) line(writer, "}");
}

function choice(writer: Writer, node: If): void {
  const test = condition(writer, node.condition);
  const rare = node.yes.length === 1 && node.yes[0]!.kind === "unreachable";
  line(writer, rare ? `if (RARE(${test})) {` : `if (${test}) {`);
  writer.depth++;
  statements(writer, node.yes);
  writer.depth--;
  if (node.no.length > 0) {
    line(writer, "} else {");
    writer.depth++;
    statements(writer, node.no);
    writer.depth--;
  }
  line(writer, "}");
}

function jump(writer: Writer, label: number): string {
  const innermost = writer.loops.at(-1);
  const loopAround = writer.loops.findLast((at) => at !== SWITCH);
  if (label === loopAround) return "continue;";
  if (innermost !== undefined && writer.behind.get(label) === innermost) return "break;";
  writer.labelsUsed.add(label);
  return `goto L${label};`;
}

function branchTable(
  writer: Writer,
  selector: string,
  labels: readonly number[],
  otherwise: number,
): void {
  line(writer, `switch (${selector}) {`);
  writer.loops.push(SWITCH);
  labels.forEach((label, i) => line(writer, `  case ${i}: ${jump(writer, label)}`));
  line(writer, `  default: ${jump(writer, otherwise)}`);
  writer.loops.pop();
  line(writer, "}");
}

function leave(writer: Writer, values: readonly string[]): void {
  const { recursive, names } = writer.shape;
  const counted = recursive.has(writer.func.index);
  const { results } = writer.func.signature;
  const held = counted ? values.map((value, i) => hold(writer, results[i]!, value)) : values;
  if (counted) line(writer, `${names.depth}--;`);
  if (held.length === 0) line(writer, "return;");
  else if (held.length === 1) line(writer, `return ${held[0]};`);
  else line(writer, `return (${resultType(writer.func.signature)}){ ${held.join(", ")} };`);
}

// Nothing runs behind such a list, so that no break is needed.
function endsControl(body: readonly Statement[]): boolean {
  const last = body.at(-1);
  return last !== undefined && /^(branch|branchTable|return|unreachable)$/.test(last.kind);
}
